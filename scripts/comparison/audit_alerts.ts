// saker's alerts on an audit log, as they are printed: from the modules in this process, or from a
// built binary.
import { type FormatOptions, WHOLE_JSON } from "../../src/alerts/format/format.ts";
import { AuditFileInput } from "../../src/audit/read/file_input.ts";
import { AuditSource } from "../../src/audit/read/audit_source.ts";
import { compileRules } from "../../src/engine/compile_rules.ts";
import type { RulesStart } from "../../src/engine/contract/messages.ts";
import { BlockWalk, Step } from "../../src/events/blocks.ts";
import { Event } from "../../src/events/event.ts";
import { Context } from "../../src/state/contract/context.ts";
import { createMachine } from "../../src/state/create_machine.ts";
import type { ComparedAlert } from "./alert_stream.ts";
import { comparedAlert, printedAlerts } from "./printed_alerts.ts";

/** The ways in which Falco's alerts on the log were made, and the rules of each. */
export const AUDIT_WAYS = {
  first: ["k8s_audit_rules.yaml"],
  all: ["k8s_audit_rules.yaml"],
  enabled: ["k8s_audit_rules.yaml", "enabled.yaml"],
  fields: ["ka-fields-rules.yaml"],
  jevt: ["jevt-fields-rules.yaml"],
  ops: ["ka-ops-rules.yaml"],
  "first-0.17": ["k8s_audit_rules-0.17.0.yaml"],
  "all-0.17": ["k8s_audit_rules-0.17.0.yaml"],
} as const;

export type AuditWay = keyof typeof AUDIT_WAYS;

export interface AuditPlace {
  /** Where the log, Falco's alerts and rules/ are. */
  readonly directory: string;
  /** The log's name, without .jsonl.gz. */
  readonly log: string;
}

const HOSTNAME = "oracle";
const BATCH_BYTES = 1 << 20;
const EVENT_BYTES_MAX = 262_144;

function filesOf(way: AuditWay, { directory }: AuditPlace): string[] {
  return AUDIT_WAYS[way].map((name) => `${directory}/rules/${name}`);
}

function matchingOf(way: AuditWay): "first" | "all" {
  return way.startsWith("first") ? "first" : "all";
}

export function auditRulesOf(way: AuditWay, place: AuditPlace): RulesStart {
  return {
    files: filesOf(way, place).map((name) => ({ name, text: Deno.readTextFileSync(name) })),
    priority: 7,
    matching: matchingOf(way),
    selections: [],
    appendOutput: [],
    staticFields: {},
    base64: false,
  };
}

const FORMAT: FormatOptions = { ...WHOLE_JSON, messageProperty: false };

/** Judges the log in this process. */
export function* auditAlertsInProcess(way: AuditWay, place: AuditPlace): Generator<ComparedAlert> {
  const { auditRules: rules } = compileRules(auditRulesOf(way, place));
  const input = new AuditFileInput([`${place.directory}/${place.log}.jsonl.gz`]);
  const source = new AuditSource(input, { eventBytesMax: EVENT_BYTES_MAX, onMalformed() {} });
  const machine = createMachine({
    paths: "caller",
    threadsMax: 1,
    fdsMax: 1,
    hostname: HOSTNAME,
  });
  const event = new Event();
  const context = new Context(machine, event);
  context.documents = source;
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(BATCH_BYTES);
  const matched = new Int32Array(Math.max(1, rules.rules.length));
  let sequence = 0;
  for (let bytes = source.read(buffer); bytes >= 0; bytes = source.read(buffer)) {
    walk.begin(buffer, bytes);
    while (walk.next() === Step.Event) {
      event.num++;
      machine.apply(context);
      const matches = rules.match(context, matched);
      for (let at = 0; at < matches; at++) {
        const rule = rules.rules[matched[at]!]!;
        yield comparedAlert(rule, context, { hostname: HOSTNAME, sequence: ++sequence }, FORMAT);
      }
    }
  }
  source.close();
}

/** Judges the log with a built binary. */
export async function* auditAlertsOfBinary(
  binary: string,
  way: AuditWay,
  place: AuditPlace,
): AsyncGenerator<ComparedAlert> {
  const args = ["replay", "-o", "json_output=true", "-o", "priority=debug"];
  args.push("-o", `rule_matching=${matchingOf(way)}`);
  for (const file of filesOf(way, place)) args.push("-r", file);
  args.push(`${place.directory}/${place.log}.jsonl.gz`);
  yield* printedAlerts(binary, args, HOSTNAME);
}
