// The way from an event to the few rules that it can still match. A state is a list of rules with
// what is left of their conditions; it asks one operand, and the class of the answer leads to the
// next state, in which that operand is known. States and ways are made when they are first gone
// and kept. A state without an operand to ask is the end: what is left is asked of the event.
import type { Node } from "../check/condition.ts";
import type { OperandTable } from "./operand_table.ts";
import { PairTable } from "./pair_table.ts";
import type { Simplifier } from "./simplify.ts";

export interface Entry {
  /** The rule's index. */
  readonly rule: number;
  readonly node: Node;
}

export interface State {
  readonly id: number;
  readonly entries: readonly Entry[];
  /** The operand to ask; -1: none. */
  readonly operand: number;
  /** How the entries depend on the operand; made with the first way out. */
  index: StateIndex | undefined;
}

interface StateIndex {
  /** Rules that need one of the operand's atoms to hold, by each of these. */
  readonly guarded: ReadonlyMap<number, readonly Entry[]>;
  /** Rules that name the operand but may hold without any of its atoms. */
  readonly naming: readonly Entry[];
  /** Rules that do not name it. */
  readonly others: readonly Entry[];
}

interface Guard {
  readonly operand: number;
  /** One of these atoms holds wherever the condition does. */
  readonly atoms: ReadonlySet<number>;
}

export class Decision {
  /** The state without rules. */
  readonly nothing: State;
  readonly #operands: OperandTable;
  readonly #simplifier: Simplifier;
  /** Nothing behind a rule that matches for certain is ever asked. */
  readonly #first: boolean;
  readonly #states: State[] = [];
  /** By a hash of the entries. */
  readonly #byHash = new Map<number, State[]>();
  #held = 0;
  readonly #ways = new PairTable();
  /** By number of a way: where it leads. */
  readonly #targets: (State | undefined)[] = [];
  /** By atom id: the pass in which it holds. */
  #holds: Int32Array = new Int32Array(1 << 10);
  #pass = 0;
  readonly #guards: (Guard | null | undefined)[] = [];
  readonly #mentions: (readonly number[] | undefined)[] = [];

  constructor(operands: OperandTable, simplifier: Simplifier, first: boolean) {
    this.#operands = operands;
    this.#simplifier = simplifier;
    this.#first = first;
    this.nothing = this.state([]);
  }

  get states(): number {
    return this.#states.length;
  }

  /** Entries that all states hold together. */
  get held(): number {
    return this.#held;
  }

  get ways(): number {
    return this.#ways.size;
  }

  /** Where a class of the state's operand leads. */
  next(state: State, operandClass: number): State {
    const way = this.#ways.of(state.id, operandClass);
    return this.#targets[way] ??= this.#lead(state, operandClass);
  }

  /** The state of these rules, in order. */
  state(entries: readonly Entry[]): State {
    let kept = entries;
    if (this.#first) {
      const certain = entries.findIndex(({ node }) => node.kind === "true");
      if (certain >= 0 && certain < entries.length - 1) kept = entries.slice(0, certain + 1);
    }
    const hash = hashOf(kept);
    const known = this.#byHash.get(hash);
    const same = known?.find((other) => isSame(other.entries, kept));
    if (same !== undefined) return same;
    const state: State = {
      id: this.#states.length,
      entries: kept,
      operand: this.#choose(kept),
      index: undefined,
    };
    this.#states.push(state);
    this.#held += kept.length;
    if (known === undefined) this.#byHash.set(hash, [state]);
    else known.push(state);
    return state;
  }

