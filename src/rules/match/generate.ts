// The source of a function that judges a condition. Nothing of a rule's text gets into it: it
// consists of `&&`, `||`, `!`, parentheses and numbered table entries.
import type { Context } from "../../state/contract/context.ts";
import type { AtomFunction } from "./atom_functions.ts";
import type { Atom, Node } from "../check/condition.ts";
import { interpretWith } from "./interpret.ts";

export type Judge = (context: Context) => boolean;

/** Deeper or larger conditions are walked instead, lest the engine's own parser overflow. */
const LEVELS_MAX = 200;
const PARTS_MAX = 5_000;

/** The judge of a condition over the functions of its atoms, by their id. */
export function generate(node: Node, functionOf: (atom: Atom) => AtomFunction): Judge {
  const atoms = new Map<number, AtomFunction>();
  const source = sourceOf(node, atoms, functionOf, { parts: 0 }, 0);
  if (source === undefined) return walk(node, functionOf);
  const names = [...atoms.keys()].map((id) => `a${id}`);
  // The names are letters and numbers of our own, see above.
  const make = new Function(...names, `return (c) => ${source};`);
  return make(...atoms.values()) as Judge;
}

/** As `generate`, without generated code. */
export function walk(node: Node, functionOf: (atom: Atom) => AtomFunction): Judge {
  return (context) => interpretWith(node, (atom) => functionOf(atom)(context));
}

function sourceOf(
  node: Node,
  atoms: Map<number, AtomFunction>,
  functionOf: (atom: Atom) => AtomFunction,
  count: { parts: number },
  level: number,
): string | undefined {
  if (level > LEVELS_MAX || ++count.parts > PARTS_MAX) return undefined;
  switch (node.kind) {
    case "true":
    case "false":
      return node.kind;
    case "atom":
      atoms.set(node.atom.id, functionOf(node.atom));
      return `a${node.atom.id}(c)`;
    case "not": {
      const child = sourceOf(node.child, atoms, functionOf, count, level + 1);
      return child === undefined ? undefined : `!(${child})`;
    }
    case "and":
    case "or": {
      const parts: string[] = [];
      for (const child of node.children) {
        const source = sourceOf(child, atoms, functionOf, count, level + 1);
        if (source === undefined) return undefined;
        parts.push(`(${source})`);
      }
      return parts.join(node.kind === "and" ? " && " : " || ");
    }
  }
}
