// The checked tree: conditions whose fields are known and whose constants are read. Nodes are
// made by a table, so that equal parts of different rules are one node and are judged once.
import type { Bound, Domain, Value } from "../../fields/row/field.ts";
import type { Comparator } from "../../fields/compare/operators.ts";
import type { Subject } from "../../fields/compare/operators_compare.ts";
import type { Literal } from "../../fields/compare/operators_literal.ts";

/** How the values of fields are got: from an event's context, or from a table in a test. */
export type Read = (bound: Bound) => Value;

/** A side of a comparison: a field, or transformers over fields and constants. */
export interface Operand {
  /** In canonical form; equal operands have equal texts. */
  readonly text: string;
  readonly subject: Subject;
  readonly domain: Domain;
  /** Where the operand is a field as it is. */
  readonly bound: Bound | undefined;
  readonly fields: readonly Bound[];
  readonly read: (values: Read) => Value;
}

export interface Atom {
  /** Place in `NodeTable.atoms`. */
  readonly id: number;
  /** In canonical form; equal atoms have equal texts. */
  readonly text: string;
  readonly comparator: Comparator;
  readonly left: Operand;
  /** Constants as they were written and as they were read; empty where `right` is there. */
  readonly constants: readonly string[];
  readonly literals: readonly Literal[];
  readonly right: Operand | undefined;
  readonly domain: Domain;
  /** What it says of two values; `right` is ignored where there are constants. */
  readonly test: (left: Value, right: Value) => boolean;
}

export type Node =
  | { readonly kind: "true" | "false"; readonly id: number }
  | { readonly kind: "atom"; readonly id: number; readonly atom: Atom }
  | { readonly kind: "not"; readonly id: number; readonly child: Node }
  | { readonly kind: "and" | "or"; readonly id: number; readonly children: readonly Node[] };

export class NodeTable {
  /** By id. */
  readonly nodes: Node[] = [];
  readonly atoms: Atom[] = [];
  readonly true: Node;
  readonly false: Node;
  readonly #byKey = new Map<string, Node>();
  readonly #atoms = new Map<string, Node>();

  constructor() {
    this.true = this.#node("T", (id) => ({ kind: "true", id }));
    this.false = this.#node("F", (id) => ({ kind: "false", id }));
  }

  /** The node of the atom with that text; `make` is asked only for new ones. */
  atom(text: string, make: (id: number) => Atom): Node {
    const known = this.#atoms.get(text);
    if (known !== undefined) return known;
    const atom = make(this.atoms.length);
    this.atoms.push(atom);
    const node: Node = { kind: "atom", id: this.nodes.length, atom };
    this.nodes.push(node);
    this.#atoms.set(text, node);
    return node;
  }

  /** The atom of that text. */
  findAtom(text: string): Atom | undefined {
    const node = this.#atoms.get(text);
    return node?.kind === "atom" ? node.atom : undefined;
  }

  /** The node for an atom of another table. */
  atomNode(atom: Atom): Node {
    const known = this.#atoms.get(atom.text);
    if (known !== undefined) return known;
    const node: Node = { kind: "atom", id: this.nodes.length, atom };
    this.nodes.push(node);
    this.#atoms.set(atom.text, node);
    return node;
  }

  not(child: Node): Node {
    if (child.kind === "true") return this.false;
    if (child.kind === "false") return this.true;
    if (child.kind === "not") return child.child;
    return this.#node(`!${child.id}`, (id) => ({ kind: "not", id, child }));
  }

  and(children: readonly Node[]): Node {
    return this.#logic("and", children, this.true, this.false);
  }

  or(children: readonly Node[]): Node {
    return this.#logic("or", children, this.false, this.true);
  }

  /** `unit` changes nothing and goes; `zero` decides the whole. */
  #logic(kind: "and" | "or", children: readonly Node[], unit: Node, zero: Node): Node {
    const kept: Node[] = [];
    const seen = new Set<number>();
    const add = (child: Node): boolean => {
      if (child === zero) return false;
      if (child.kind === kind) return child.children.every(add);
      if (child !== unit && !seen.has(child.id)) {
        seen.add(child.id);
        kept.push(child);
      }
      return true;
    };
    if (!children.every(add)) return zero;
    if (kept.length === 0) return unit;
    if (kept.length === 1) return kept[0]!;
    const key = kind[0] + kept.map((child) => child.id).join(",");
    return this.#node(key, (id) => ({ kind, id, children: kept }));
  }

  #node(key: string, make: (id: number) => Node): Node {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const node = make(this.nodes.length);
    this.nodes.push(node);
    this.#byKey.set(key, node);
    return node;
  }
}
