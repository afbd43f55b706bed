// What an alert tells of its event, as conditions ask for it: three answers, since an alert shows
// a few fields only. In: an alert's fields, a condition. Out: whether it holds, or that nobody
// knows.
import type { Bound, Value } from "../fields/row/field.ts";
import type { Atom, Node } from "../rules/check/condition.ts";
import { interpretAtom, openAnswer } from "../rules/match/interpret.ts";
import { valueOf } from "../rules/tools/hand_event.ts";
import type { AlertValue, PrintedAlert } from "./alert.ts";

/** By field; a field that is not there is unknown. */
export type Facts = ReadonlyMap<string, AlertValue>;

export type Answer = boolean | undefined;

/** What an alert shows, view by view (docs/views.md): the one it is about, then the other one. */
export function factsOf({ fields }: PrintedAlert): readonly Facts[] {
  const shown = derived(fields);
  const others = [...fields].filter(([name, value]) => name.endsWith(".other") && value !== null);
  if (others.length === 0) return [shown];
  const second = new Map(fields);
  for (const [name, value] of others) {
    const of = name.slice(0, -".other".length);
    second.set(of, value);
    if (of === "fd.name") {
      for (const part of ["fd.directory", "fd.filename"]) second.delete(part);
    }
  }
  return [shown, derived(second)];
}

function derived(fields: ReadonlyMap<string, AlertValue>): Facts {
  const facts = new Map(fields);
  const set = (field: string, value: AlertValue | undefined) => {
    if (value !== undefined && !facts.has(field)) facts.set(field, value);
  };
  const name = fields.get("fd.name");
  if (typeof name === "string" && name.startsWith("/")) {
    const slash = name.lastIndexOf("/");
    set("fd.directory", name.slice(0, slash) || "/");
    set("fd.filename", name.slice(slash + 1));
  }
  for (const part of ["name", "exe", "exepath", "cmdline"]) {
    set(`proc.p${part}`, fields.get(`proc.a${part}[1]`));
    set(`proc.a${part}[1]`, fields.get(`proc.p${part}`));
  }
  return facts;
}

/** Whether the condition holds; undefined where that hangs on a field that the facts lack. */
export function answer(node: Node, facts: Facts): Answer {
  const ofAtom = (atom: Atom) => atomAnswer(atom, facts);
  const ofPart = (part: Node): Answer => openAnswer(part, ofAtom, ofPart);
  return ofPart(node);
}

export function atomAnswer(atom: Atom, facts: Facts): Answer {
  const bounds = [...atom.left.fields, ...atom.right?.fields ?? []];
  if (bounds.some((bound) => !isTold(bound, facts))) return undefined;
  return interpretAtom(atom, (bound) => valueIn(facts, bound));
}

/** Whether the alert shows what conditions would compare. */
function isTold(bound: Bound, facts: Facts): boolean {
  const shown = facts.get(bound.text);
  if (shown === undefined) return false;
  if (shown === null) return true;
  // Shortened, or put together, for outputs.
  if (bound.show !== undefined && !SHOWN_WHOLE.test(bound.text)) return isUncut(bound.text, shown);
  return valueIn(facts, bound) !== undefined;
}

/** Of parameters only bytes are shown in another form than conditions have them. */
const SHOWN_WHOLE = /^evt\.(res$|arg\.(?!data\b))/;

/** Command lines are shown up to a length: those that are shorter are whole. */
function isUncut(field: string, shown: AlertValue): boolean {
  return /^proc\.p?(cmdline|args)$|^proc\.(acmdline|birth\.cmdline)\[\d+\]$/.test(field) &&
    typeof shown === "string" && shown.length < LINE_CUT;
}

const LINE_CUT = 200;

function valueIn(facts: Facts, bound: Bound): Value {
  const value = facts.get(bound.text);
  if (value === undefined || value === null) return undefined;
  const isList = bound.isList || bound.anyOf || bound.field.flags.has("both_ends");
  if (Array.isArray(value)) {
    return isList ? value.map((one) => valueOf(String(one), bound)) : undefined;
  }
  const one = valueOf(String(value), bound);
  return isList && one !== undefined ? [one] : one;
}

/** Names of the fields that a condition asks for, with their arguments. */
export function fieldsOf(node: Node): Set<string> {
  const fields = new Set<string>();
  const visit = (one: Node): void => {
    if (one.kind === "atom") {
      for (const { text } of [...one.atom.left.fields, ...one.atom.right?.fields ?? []]) {
        fields.add(text);
      }
    } else if (one.kind === "not") visit(one.child);
    else if (one.kind === "and" || one.kind === "or") one.children.forEach(visit);
  };
  visit(node);
  return fields;
}
