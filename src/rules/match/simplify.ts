// A condition with some of its atoms known: what is left to ask. Three-valued logic in which
// "unknown" is the part of the tree that decides.
import type { Atom, Node, NodeTable } from "../check/condition.ts";

/** An atom's answer; undefined: not known yet. */
export type Known = (atom: Atom) => boolean | undefined;

/** The nodes of `table` that are left of conditions; one pass shares what equal parts gave. */
export class Simplifier {
  readonly #table: NodeTable;
  /** By node id: what is left of it in the present pass. */
  #left: Node[] = [];
  #passes: Int32Array = new Int32Array(1 << 12);
  #pass = 0;
  #known: Known = () => undefined;

  constructor(table: NodeTable) {
    this.#table = table;
  }

  /** Begins a pass in which these atoms are known. */
  begin(known: Known): void {
    this.#pass++;
    this.#known = known;
  }

  /** What is left of a node of the table. */
  simplify(node: Node): Node {
    const { id } = node;
    if (this.#passes[id] === this.#pass) return this.#left[id]!;
    const left = this.#compute(node);
    if (id >= this.#passes.length) {
      const larger = new Int32Array(Math.max(id + 1, this.#passes.length * 2));
      larger.set(this.#passes);
      this.#passes = larger;
    }
    this.#passes[id] = this.#pass;
    this.#left[id] = left;
    return left;
  }

  #compute(node: Node): Node {
    const table = this.#table;
    switch (node.kind) {
      case "true":
      case "false":
        return node;
      case "atom": {
        const known = this.#known(node.atom);
        return known === undefined ? node : known ? table.true : table.false;
      }
      case "not": {
        const child = this.simplify(node.child);
        return child === node.child ? node : table.not(child);
      }
      case "and":
      case "or": {
        const zero = node.kind === "and" ? table.false : table.true;
        const unit = node.kind === "and" ? table.true : table.false;
        const children: Node[] = [];
        let changed = false;
        for (const child of node.children) {
          const left = this.simplify(child);
          if (left === zero) return zero;
          if (left !== child) changed = true;
          if (left !== unit) children.push(left);
        }
        if (!changed) return node;
        return node.kind === "and" ? table.and(children) : table.or(children);
      }
    }
  }
}

/** Nodes of another table as nodes of this one. */
export class Adoption {
  readonly #table: NodeTable;
  readonly #adopted: Node[] = [];

  constructor(table: NodeTable) {
    this.#table = table;
  }

  adopt(node: Node): Node {
    return this.#adopted[node.id] ??= this.#make(node);
  }

  #make(node: Node): Node {
    switch (node.kind) {
      case "true":
        return this.#table.true;
      case "false":
        return this.#table.false;
      case "atom":
        return this.#table.atomNode(node.atom);
      case "not":
        return this.#table.not(this.adopt(node.child));
      case "and":
        return this.#table.and(node.children.map((child) => this.adopt(child)));
      case "or":
        return this.#table.or(node.children.map((child) => this.adopt(child)));
    }
  }
}
