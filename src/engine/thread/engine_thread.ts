// The engine's thread as the main thread holds it: starts the worker, hands its messages on, and
// sees that it ends.
import type { AuditPiece, AuditVerdict } from "../../audit/contract.ts";
import type { Alert } from "../contract/alert.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import type { BusyWindow } from "../contract/busiest.ts";
import type { LossEntry } from "../contract/loss_journal.ts";
import { type PackedAlerts, RecordsTold, unpackAlerts } from "../contract/packed_alerts.ts";
import type { TalliesTold } from "../contract/tallies.ts";
import {
  type DeadRule,
  type EngineEnd,
  type EngineSettings,
  type EngineStart,
  type FromEngine,
  isReplay,
  type NoticeLevel,
  type PluginTold,
  type RefusedProgram,
  type RulesStart,
  type RuntimesTold,
  type ToEngine,
} from "../contract/messages.ts";
import { Paced } from "./paced.ts";

/** What there is to say of rules that are in force now. */
export interface RulesTold {
  readonly warnings: readonly string[];
  readonly dead: readonly DeadRule[];
  readonly refused: readonly RefusedProgram[];
}

export interface EngineEvents {
  /**
   * Takes alerts. The engine may hand over more when the promise settles: at once where a slow
   * reader must not hold it up, after writing where nothing may be lost.
   */
  readonly onAlerts: (alerts: readonly Alert[]) => Promise<void>;
  readonly onReady: (rules: RulesTold) => void;
  readonly onReloaded: (outcome: RulesTold | { readonly error: string }) => void;
  readonly onNotice: (line: string, level: NoticeLevel) => void;
  /** When which events were lost. */
  readonly onLost?: (entry: LossEntry) => void;
  /** How the container runtimes stand, about once a second. */
  readonly onRuntimes?: (runtimes: RuntimesTold) => void;
  /** Where numbers by rule, CPU and program are from now on; before `onReady` and `onReloaded`. */
  readonly onTallies?: (tallies: TalliesTold) => void;
  /** Which processes had most events lately. */
  readonly onBusy?: (window: BusyWindow) => void;
  /** How the thread's plugins stand, about once a second. */
  readonly onPlugins?: (plugins: readonly PluginTold[]) => void;
  /** What became of a piece of audit events, by its number. */
  readonly onVerdict?: (number: number, verdict: AuditVerdict) => void;
}

export interface EngineThread {
  /** Settles when the engine has ended, whatever the reason. */
  readonly ended: Promise<EngineEnd>;
  /** Without settings those of before hold. */
  reload(rules: RulesStart, settings?: EngineSettings): void;
  /** Hands over a piece of audit events, whose bytes are gone then; `onVerdict` answers. */
  offer(number: number, piece: AuditPiece): void;
  /**
   * Asks the engine to end. It is cut off where it does not within the time, or where it has not
   * moved for `stuckMs`; a capture's reader that waits for a pipe has then ended well.
   */
  stop(limits: { readonly timeoutMs: number; readonly stuckMs: number }): void;
}

/** How often it is looked whether an engine that was asked to end still moves. */
const STOP_POLL_MS = 50;
/** Alerts that were handed over have this long to be taken when the engine is cut off. */
const CUT_OFF_MS = 500;

export function startEngineThread(
  start: EngineStart,
  counters: Counters,
  events: EngineEvents,
): EngineThread {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const { promise: ended, resolve } = Promise.withResolvers<EngineEnd>();
  let alertsTaken: Promise<unknown> = Promise.resolve();
  const records = new RecordsTold();
  const alertsByRule = new Map<string, { priority: number; alerts: number }>();
  const end = (outcome: EngineEnd) => {
    // What was handed over before the end is written before the end is told.
    paced.taken.then(() => alertsTaken).then(() => {
      worker.terminate();
      resolve(outcome);
    });
  };
  const cutOff = () => {
    worker.terminate();
    const outcome: EngineEnd = {
      error: isReplay(start.source) ? undefined : "The engine did not stop and was cut off",
      alertsByRule: [...alertsByRule].map(([rule, { priority, alerts }]) =>
        [rule, priority, alerts] as const
      ),
    };
    setTimeout(() => resolve(outcome), CUT_OFF_MS);
    end(outcome);
  };
  const count = (alerts: readonly Alert[]) => {
    for (const { rule, priority } of alerts) {
      const known = alertsByRule.get(rule);
      if (known === undefined) alertsByRule.set(rule, { priority, alerts: 1 });
      else known.alerts++;
    }
  };
  const takeAlerts = (alerts: readonly Alert[]) => {
    count(alerts);
    // Taken in any case: an engine must not wait for what failed.
    alertsTaken = Promise.allSettled([alertsTaken, events.onAlerts(alerts)])
      .then(() => counters.take(alerts.length));
  };
  const paced = new Paced((alerts: PackedAlerts) => takeAlerts(unpackAlerts(alerts, records)));
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    switch (data.kind) {
      case "alerts":
        paced.add(data.alerts);
        break;
      case "tallies":
        events.onTallies?.(data.tallies);
        break;
      case "busy":
        events.onBusy?.(data.window);
        break;
      case "lost":
        events.onLost?.(data.entry);
        break;
      case "runtimes":
        events.onRuntimes?.(data.runtimes);
        break;
      case "plugins":
        events.onPlugins?.(data.plugins);
        break;
      case "ready":
        events.onReady(data);
        break;
      case "reloaded":
        events.onReloaded(data);
        break;
      case "refused":
        events.onReloaded({ error: data.error });
        break;
      case "verdict":
        events.onVerdict?.(data.number, data.verdict);
        break;
      case "notice":
        events.onNotice(data.line, data.level);
        break;
      case "ended":
        end(data.end);
    }
  };
  worker.onmessageerror = () => {
    end({ error: "The engine failed: it sent what cannot be read", alertsByRule: [] });
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end({ error: `The engine failed: ${event.message}`, alertsByRule: [] });
  };
  const post = (message: ToEngine, transfer: Transferable[] = []) =>
    worker.postMessage(message, transfer);
  post({ kind: "start", start });
  return {
    ended,
    reload(rules: RulesStart, settings?: EngineSettings): void {
      post({ kind: "reload", rules, ...(settings === undefined ? {} : { settings }) });
      counters.announceMessage();
    },
    offer(number: number, piece: AuditPiece): void {
      const { bytes } = piece;
      const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      post({ kind: "piece", number, piece: { ...piece, bytes: whole } }, [
        whole.buffer as ArrayBuffer,
      ]);
      counters.announceMessage();
    },
    stop({ timeoutMs, stuckMs }): void {
      counters.stop();
      const askedMs = Date.now();
      const poll = setInterval(() => {
        const nowMs = Date.now();
        const movedMs = Math.max(askedMs, counters.get(Counter.HeartbeatMs));
        if (nowMs - movedMs < stuckMs && nowMs - askedMs < timeoutMs) return;
        clearInterval(poll);
        cutOff();
      }, STOP_POLL_MS);
      ended.finally(() => clearInterval(poll));
    },
  };
}