  #lead(state: State, operandClass: number): State {
    const { operand } = state;
    const { guarded, naming, others } = state.index ??= this.#indexOf(state);
    const atoms = this.#operands.operands[operand]!.classes.holding(operandClass);
    const pass = ++this.#pass;
    const asked = new Set(naming);
    for (const id of atoms) {
      this.#mark(id, pass);
      for (const entry of guarded.get(id) ?? []) asked.add(entry);
    }
    this.#simplifier.begin((atom) =>
      this.#operands.operandOf(atom) === operand ? this.#holds[atom.id] === pass : undefined
    );
    const left: Entry[] = [];
    for (const { rule, node } of asked) {
      const residual = this.#simplifier.simplify(node);
      if (residual.kind !== "false") left.push({ rule, node: residual });
    }
    if (left.length === 0) return this.state(others);
    return this.state([...others, ...left].sort((one, other) => one.rule - other.rule));
  }

  #mark(id: number, pass: number): void {
    if (id >= this.#holds.length) {
      const larger = new Int32Array(Math.max(id + 1, this.#holds.length * 2));
      larger.set(this.#holds);
      this.#holds = larger;
    }
    this.#holds[id] = pass;
  }

  #indexOf({ entries, operand }: State): StateIndex {
    const guarded = new Map<number, Entry[]>();
    const naming: Entry[] = [];
    const others: Entry[] = [];
    for (const entry of entries) {
      if (!this.#mentionsOf(entry.node).includes(operand)) {
        others.push(entry);
        continue;
      }
      const guard = this.#guardFor(entry.node, operand);
      if (guard === undefined) {
        naming.push(entry);
        continue;
      }
      for (const atom of guard) {
        const known = guarded.get(atom);
        if (known === undefined) guarded.set(atom, [entry]);
        else known.push(entry);
      }
    }
    return { guarded, naming, others };
  }

  /** The operand that settles most at the least cost. */
  #choose(entries: readonly Entry[]): number {
    const { operands } = this.#operands;
    const scores = new Float64Array(operands.length);
    for (const { node } of entries) {
      for (const operand of this.#mentionsOf(node)) scores[operand]! += 1;
      const guard = this.#guardOf(node);
      if (guard !== undefined) scores[guard.operand]! += GUARD_SCORE;
    }
    let best = -1;
    let most = 0;
    for (let operand = 0; operand < scores.length; operand++) {
      const worth = scores[operand]! / operands[operand]!.cost;
      if (worth > most) {
        most = worth;
        best = operand;
      }
    }
    return best;
  }

  /** The operands that a condition names. */
  #mentionsOf(node: Node): readonly number[] {
    return this.#mentions[node.id] ??= this.#computeMentions(node);
  }

  #computeMentions(node: Node): readonly number[] {
    switch (node.kind) {
      case "atom": {
        const operand = this.#operands.operandOf(node.atom);
        return operand < 0 ? NONE : [operand];
      }
      case "not":
        return this.#mentionsOf(node.child);
      case "and":
      case "or": {
        const all = new Set<number>();
        for (const child of node.children) {
          for (const operand of this.#mentionsOf(child)) all.add(operand);
        }
        return [...all];
      }
      default:
        return NONE;
    }
  }

  /** The guard of one operand at the least cost. */
  #guardOf(node: Node): Guard | undefined {
    const known = this.#guards[node.id];
    if (known !== undefined) return known ?? undefined;
    const guard = this.#computeGuard(node);
    this.#guards[node.id] = guard ?? null;
    return guard;
  }

  #computeGuard(node: Node): Guard | undefined {
    switch (node.kind) {
      case "atom": {
        const operand = this.#operands.operandOf(node.atom);
        return operand < 0 ? undefined : { operand, atoms: new Set([node.atom.id]) };
      }
      case "and": {
        let best: Guard | undefined;
        for (const child of node.children) {
          const guard = this.#guardOf(child);
          if (guard !== undefined && (best === undefined || this.#isBetter(guard, best))) {
            best = guard;
          }
        }
        return best;
      }
      case "or": {
        const guards = node.children.map((child) => this.#guardOf(child));
        const operand = guards[0]?.operand;
        if (!guards.every((guard) => guard !== undefined && guard.operand === operand)) {
          return undefined;
        }
        return { operand: operand!, atoms: new Set(guards.flatMap((guard) => [...guard!.atoms])) };
      }
      default:
        return undefined;
    }
  }

  #isBetter(one: Guard, other: Guard): boolean {
    const { operands } = this.#operands;
    // An event's own flags hold for half of all events; texts settle more.
    const rank = ({ operand }: Guard) =>
      operands[operand]!.cost + (operands[operand]!.kind === "event" ? 4 : 0);
    return rank(one) < rank(other);
  }

  /** Atoms of the operand of which one must hold for the condition to. */
  #guardFor(node: Node, operand: number): ReadonlySet<number> | undefined {
    const guard = this.#guardOf(node);
    if (guard?.operand === operand) return guard.atoms;
    if (node.kind !== "and") return undefined;
    for (const child of node.children) {
      const inner = this.#guardOf(child);
      if (inner?.operand === operand) return inner.atoms;
    }
    return undefined;
  }
}

function hashOf(entries: readonly Entry[]): number {
  let hash = entries.length;
  for (const { rule, node } of entries) {
    hash = Math.imul(hash ^ rule, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ node.id, 0x85ebca6b);
  }
  return hash;
}

function isSame(one: readonly Entry[], other: readonly Entry[]): boolean {
  return one.length === other.length &&
    one.every(({ rule, node }, at) => rule === other[at]!.rule && node === other[at]!.node);
}

const NONE: readonly number[] = [];

/** How much more than being named it counts that an operand can rule a rule out. */
const GUARD_SCORE = 3;
