// Rules that name system calls which come live without parameters: whether they can match all the
// same. Such a call is told by the generic event, which knows the call's name and its thread.
import type { Bound } from "../../fields/row/field.ts";
import { EVENTS } from "../../events/table.ts";
import { GENERIC_X } from "../../fields/text/event_names.ts";
import type { Atom, Node, NodeTable } from "../check/condition.ts";
import { codeCount, codesOf, type EventBits } from "../check/event_types.ts";
import type { CheckedRule } from "../check/resolve.ts";
import { NAMED_MAX } from "./compile.ts";
import { decidedByCode, knownOfCode } from "./event_code.ts";
import { Simplifier } from "./simplify.ts";

/** A call that a rule is about and that comes without parameters. */
export interface UnfilledCall {
  /** `evt.type` of it. */
  readonly name: string;
  /** Fields that its condition needs of the event; empty: it can match without. */
  readonly fields: readonly string[];
  /** Fields of the output that stay empty for it, where it can match. */
  readonly shown: readonly string[];
}

/** Codes of the events that a rule names; none where it can match nearly all of them. */
export function namedCodes({ source, events }: CheckedRule): number[] {
  return source !== "syscall" || codeCount(events) > NAMED_MAX ? [] : codesOf(events);
}

/** Asks rule after rule for the calls that come without parameters. */
export class UnfilledSearch {
  readonly #unfilled: ReadonlySet<number>;
  readonly #simplifier: Simplifier;
  /** Unfilled codes by events: many rules have the same. */
  readonly #known = new Map<EventBits, readonly number[]>();

  constructor(nodes: NodeTable, unfilled: ReadonlySet<number>) {
    this.#unfilled = unfilled;
    this.#simplifier = new Simplifier(nodes);
  }

  /** The calls among the rule's events, with what the rule needs of them. */
  callsOf(rule: CheckedRule): UnfilledCall[] {
    return this.#codesOf(rule).flatMap((code) => {
      // What the code decides is lost with it: the generic event has another.
      this.#simplifier.begin(knownOfCode(code));
      const left = this.#simplifier.simplify(rule.node);
      if (left.kind === "false") return [];
      const fields = neededFields(left);
      return [{
        name: EVENTS[code]!.name,
        fields,
        shown: fields.length > 0 ? [] : shown(rule, code),
      }];
    });
  }

  #codesOf(rule: CheckedRule): readonly number[] {
    if (rule.source !== "syscall" || this.#unfilled.size === 0) return [];
    if (codeCount(rule.events) > NAMED_MAX) return this.#impliedCodes(rule);
    let codes = this.#known.get(rule.events);
    if (codes === undefined) {
      codes = namedCodes(rule).filter((code) => this.#unfilled.has(code));
      this.#known.set(rule.events, codes);
    }
    return codes;
  }

  /** Of a rule that names no event: those that its condition allows, where those are few. */
  #impliedCodes(rule: CheckedRule): readonly number[] {
    if (!atomsOf(rule.node).some(({ left }) => left.bound?.ofCode !== undefined)) return [];
    const codes = codesOf(rule.events).filter((code) => {
      this.#simplifier.begin(decidedByCode(code));
      return this.#simplifier.simplify(rule.node).kind !== "false";
    });
    return codes.length > NAMED_MAX ? [] : codes.filter((code) => this.#unfilled.has(code));
  }
}

/** The rule with the generic event among its events where that is enough for all its calls. */
export function withGeneric(rule: CheckedRule, calls: readonly UnfilledCall[]): CheckedRule {
  if (calls.length === 0 || calls.some(({ fields }) => fields.length > 0)) return rule;
  return { ...rule, events: rule.events | 1n << BigInt(GENERIC_X) };
}

function neededFields(node: Node): string[] {
  const bounds = atomsOf(node).flatMap(({ left, right }) => [
    ...left.fields,
    ...right?.fields ?? [],
  ]);
  return [...new Set(bounds.filter(needsEvent).map(({ text }) => text))].sort();
}

/** The atoms of a condition, each once. */
function atomsOf(node: Node): readonly Atom[] {
  const atoms = new Set<Atom>();
  const seen = new Set<Node>();
  const visit = (part: Node): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === "atom") atoms.add(part.atom);
    else if (part.kind === "not") visit(part.child);
    else if (part.kind === "and" || part.kind === "or") part.children.forEach(visit);
  };
  visit(node);
  return [...atoms];
}

/** Fields of the output that the call's own event would have had, and the generic one has not. */
function shown({ format, extraFields }: CheckedRule, code: number): string[] {
  const bounds = [...format.fields, ...extraFields.flatMap(({ format }) => format.fields)];
  const usesFd = EVENTS[code]!.flags.has("uses_fd");
  const lost = bounds.filter((bound) =>
    needsEvent(bound) && (bound.ofCode === undefined || bound.ofCode(code) !== undefined) &&
    (usesFd || !bound.field.name.startsWith("fd."))
  );
  return [...new Set(lost.map(({ text }) => text))];
}

/** Whether a field's value comes from the event's own parameters, or from what it is of. */
function needsEvent({ field: { name, domain } }: Bound): boolean {
  return domain !== "thread" && !OF_ANY_EVENT.test(name);
}

/** Fields that every event has, whatever it tells. */
const OF_ANY_EVENT = new RegExp(
  "^(proc|thread|user|group|container|k8s|static|syscall)\\.|^evt\\." +
    "(dir|type|cpu|num|time|datetime|outputtime|rawtime|reltime|deltatime|latency|pluginname|" +
    "plugininfo|source|is_async|asynctype|hostname)(\\.|$)",
);
