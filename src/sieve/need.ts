// The necessary condition of a rule on one event code: its checked tree walked with "not" pushed
// down to the atoms, each of which becomes a formula, or "true" where the event's bytes do not
// decide it.
import type { Atom, Node } from "../rules/check/condition.ts";
import { decidedByCode } from "../rules/match/event_code.ts";
import type { Known } from "../rules/match/simplify.ts";
import { endFormula, type EndSets } from "./ends.ts";
import { and, constant, type Formula, or, TRUE } from "./formula.ts";
import { nameFormula } from "./names.ts";
import { numberFormula } from "./numbers.ts";
import { protocolFormula } from "./protocols.ts";

/** What is known of an atom, or of its contrary, as a formula. */
export type Leaf = (atom: Atom, negated: boolean) => Formula;

/** The formulas of conditions on events of some codes; parts that rules share are made once. */
export class FormulaMaker {
  readonly #known: Known;
  readonly #leaf: Leaf;
  readonly #isUndecided: (node: Node) => boolean;
  readonly #formulas: (Formula | undefined)[] = [];
  readonly #contraries: (Formula | undefined)[] = [];

  /** Without codes: of events of any. `isUndecided`: both the node and its contrary are known to be
   * "true" here. */
  constructor(
    codes: readonly number[],
    leaf: Leaf,
    isUndecided: (node: Node) => boolean = () => false,
  ) {
    const [known = () => undefined, ...others] = codes.map(decidedByCode);
    this.#known = (atom) => {
      const holds = known(atom);
      return others.every((other) => other(atom) === holds) ? holds : undefined;
    };
    this.#leaf = leaf;
    this.#isUndecided = isUndecided;
  }

  /** Holds for every event of the code for which the condition holds. */
  of(node: Node): Formula {
    return this.#of(node, false);
  }

  #of(node: Node, negated: boolean): Formula {
    const kept = negated ? this.#contraries : this.#formulas;
    return kept[node.id] ??= this.#make(node, negated);
  }

  #make(node: Node, negated: boolean): Formula {
    if (this.#isUndecided(node)) return TRUE;
    switch (node.kind) {
      case "true":
      case "false":
        return constant((node.kind === "true") !== negated);
      case "not":
        return this.#of(node.child, !negated);
      case "and":
      case "or": {
        const parts = node.children.map((child) => this.#of(child, negated));
        return (node.kind === "and") !== negated ? and(parts) : or(parts);
      }
      case "atom": {
        const known = this.#known(node.atom);
        return known !== undefined ? constant(known !== negated) : this.#leaf(node.atom, negated);
      }
    }
  }
}

/** What is known of sockets. */
export interface OfSockets {
  /** Their protocols, from the events that made them. */
  readonly protocols?: boolean;
  /** Where calls lead them; the sets of addresses and ports that rules ask for. */
  readonly ends?: EndSets;
}

/** What the event itself must be, as far as its bytes tell. */
export class Needs extends FormulaMaker {
  constructor(code: number, { protocols, ends }: OfSockets = {}) {
    super(
      [code],
      (atom, negated) =>
        (protocols ? protocolFormula(atom, negated, code) : undefined) ??
          (ends && endFormula(atom, negated, code, ends)) ??
          numberFormula(atom, negated, code) ?? nameFormula(atom, negated, code) ?? TRUE,
      asksNothing,
    );
  }
}

/** Fields of which bytes or the code of some event tell. */
const OF_EVENTS = /^(evt|fd|fs|syscall)\./;
/** Nodes that are asked about for many event codes. */
const nothing = new WeakMap<Node, boolean>();

/** Whether no event's bytes or code decide any part of a condition, whatever its code. */
function asksNothing(node: Node): boolean {
  let known = nothing.get(node);
  if (known === undefined) nothing.set(node, known = findNothing(node));
  return known;
}

function findNothing(node: Node): boolean {
  switch (node.kind) {
    case "true":
    case "false":
      return false;
    case "not":
      return asksNothing(node.child);
    case "and":
    case "or":
      return node.children.every(asksNothing);
    case "atom": {
      const { left: { text, bound }, right } = node.atom;
      if (right !== undefined || bound === undefined) return true;
      return !OF_EVENTS.test(text) && bound.ofCode === undefined;
    }
  }
}
