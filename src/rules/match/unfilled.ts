// Rules that name system calls which come live without parameters: whether they can match all the
// same. Such a call is told by the generic event, which knows the call's name and its thread.
import type { Bound } from "../../fields/row/field.ts";
import { EVENTS } from "../../events/table.ts";
import { GENERIC_X } from "../../fields/text/event_names.ts";
import type { Node, NodeTable } from "../check/condition.ts";
import { codeCount, codesOf, type EventBits } from "../check/event_types.ts";
import type { CheckedRule } from "../check/resolve.ts";
import { NAMED_MAX } from "./compile.ts";
import { knownOfCode } from "./event_code.ts";
import { Simplifier } from "./simplify.ts";

/** A call that a rule names and that comes without parameters. */
export interface UnfilledCall {
  /** `evt.type` of it. */
  readonly name: string;
  /** Fields that its condition needs of the event; empty: it can match without. */
  readonly fields: readonly string[];
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
      this.#simplifier.begin(knownOfCode(code));
      const left = this.#simplifier.simplify(rule.node);
      return left.kind === "false"
        ? []
        : [{ name: EVENTS[code]!.name, fields: neededFields(left) }];
    });
  }

  #codesOf(rule: CheckedRule): readonly number[] {
    if (rule.source !== "syscall") return [];
    let codes = this.#known.get(rule.events);
    if (codes === undefined) {
      codes = namedCodes(rule).filter((code) => this.#unfilled.has(code));
      this.#known.set(rule.events, codes);
    }
    return codes;
  }
}

/** The rule with the generic event among its events where that is enough for all its calls. */
export function withGeneric(rule: CheckedRule, calls: readonly UnfilledCall[]): CheckedRule {
  if (calls.length === 0 || calls.some(({ fields }) => fields.length > 0)) return rule;
  return { ...rule, events: rule.events | 1n << BigInt(GENERIC_X) };
}

function neededFields(node: Node): string[] {
  const names = new Set<string>();
  const visit = (part: Node): void => {
    if (part.kind === "atom") {
      for (const bound of [...part.atom.left.fields, ...part.atom.right?.fields ?? []]) {
        if (needsEvent(bound)) names.add(bound.text);
      }
    } else if (part.kind === "not") visit(part.child);
    else if (part.kind === "and" || part.kind === "or") part.children.forEach(visit);
  };
  visit(node);
  return [...names].sort();
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
