// For tests: a capture through the whole engine, with and without the sieve; what it tells.
import { strictEqual } from "node:assert";
import { formatJson } from "../src/alerts/format/format.ts";
import { JSON_FORMAT } from "../src/alerts/format/format_fixture.ts";
import { NO_RULES } from "../src/engine/captures/compile_filter.ts";
import { Counter, Counters } from "../src/engine/contract/counters.ts";
import type { FromEngine, RulesStart } from "../src/engine/contract/messages.ts";
import { unpackAlerts } from "../src/engine/contract/packed_alerts.ts";
import { startRun } from "../src/engine/thread/run.ts";

/** Rules of a text, each of which may match the same event. */
export function rulesStart(text: string): RulesStart {
  return { ...NO_RULES, files: [{ name: "r.yaml", text }], matching: "all" };
}

export interface RunResult {
  /** The alerts as they are printed. */
  readonly alerts: readonly string[];
  readonly events: number;
  /** Events that were passed over. */
  readonly passed: number;
}

/** Replays captures on this thread. */
export function replayed(
  files: readonly string[],
  rules: RulesStart,
  sieve: boolean,
  paths: "both" | "kernel" | "caller" = "both",
): RunResult {
  const alerts: string[] = [];
  const counters = new Counters();
  const post = (message: FromEngine) => {
    if (message.kind !== "alerts") return;
    const told = unpackAlerts(message.alerts);
    for (const alert of told) alerts.push(formatJson(alert, JSON_FORMAT));
    counters.take(told.length);
  };
  const run = startRun(
    {
      counters: counters.buffer,
      source: { kind: "capture", files },
      rules,
      machine: { paths, threadsMax: 262_144, fdsMax: 4_194_304, hostname: "box" },
      baseSyscalls: { customSet: [], repair: false, all: true },
      drops: { threshold: 1, rate: 1, burst: 1, alert: false, exit: false },
      sieve,
      kernelSieve: false,
      seconds: undefined,
    },
    counters,
    post,
  );
  const end = run.resume();
  run.close();
  if (end?.error !== undefined) throw new Error(end.error);
  return { alerts, events: counters.get(Counter.Events), passed: counters.get(Counter.PassedOver) };
}

/** Holds a replay with the sieve against one without; how many events it passed over. */
export function compare(files: readonly string[], rules: RulesStart, what: string): number {
  return compared(files, rules, what).passed;
}

/** The same; what the replay with the sieve told. */
export function compared(files: readonly string[], rules: RulesStart, what: string): RunResult {
  const without = replayed(files, rules, false);
  const withIt = replayed(files, rules, true);
  const first = without.alerts.findIndex((alert, index) => alert !== withIt.alerts[index]);
  strictEqual(withIt.alerts[first], without.alerts[first], what);
  strictEqual(withIt.alerts.length, without.alerts.length, what);
  strictEqual(withIt.events, without.events, what);
  strictEqual(without.passed, 0, what);
  return withIt;
}
