// The engine's thread: waits for the start message, then runs until the engine ends. It returns
// to its message loop only when the main thread announces a message.
import { Counters } from "../contract/counters.ts";
import { driverErrorLine } from "../host/driver_error.ts";
import type { EngineEnd, EngineSettings, FromEngine, ToEngine } from "../contract/messages.ts";
import { startAuditRun } from "./audit_run.ts";
import { startPluginRun } from "./plugin_run.ts";
import type { Run } from "./run_parts.ts";
import { startRun } from "./run.ts";
import { catchStrays } from "../contract/strays.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToEngine>) => void) | null;
  postMessage(message: FromEngine): void;
}

const scope = self as unknown as WorkerScope;
const running: { run: Run | undefined; settings: EngineSettings | undefined } = {
  run: undefined,
  settings: undefined,
};

catchStrays((failure) => {
  const line = `Warning: a mistake in saker: ${failure}`;
  scope.postMessage({ kind: "notice", line, level: "warning" });
});

/** By what is to be judged. */
const RUNS = {
  live: startRun,
  capture: startRun,
  nothing: startRun,
  audit: startAuditRun,
  plugin: startPluginRun,
  raw: startRun,
};

scope.onmessage = ({ data }) => {
  try {
    if (data.kind === "start") {
      const counters = new Counters(data.start.counters);
      running.settings = data.start;
      running.run = RUNS[data.start.source.kind](
        data.start,
        counters,
        (message) => scope.postMessage(message),
      );
    } else if (data.kind === "piece") {
      running.run?.offer?.(data.number, data.piece);
    } else {
      running.settings = data.settings ?? running.settings;
      running.run?.reload(data.rules, running.settings!);
    }
    resume();
  } catch (error) {
    finish({ error: driverErrorLine(error), alertsByRule: [] });
  }
};

/** Runs the engine until it ends, or until there is a message to come back for. */
function resume(): void {
  const end = running.run?.resume();
  if (end !== undefined) finish(end);
}

function finish(end: EngineEnd): void {
  running.run?.close();
  running.run = undefined;
  scope.postMessage({ kind: "ended", end });
}
