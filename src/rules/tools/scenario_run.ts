// Runs the cases of a file of tests: events by hand through the interpreter, captures through the
// tables and the compiled rules. Out: what fired, and where a case fails, why.
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { CaptureSource } from "../../events/scap/capture.ts";
import { Context } from "../../state/contract/context.ts";
import type { MachineOptions } from "../../state/contract/machine_host.ts";
import { createMachine } from "../../state/create_machine.ts";
import { compileRules, wantedCodes } from "../match/compile.ts";
import { explain } from "./explain.ts";
import { viewsOf } from "./hand_event.ts";
import { interpret } from "../match/interpret.ts";
import type { Loaded } from "../load.ts";
import type { CheckedRule } from "../check/resolve.ts";
import type { Scenario } from "./scenario.ts";

/** The setting engine.paths. */
export type Paths = MachineOptions["paths"];

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly fired: ReadonlySet<string>;
  /** Empty where the case holds. */
  readonly failures: readonly string[];
}

/** Runs a case; `capturePath` is where its capture lies, `paths` the views that count there. */
export function runScenario(
  scenario: Scenario,
  loaded: Loaded,
  capturePath: string | undefined,
  paths: Paths,
): ScenarioResult {
  const { rules } = loaded;
  const fired = capturePath === undefined
    ? firedByHand(scenario, rules)
    : firedInCapture(capturePath, rules, paths);
  const failures: string[] = [];
  for (const name of scenario.fires) {
    if (!fired.has(name)) failures.push(`"${name}" did not fire${why(name, scenario, loaded)}`);
  }
  const forbidden = scenario.quiet === "others"
    ? [...fired].filter((name) => !scenario.fires.includes(name))
    : scenario.quiet.filter((name) => fired.has(name));
  for (const name of forbidden) failures.push(`"${name}" fired`);
  return { scenario, fired, failures };
}

function firedByHand({ events }: Scenario, rules: readonly CheckedRule[]): Set<string> {
  const fired = new Set<string>();
  for (const event of events) {
    const views = viewsOf(event);
    for (const rule of rules) {
      if (!wantedCodes(rule, rule.source).includes(event.code)) continue;
      if (views.some(({ read }) => interpret(rule.node, read))) fired.add(rule.name);
    }
  }
  return fired;
}

function why(name: string, { events }: Scenario, loaded: Loaded): string {
  const rule = loaded.rules.find((known) => known.name === name);
  const event = events[0];
  if (rule === undefined || event === undefined) return "";
  const text = explain(rule, loaded.resolved, event.code, viewsOf(event));
  return `:\n${text.replace(/^/gm, "      ")}`;
}

/** Threads and descriptors that a test's capture may have. */
const TABLE_MAX = 1 << 18;
const BATCH_BYTES = 1 << 20;

/** Calls `visit` with each event of a capture that can match a rule; `false` ends the walk. */
export function walkCapture(
  path: string,
  paths: Paths,
  visit: (context: Context) => boolean | void,
): void {
  const source = new CaptureSource([path]);
  try {
    const machine = createMachine({
      paths,
      threadsMax: TABLE_MAX,
      fdsMax: TABLE_MAX,
      hostname: "localhost",
    });
    const event = new Event();
    const context = new Context(machine, event);
    const walk = new BlockWalk(event);
    const buffer = new Uint8Array(BATCH_BYTES);
    const snapshot = source.snapshot();
    for (let bytes = snapshot.length, from = snapshot; bytes >= 0; bytes = source.read(buffer)) {
      walk.begin(from, bytes);
      from = buffer;
      for (let step = walk.next(); step !== Step.End; step = walk.next()) {
        if (step === Step.State) machine.load(walk.type, event.bytes, walk.start, walk.end);
        if (step !== Step.Event) continue;
        event.num++;
        machine.apply(context);
        if (!event.stateOnly && visit(context) === false) return;
      }
    }
  } finally {
    source.close();
  }
}

function firedInCapture(
  path: string,
  rules: readonly CheckedRule[],
  paths: Paths,
): Set<string> {
  const set = compileRules(rules.filter(({ source }) => source === "syscall"), {
    matching: "all",
    source: "syscall",
  });
  const matched = new Int32Array(Math.max(1, set.rules.length));
  const fired = new Set<string>();
  walkCapture(path, paths, (context) => {
    const count = set.match(context, matched);
    for (let at = 0; at < count; at++) fired.add(set.rules[matched[at]!]!.name);
  });
  return fired;
}
