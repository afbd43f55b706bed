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
  readonly #formulas: (Formula | undefined)[] = [];
  readonly #contraries: (Formula | undefined)[] = [];

  /** Without codes: of events of any. */
  constructor(codes: readonly number[], leaf: Leaf) {
    const [known = () => undefined, ...others] = codes.map(decidedByCode);
    this.#known = (atom) => {
      const holds = known(atom);
      return others.every((other) => other(atom) === holds) ? holds : undefined;
    };
    this.#leaf = leaf;
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
    );
  }
}
