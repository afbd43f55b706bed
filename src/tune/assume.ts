// What an alert does not tell, made up so that a condition holds: the simplest values that its
// checks name. In: a condition, what the alert tells. Out: values for fields that it lacks.
import type { Atom, Node } from "../rules/check/condition.ts";
import type { AlertValue } from "./alert.ts";
import { answer, atomAnswer, type Facts } from "./facts.ts";

/** Ways that are tried through one condition. */
const STEPS_MAX = 20_000;

/** Values for fields that the facts lack, `null` for none; undefined: no such values were found. */
export function assumeFor(node: Node, facts: Facts): Map<string, AlertValue> | undefined {
  const search = new Search();
  const found = search.make(node, true, new Map(facts));
  if (found === undefined) return undefined;
  return new Map([...found].filter(([field]) => !facts.has(field)));
}

type Told = ReadonlyMap<string, AlertValue>;

class Search {
  #steps = 0;

  /** The facts with more, so that the answer is the wanted one. */
  make(node: Node, wanted: boolean, told: Told): Told | undefined {
    if (this.#steps++ > STEPS_MAX) return undefined;
    const now = answer(node, told);
    if (now !== undefined) return now === wanted ? told : undefined;
    switch (node.kind) {
      case "atom":
        return atomMade(node.atom, wanted, told);
      case "not":
        return this.make(node.child, !wanted, told);
      case "and":
      case "or": {
        if ((node.kind === "and") === wanted) return this.#all(node.children, wanted, told);
        for (const child of simplestFirst(node.children)) {
          const made = this.make(child, wanted, told);
          if (made !== undefined) return made;
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #all(children: readonly Node[], wanted: boolean, told: Told): Told | undefined {
    let made: Told | undefined = told;
    for (const child of simplestFirst(children)) {
      made = this.make(child, wanted, made);
      if (made === undefined) return undefined;
    }
    return made;
  }
}

/** What must be so comes before what must not, and single checks before choices. */
function simplestFirst(nodes: readonly Node[]): Node[] {
  const rank = ({ kind }: Node) => kind === "atom" ? 0 : kind === "not" ? 2 : 1;
  return [...nodes].sort((one, two) => rank(one) - rank(two));
}

function atomMade(atom: Atom, wanted: boolean, told: Told): Told | undefined {
  const fields = [...atom.left.fields, ...atom.right?.fields ?? []];
  const missing = [...new Set(fields.map(({ text }) => text))].filter((text) => !told.has(text));
  if (missing.length === 0) return undefined;
  for (const value of wanted ? valuesFor(atom) : [null, ...valuesFor(atom), "other", 1, false]) {
    const tried = new Map(told);
    for (const field of missing) tried.set(field, value);
    if (atomAnswer(atom, tried) === wanted) return tried;
  }
  return undefined;
}

/** Values that the check may be made for. */
function valuesFor({ constants }: Atom): AlertValue[] {
  const texts = constants.slice(0, CONSTANTS_MAX);
  const plain = texts.map((text) => text.replace(/\*/g, "x").replace(/[?]/g, "x"));
  const numbers = texts.flatMap((text) =>
    /^-?\d+$/.test(text) ? [Number(text), Number(text) + 1, Number(text) - 1] : []
  );
  return [
    ...numbers,
    ...texts.filter((text) => text === "true" || text === "false").map((text) => text === "true"),
    ...plain,
    ...plain.map((text) => `/usr/bin/${text}`),
    ...plain.map((text) => `${text}x`),
    ...plain.map((text) => `${text}/x`),
    ...plain.map((text) => `x${text}`),
    ...[true, false, 1, 0, "x", "/x"],
  ];
}

const CONSTANTS_MAX = 4;
