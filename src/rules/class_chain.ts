// The classes of several operands as one class: what is known of a thread, or of a descriptor's
// name, in one small integer.
import type { Context } from "../state/context.ts";
import type { Atom } from "./condition.ts";
import { OperandClasses } from "./operand_classes.ts";
import { PairTable } from "./pair_table.ts";

export class ClassChain {
  readonly #operands: readonly OperandClasses[];
  /** Pairs of the class of the operands so far and that of the next one. */
  readonly #pairs = new PairTable();

  /** `atoms` are all of one domain. */
  constructor(atoms: readonly Atom[]) {
    const groups = new Map<string, Atom[]>();
    for (const atom of atoms) {
      // An atom that compares two fields is a group of its own.
      const key = atom.right === undefined ? atom.left.text : `${atom.text} `;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [atom]);
      else group.push(atom);
    }
    this.#operands = [...groups.values()].map((group) => new OperandClasses(group));
  }

  /** Classes seen so far, those of parts of the chain included. */
  get size(): number {
    return this.#pairs.size;
  }

  /** The class of what the context shows now. */
  classOf(context: Context): number {
    let combined = 0;
    for (const operand of this.#operands) {
      combined = this.#pairs.of(combined, operand.classOf(context));
    }
    return combined;
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    for (const operand of this.#operands) operand.forgetIds();
  }

  /** Ids of the atoms that hold in a class. */
  holding(combined: number): number[] {
    const atoms: number[] = [];
    let left = combined;
    for (let at = this.#operands.length - 1; at >= 0; at--) {
      atoms.push(...this.#operands[at]!.holding(this.#pairs.second(left)));
      left = this.#pairs.first(left);
    }
    return atoms;
  }
}
