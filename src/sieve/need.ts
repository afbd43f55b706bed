// The necessary condition of a rule on one event code: its checked tree walked with "not" pushed
// down to the atoms, each of which becomes a formula, or "true" where the event's bytes do not
// decide it.
import type { Node } from "../rules/check/condition.ts";
import { knownOfCode } from "../rules/match/event_code.ts";
import type { Known } from "../rules/match/simplify.ts";
import { and, constant, type Formula, or, TRUE } from "./formula.ts";
import { nameFormula } from "./names.ts";
import { numberFormula } from "./numbers.ts";
import type { ThreadAtoms } from "./thread_atoms.ts";

/** The formulas of conditions on one event code; parts that rules share are made once. */
export class Needs {
  readonly #code: number;
  readonly #known: Known;
  readonly #formulas: (Formula | undefined)[] = [];
  readonly #contraries: (Formula | undefined)[] = [];
  readonly #threads: ThreadAtoms | undefined;

  /** `threads`: who tells what holds of threads, if anybody does. */
  constructor(code: number, threads?: ThreadAtoms) {
    this.#code = code;
    this.#threads = threads;
    this.#known = knownOfCode(code);
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
        if (known !== undefined) return constant(known !== negated);
        const number = numberFormula(node.atom, negated, this.#code);
        if (number !== undefined) return number;
        return nameFormula(node.atom, negated, this.#code) ??
          this.#threads?.formulaOf(node.atom, negated) ?? TRUE;
      }
    }
  }
}
