// An alert as a case of *_test.yaml (src/rules/tools/scenario.ts): its fields as an event by hand,
// and for what the alert does not tell but the condition asks, values that make it hold, marked as
// assumed. In: an alert, the rules. Out: YAML, and what was assumed.
import { EVENTS } from "../events/table.ts";
import type { FieldLookup } from "../rules/check/operand.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import { visibleLine } from "../words/visible.ts";
import type { AlertValue, PrintedAlert } from "./alert.ts";
import { assumeFor } from "./assume.ts";
import { comment } from "./exception_text.ts";
import { answer, fieldsOf } from "./facts.ts";
import { STANDARD_FIELDS } from "./standard_fields.ts";

export interface TestCase {
  /** A whole file of tests. */
  readonly yaml: string;
  /** Fields whose values the alert does not tell. */
  readonly assumed: readonly string[];
  /** Whether the condition holds with them; else a person has to fill in what is missing. */
  readonly holds: boolean;
}

/** `lookup`: fields of the alert's source; the rule is the alert's. */
export function caseOfAlert(
  alert: PrintedAlert,
  rule: CheckedRule,
  lookup: FieldLookup,
): TestCase {
  const asked = fieldsOf(rule.node);
  const { shown, caller } = viewsOf(alert);
  const told = new Map(
    [...shown].filter(([field]) =>
      (asked.has(field) || STANDARD_FIELDS.includes(field)) && isUseful(field, lookup)
    ),
  );
  const types = typesOf(rule, alert.fields);
  const found = types.map((type) => {
    const facts = derived(told, type, rule.source);
    return { type, facts, assumed: assumeFor(rule.node, facts) };
  }).find(({ assumed }) => assumed !== undefined);
  const type = found?.type ?? types[0] ?? "openat";
  const assumed = new Map(
    [...found?.assumed ?? []].filter(([field, value]) => value !== null && field !== "evt.type"),
  );
  const holds = found !== undefined &&
    answer(rule.node, new Map([...found.facts, ...found.assumed!])) === true;
  const file = rule.info.place.locations[0]?.name ?? "";
  const yaml = [
    comment(
      `Made of ${alert.origin}. To be kept beside ${file || "the rules"}, or added to the cases ` +
        "that are there.",
    ).trimEnd(),
    `rules: [${quotedText(file.slice(file.lastIndexOf("/") + 1))}]`,
    "cases:",
    `  - name: ${quotedText(`${rule.name}: ${nameOf(alert)}`)}`,
    ...rule.source === "syscall" ? [] : [`    source: ${quotedText(rule.source)}`],
    "    events:",
    `      - type: ${type}`,
    "        fields:",
    ...lines(told),
    ...lines(assumed).map((line) => `${line}  # assumed: the alert does not tell`),
    ...caller.size === 0 ? [] : ["        caller:", ...lines(caller)],
    ...holds ? [] : [
      "        # The condition does not hold yet: the alert does not tell all that it asks for.",
    ],
    `    fires: [${quotedText(rule.name)}]`,
    "",
  ].join("\n");
  return { yaml, assumed: [...assumed.keys()], holds };
}

/** Fields under the kernel's view, and those that are others under the caller's. */
function viewsOf({ fields }: PrintedAlert): {
  shown: ReadonlyMap<string, AlertValue>;
  caller: ReadonlyMap<string, AlertValue>;
} {
  const others = [...fields].flatMap(([name, value]) =>
    name.endsWith(".other") && value !== null
      ? [[name.slice(0, -".other".length), value] as const]
      : []
  );
  if (others.length === 0) return { shown: fields, caller: new Map() };
  const other = new Map(others);
  const own = new Map([...fields].filter(([name]) => other.has(name)));
  return fields.get("evt.view") === "caller"
    ? { shown: new Map([...fields, ...other]), caller: own }
    : { shown: fields, caller: other };
}

/** Numbers of processes and times are of that one event; they make no case clearer. */
function isUseful(field: string, lookup: FieldLookup): boolean {
  return !/^evt\.(time|num|rawtime|view|type)|\.other$|pid$/.test(field) &&
    "bound" in lookup.resolve(field);
}

/** What the alert says it is, or else what the rule is tried on, the usual ones first. */
function typesOf(rule: CheckedRule, fields: ReadonlyMap<string, AlertValue>): string[] {
  const type = fields.get("evt.type");
  if (typeof type === "string") return [type];
  if (rule.source !== "syscall") return ["pluginevent"];
  const names = new Set(wantedCodes(rule, rule.source).map((code) => EVENTS[code]!.name));
  const usual = USUAL.filter((name) => names.has(name));
  return [...usual, ...[...names].filter((name) => !usual.includes(name))].slice(0, TYPES_MAX);
}

const USUAL: readonly string[] = [
  ...["openat", "execve", "connect", "unlinkat", "renameat2", "fchmodat"],
];
const TYPES_MAX = 40;

/** What follows from the event itself, as the reader of cases derives it. */
function derived(
  told: ReadonlyMap<string, AlertValue>,
  type: string,
  source: string,
): Map<string, AlertValue> {
  const facts = new Map<string, AlertValue>([...told, ["evt.type", type]]);
  const set = (field: string, value: AlertValue) => {
    if (!facts.has(field)) facts.set(field, value);
  };
  set("evt.source", source);
  set("evt.dir", "<");
  set("evt.num", 1);
  const name = facts.get("fd.name");
  if (typeof name === "string" && name.startsWith("/")) {
    const slash = name.lastIndexOf("/");
    set("fd.directory", name.slice(0, slash) || "/");
    set("fd.filename", name.slice(slash + 1));
    set("fd.nameraw", name);
  }
  const parent = facts.get("proc.pname");
  if (parent !== undefined) set("proc.aname[1]", parent);
  return facts;
}

function nameOf({ fields }: PrintedAlert): string {
  const program = fields.get("proc.exepath") ?? fields.get("proc.name") ??
    fields.get("ka.user.name") ?? "somebody";
  const object = fields.get("fd.name") ?? fields.get("fs.path.name") ??
    fields.get("ka.target.resource");
  return visibleLine(`${program}${object === undefined || object === null ? "" : `, ${object}`}`)
    .slice(0, 120);
}

function lines(fields: ReadonlyMap<string, AlertValue>): string[] {
  return [...fields].filter(([, value]) => value !== null).map(([field, value]) =>
    `          ${/[[\]]/.test(field) ? quotedText(field) : field}: ${
      Array.isArray(value) ? `[${value.map(scalar).join(", ")}]` : scalar(value)
    }`
  );
}

function scalar(value: AlertValue): string {
  return typeof value === "string" ? quotedText(value) : String(value);
}

/** A scalar of YAML that reads as the text: JSON's strings are some. */
function quotedText(text: string): string {
  const isPlain = /^[A-Za-z_/][\w./@+-]*( [\w./@+-]+)*$/.test(text) &&
    !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
