// saker's alerts on a capture, as they are printed: from the modules in this process, or from a
// built binary that is given Falco's own arguments.
import { type FormatOptions, WHOLE_JSON } from "../../src/alerts/format/format.ts";
import { compileRules } from "../../src/engine/compile_rules.ts";
import type { RulesStart } from "../../src/engine/contract/messages.ts";
import { BlockWalk, Step } from "../../src/events/blocks.ts";
import { Event } from "../../src/events/event.ts";
import { CaptureSource } from "../../src/events/scap/capture.ts";
import { Context } from "../../src/state/contract/context.ts";
import { createMachine } from "../../src/state/create_machine.ts";
import type { ComparedAlert } from "./alert_stream.ts";
import { comparedAlert, printedAlerts } from "./printed_alerts.ts";

/** The four ways in which the captures' README made Falco's alerts. */
export type Mode = "first" | "all" | "every" | "fields";

/** Where captures and rules lie. */
export interface Places {
  readonly captures: string;
  readonly rules: string;
}

const HOSTNAME = "saker-lab";
const OFFICIAL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
/** Left off in `every`: they ask for domain names. */
const ASK_DNS = [
  "Unexpected inbound connection source",
  "Detect outbound connections to common miner pool ports",
];

function ruleFiles(mode: Mode, { captures, rules }: Places): string[] {
  if (mode === "fields") return [`${captures}/fields_rules.yaml`];
  return OFFICIAL.map((name) => `${rules}/${name}`);
}

export function rulesOf(mode: Mode, places: Places): RulesStart {
  const every = [
    { action: "enable" as const, rule: "*", tag: "" },
    ...ASK_DNS.map((rule) => ({ action: "disable" as const, rule, tag: "" })),
  ];
  return {
    files: ruleFiles(mode, places).map((name) => ({ name, text: Deno.readTextFileSync(name) })),
    priority: 7,
    matching: mode === "first" || mode === "fields" ? "first" : "all",
    selections: mode === "every" ? every : [],
    appendOutput: [{
      match: { source: "", tags: [], rule: "" },
      extraOutput: "",
      extraFields: [],
      suggestedOutput: true,
    }],
    staticFields: {},
    base64: false,
  };
}

const BATCH_BYTES = 1 << 20;

/** Replays a capture in this process. */
export function* alertsInProcess(
  capture: string,
  mode: Mode,
  places: Places,
): Generator<ComparedAlert> {
  const { rules, fdsOrdered } = compileRules(rulesOf(mode, places));
  const format: FormatOptions = {
    ...WHOLE_JSON,
    outputProperty: mode !== "fields",
    messageProperty: false,
  };
  const source = new CaptureSource([capture]);
  const machine = createMachine({
    paths: "caller",
    threadsMax: 262_144,
    fdsMax: 4_194_304,
    hostname: HOSTNAME,
    fdsOrdered,
  });
  const event = new Event();
  const context = new Context(machine, event);
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(BATCH_BYTES);
  const matched = new Int32Array(Math.max(1, rules.rules.length));
  const snapshot = source.snapshot();
  let sequence = 0;
  for (let bytes = snapshot.length, from = snapshot; bytes >= 0; bytes = source.read(buffer)) {
    walk.begin(from, bytes);
    from = buffer;
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.State) machine.load(walk.type, event.bytes, walk.start, walk.end);
      if (step !== Step.Event) continue;
      event.num++;
      machine.apply(context);
      if (event.stateOnly || rules.wanted[event.code] === 0) continue;
      const matches = rules.match(context, matched);
      for (let at = 0; at < matches; at++) {
        const rule = rules.rules[matched[at]!]!;
        yield comparedAlert(rule, context, { hostname: HOSTNAME, sequence: ++sequence }, format);
      }
    }
  }
  source.close();
}

/** Replays a capture with a built binary. */
export async function* alertsOfBinary(
  binary: string,
  capture: string,
  mode: Mode,
  places: Places,
): AsyncGenerator<ComparedAlert> {
  const args = ["-c", `${places.captures}/falco.yaml`, "-o", "engine.kind=replay"];
  args.push("-o", `engine.replay.capture_file=${capture}`, "-o", "json_output=true");
  args.push("-o", "priority=debug");
  for (const file of ruleFiles(mode, places)) args.push("-r", file);
  args.push("-o", `rule_matching=${mode === "first" || mode === "fields" ? "first" : "all"}`);
  if (mode === "every") {
    args.push("-o", "rules[0].enable.rule=*");
    for (const [index, rule] of ASK_DNS.entries()) {
      args.push("-o", `rules[${index + 1}].disable.rule=${rule}`);
    }
  }
  if (mode === "fields") {
    args.push("-o", "json_include_output_property=false", "-o", "base_syscalls.all=true");
  }
  yield* printedAlerts(binary, args, HOSTNAME);
}
