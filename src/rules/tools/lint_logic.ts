// Contradictions in a condition, as far as its outermost `and` shows them: the same field equal to
// two things, or outside of all the values that it must have.
import type { Value } from "../../fields/row/field.ts";
import type { Atom, Node } from "../check/condition.ts";

/** Why the condition can never hold; undefined where nothing says so. */
export function satisfiable(node: Node): string | undefined {
  const parts = node.kind === "and" ? node.children : [node];
  const allowed = new Map<string, { values: ReadonlySet<Value>; text: string }>();
  for (const part of parts) {
    const choice = choicesOf(part);
    if (choice === undefined) continue;
    const known = allowed.get(choice.field);
    if (known === undefined) {
      allowed.set(choice.field, choice);
      continue;
    }
    const common = new Set([...choice.values].filter((value) => known.values.has(value)));
    if (common.size === 0) return `${known.text} and ${choice.text} exclude each other`;
    allowed.set(choice.field, { values: common, text: choice.text });
  }
  for (const part of parts) {
    const denied = part.kind === "not" ? part.child : undefined;
    if (denied !== undefined && parts.includes(denied)) {
      return `it asks for a part and for its opposite${
        denied.kind === "atom" ? `: ${denied.atom.text}` : ""
      }`;
    }
    const refused = denied?.kind === "atom" ? choicesOf(denied) : undefined;
    const wanted = refused && allowed.get(refused.field);
    if (wanted && [...wanted.values].every((value) => refused.values.has(value))) {
      return `${wanted.text} leaves nothing that not ${refused.text} does not exclude`;
    }
  }
  // An `or` is impossible where each of its choices is, given the rest.
  for (const part of parts) {
    if (part.kind !== "or") continue;
    const reasons = part.children.map((choice) => impossible(choice, allowed));
    if (reasons.every((reason) => reason !== undefined)) return reasons[0];
  }
  return undefined;
}

type Allowed = ReadonlyMap<string, { values: ReadonlySet<Value>; text: string }>;

function impossible(node: Node, allowed: Allowed): string | undefined {
  for (const part of node.kind === "and" ? node.children : [node]) {
    const choice = choicesOf(part);
    const known = choice && allowed.get(choice.field);
    if (known && ![...choice.values].some((value) => known.values.has(value))) {
      return `${known.text} and ${choice.text} exclude each other`;
    }
  }
  return undefined;
}

/** The values that a check allows its field, where it is a check of equality. */
function choicesOf(
  node: Node,
): { field: string; values: ReadonlySet<Value>; text: string } | undefined {
  if (node.kind !== "atom") return undefined;
  const { left, comparator, literals, text, right }: Atom = node.atom;
  const { isList, anyOf, bothEnds } = left.subject;
  if (right !== undefined || isList || anyOf || bothEnds || comparator.modifier !== undefined) {
    return undefined;
  }
  if (comparator.operator !== "=" && comparator.operator !== "in") return undefined;
  if (!literals.every((literal) => typeof literal !== "object")) return undefined;
  return { field: left.text, values: new Set(literals as Value[]), text };
}
