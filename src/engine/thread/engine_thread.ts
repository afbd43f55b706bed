// The engine's thread as the main thread holds it: starts the worker, hands its messages on, and
// sees that it ends.
import type { Alert } from "../contract/alert.ts";
import { type Counters } from "../contract/counters.ts";
import type {
  EngineEnd,
  EngineStart,
  FromEngine,
  RulesStart,
  ToEngine,
} from "../contract/messages.ts";

export interface EngineEvents {
  /**
   * Takes alerts. The engine may hand over more when the promise settles: at once where a slow
   * reader must not hold it up, after writing where nothing may be lost.
   */
  readonly onAlerts: (alerts: readonly Alert[]) => Promise<void>;
  readonly onReady: (warnings: readonly string[]) => void;
  readonly onReloaded: (outcome: { warnings: readonly string[] } | { error: string }) => void;
  readonly onNotice: (line: string) => void;
}

export interface EngineThread {
  /** Settles when the engine has ended, whatever the reason. */
  readonly ended: Promise<EngineEnd>;
  reload(rules: RulesStart): void;
  /** Asks the engine to end; it is cut off where it does not within the time. */
  stop(timeoutMs: number): void;
}

export function startEngineThread(
  start: EngineStart,
  counters: Counters,
  events: EngineEvents,
): EngineThread {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const { promise: ended, resolve } = Promise.withResolvers<EngineEnd>();
  let alertsTaken = Promise.resolve();
  const end = (outcome: EngineEnd) => {
    // What was handed over before the end is written before the end is told.
    alertsTaken.then(() => {
      worker.terminate();
      resolve(outcome);
    });
  };
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    switch (data.kind) {
      case "alerts":
        alertsTaken = Promise.all([alertsTaken, events.onAlerts(data.alerts)])
          .then(() => counters.take(data.alerts.length));
        break;
      case "ready":
        events.onReady(data.warnings);
        break;
      case "reloaded":
        events.onReloaded({ warnings: data.warnings });
        break;
      case "refused":
        events.onReloaded({ error: data.error });
        break;
      case "notice":
        events.onNotice(data.line);
        break;
      case "ended":
        end(data.end);
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end({ error: `The engine failed: ${event.message}`, alertsByRule: [] });
  };
  const post = (message: ToEngine) => worker.postMessage(message);
  post({ kind: "start", start });
  return {
    ended,
    reload(rules: RulesStart): void {
      post({ kind: "reload", rules });
      counters.announceMessage();
    },
    stop(timeoutMs: number): void {
      counters.stop();
      const timer = setTimeout(() => {
        end({ error: "The engine did not stop and was cut off", alertsByRule: [] });
      }, timeoutMs);
      Deno.unrefTimer(timer);
    },
  };
}
