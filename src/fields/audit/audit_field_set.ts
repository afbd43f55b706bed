// All fields of the source k8s_audit: those of every event, `ka.*` of the audit log, and `json.*`
// (`jevt.*` in older rules) of any JSON.
import { queryOf } from "../../audit/decode/go_query.ts";
import { type JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import { compact, indented, textOf } from "../../audit/decode/json_value.ts";
import type { Field, Value } from "../row/field.ts";
import { type FieldOptions, FieldSet, ofEverySource } from "../field_set.ts";
import { field, withArgument } from "../row/row.ts";
import { AuditAtHand } from "./at_hand.ts";
import { containerListFields } from "./container_rows.ts";
import { atKeys, listAt, requestFields, rulesRead, targetPodName } from "./request_rows.ts";
import { indexed, keyed, list, single } from "./rows_of.ts";

export const AUDIT_SOURCE = "k8s_audit";
/** As Falco names what gives the source. */
const AUDIT_PLUGIN = "k8saudit";

export function auditFieldSet(options: Partial<FieldOptions> = {}): FieldSet {
  return new FieldSet(options, auditRows);
}

/** The rows of the source. */
export function auditRows(all: FieldOptions): Field[] {
  const hand = new AuditAtHand();
  return [
    ...ofEverySource(all, {
      source: AUDIT_SOURCE,
      plugin: AUDIT_PLUGIN,
      info: (context) => {
        const tape = hand.json(context);
        return tape && compact(tape, tape.root);
      },
    }),
    ...event(hand),
    ...target(hand),
    ...requestFields(hand),
    ...containerListFields(hand),
    ...response(hand),
    ...json(hand, "json"),
    ...json(hand, "jevt"),
  ];
}

/** Of any source whose events may be JSON. */
export function jsonRows(): Field[] {
  const hand = new AuditAtHand();
  return [...json(hand, "json"), ...json(hand, "jevt")];
}

function event(hand: AuditAtHand): Field[] {
  const note = (name: string, what: string, key: string) =>
    single(hand, `ka.${name}`, what, atKeys("annotations", key));
  return [
    single(hand, "ka.auditid", "Id of the request.", atKeys("auditID")),
    single(hand, "ka.stage", "Stage of the request, such as ResponseComplete.", atKeys("stage")),
    note("auth.decision", "Whether the request was allowed.", "authorization.k8s.io/decision"),
    note("auth.reason", "Why it was allowed or not.", "authorization.k8s.io/reason"),
    note(
      "auth.openshift.decision",
      "What OpenShift decided of the login.",
      "authentication.openshift.io/decision",
    ),
    note(
      "validations.admission.policy.failure",
      "Why an admission policy did not accept the request.",
      "validation.policy.admission.k8s.io/validation_failure",
    ),
    note(
      "security.pod.violations",
      "What in the pod violates the pod security standard.",
      "pod-security.kubernetes.io/audit-violations",
    ),
    note(
      "auth.openshift.username",
      "User who logs in to OpenShift.",
      "authentication.openshift.io/username",
    ),
    single(hand, "ka.user.name", "User who made the request.", atKeys("user", "username")),
    list(hand, "ka.user.groups", "Groups of that user.", listAt("user", "groups")),
    single(
      hand,
      "ka.impuser.name",
      "User whom that user acted as.",
      atKeys("impersonatedUser", "username"),
    ),
    single(hand, "ka.verb", "What is to be done: get, create, delete …", atKeys("verb")),
    single(hand, "ka.uri", "URI of the request.", atKeys("requestURI")),
    keyed(
      hand,
      "ka.uri.param",
      "Value of that parameter in the URI.",
      (tape, key) => {
        const uri = atKeys("requestURI")(tape);
        return typeof uri === "string" ? queryOf(uri)?.get(key) : undefined;
      },
    ),
  ];
}

function target(hand: AuditAtHand): Field[] {
  const of = (name: string, what: string) =>
    single(hand, `ka.target.${name}`, what, atKeys("objectRef", name));
  return [
    of("name", "Name of what the request is about."),
    of("namespace", "Its namespace."),
    of("resource", "Its kind, such as pods."),
    of("subresource", "Which part of it, such as exec."),
    single(
      hand,
      "ka.target.pod.name",
      "Name of the pod that the request is about, as the answer has it.",
      targetPodName,
    ),
  ];
}

function response(hand: AuditAtHand): Field[] {
  return [
    single(
      hand,
      "ka.resp.name",
      "Name of what the answer shows.",
      atKeys("responseObject", "metadata", "name"),
    ),
    single(hand, "ka.response.code", "Code of the answer.", atKeys("responseStatus", "code")),
    single(hand, "ka.response.reason", "Its reason.", atKeys("responseStatus", "reason")),
    single(hand, "ka.useragent", "Program that made the request.", atKeys("userAgent")),
    indexed(
      hand,
      "ka.sourceips",
      "Nothing on real events; json.value[/sourceIPs/0] has the address.",
      rulesRead("sourceIPs"),
    ),
    single(
      hand,
      "ka.cluster.name",
      "Cluster, where an annotation tells it.",
      atKeys("annotations", "cluster_name"),
    ),
  ];
}

function json(hand: AuditAtHand, prefix: "json" | "jevt"): Field[] {
  const same = prefix === "json" ? "" : ` The same as json.*; kept for old rules.`;
  const value = {
    name: `${prefix}.value`,
    type: "CHARBUF" as const,
    description: `Value at that JSON pointer.${same}`,
  };
  return [
    withArgument(prefix, value, { required: true, kinds: ["KEY"] }, (pointer) => {
      const keys = pointer!.replace(/^\//, "").split("/")
        .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
      return { extract: hand.ofJson((tape) => pointed(tape, keys)) };
    }),
    field(prefix, {
      name: `${prefix}.obj`,
      type: "CHARBUF",
      description: `The event as indented JSON.${same}`,
      extract: (context) => {
        const tape = hand.json(context);
        return tape === undefined || !isStrict(tape) ? undefined : indented(tape, tape.root);
      },
    }),
    field(prefix, {
      name: `${prefix}.rawtime`,
      type: "CHARBUF",
      description: `Time of the event in nanoseconds since the epoch.${same}`,
      extract: (context) => hand.json(context) && String(context.event.time()),
    }),
  ];
}

function pointed(tape: JsonTape, keys: readonly string[]): Value {
  let entry = tape.root;
  for (const key of keys) {
    entry = tape.get(entry, key);
    if (entry < 0) return undefined;
  }
  return textOf(tape, entry);
}

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
// deno-lint-ignore no-control-regex
const STRING = /^([^\\"\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*$/;

/** Whether it is JSON by the letter: numbers and escapes are taken more leniently else. */
function isStrict(tape: JsonTape): boolean {
  const { root, nexts, kinds, starts, ends } = tape;
  const end = nexts[root]!;
  for (let entry = root; entry < end; entry++) {
    const kind = kinds[entry]!;
    const wanted = kind === Kind.Number
      ? NUMBER
      : kind === Kind.String || kind === Kind.Key
      ? STRING
      : undefined;
    if (wanted?.test(tape.slice(starts[entry]!, ends[entry]!)) === false) return false;
  }
  return true;
}
