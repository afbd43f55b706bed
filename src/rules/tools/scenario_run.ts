// Runs the cases of a file of tests: events by hand through the interpreter, captures and audit
// events through the tables and the compiled rules. Out: what fired, and where a case fails, why.
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import type { Documents } from "../../audit/decode/documents.ts";
import type { AuditInput } from "../../audit/read/audit_input.ts";
import { AuditSource } from "../../audit/read/audit_source.ts";
import { AuditFileInput } from "../../audit/read/file_input.ts";
import type { EventSource } from "../../events/source.ts";
import { inputOf } from "./audit_by_hand.ts";
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

/** What plugins bring to events that are not written by hand. */
export interface RunningPlugins {
  /** Sources whose events captures may hold. */
  readonly sources: readonly string[];
  /** The capture's events of such a source. */
  open(path: string, source: string): EventSource;
  /** The rules, which ask plugins for values of events of that source. */
  rulesOf(source: string): readonly CheckedRule[];
}

/** Runs a case; `capturePath` is where its capture lies, `paths` the views that count there. */
export function runScenario(
  scenario: Scenario,
  loaded: Loaded,
  capturePath: string | undefined,
  paths: Paths,
  plugins?: RunningPlugins,
): ScenarioResult {
  const { rules } = loaded;
  const sources = capturePath === undefined
    ? scenario.audit.length > 0 ? [auditSource(inputOf(scenario.audit))] : []
    : openAll(capturePath, plugins);
  const fired = sources.length === 0
    ? firedByHand(scenario, rules)
    : new Set(sources.flatMap((source) => [
      ...firedIn(source, plugins?.rulesOf(source.source) ?? rules, paths),
    ]));
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

function firedByHand({ events, source: of }: Scenario, all: readonly CheckedRule[]): Set<string> {
  const rules = all.filter(({ source }) => source === of);
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

/** A capture, or an audit log by its name. */
export function openSource(path: string): EventSource & Partial<Documents> {
  if (!/\.jsonl?(\.gz)?$/.test(path)) return new CaptureSource([path]);
  return auditSource(new AuditFileInput([path]));
}

/** The capture's events of every source. */
function openAll(path: string, plugins: RunningPlugins | undefined): EventSource[] {
  const first = openSource(path);
  const others = first instanceof CaptureSource ? plugins?.sources ?? [] : [];
  return [first, ...others.map((source) => plugins!.open(path, source))];
}

function auditSource(input: AuditInput): AuditSource {
  return new AuditSource(input, { eventBytesMax: BATCH_BYTES >> 1, onMalformed() {} });
}

/** Calls `visit` with each event that can match a rule; `false` ends the walk. */
export function walkSource(
  source: EventSource & Partial<Documents>,
  paths: Paths,
  visit: (context: Context) => boolean | void,
): void {
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

function firedIn(
  source: EventSource,
  rules: readonly CheckedRule[],
  paths: Paths,
): Set<string> {
  const set = compileRules(rules.filter((rule) => rule.source === source.source), {
    matching: "all",
    source: source.source,
  });
  const matched = new Int32Array(Math.max(1, set.rules.length));
  const fired = new Set<string>();
  walkSource(source, paths, (context) => {
    const count = set.match(context, matched);
    for (let at = 0; at < count; at++) fired.add(set.rules[matched[at]!]!.name);
  });
  return fired;
}
