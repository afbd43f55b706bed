// The class of what the rules say of a descriptor's name, for one operand: kept by the name's id,
// for the kind of descriptor that it was learnt of.
import type { Context } from "../../state/contract/context.ts";
import { ANSWERS_MAX } from "./atom_functions.ts";
import type { OperandClasses } from "./operand_classes.ts";

/** Stands for the kind of no descriptor; kinds themselves count from 1 here, 0 is unknown. */
const NO_DESCRIPTOR = 255;

export class NameClasses {
  readonly #operand: OperandClasses;
  /** By name id and 1, so that MISSING has a place. */
  #classes: Int32Array = new Int32Array(1 << 10);
  #kinds: Uint8Array = new Uint8Array(1 << 10);

  constructor(operand: OperandClasses) {
    this.#operand = operand;
  }

  classOf(context: Context): number {
    const kind = context.fd === undefined ? NO_DESCRIPTOR : context.fd.kind + 1;
    const at = context.fdName + 1;
    if (this.#kinds[at] === kind) return this.#classes[at]!;
    return this.#learn(context, at, kind);
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    this.#kinds.fill(0);
  }

  #learn(context: Context, at: number, kind: number): number {
    const found = this.#operand.classOf(context);
    if (at >= this.#kinds.length && at < ANSWERS_MAX) {
      const length = Math.max(this.#kinds.length * 2, at + 1);
      const classes = new Int32Array(length);
      classes.set(this.#classes);
      this.#classes = classes;
      const kinds = new Uint8Array(length);
      kinds.set(this.#kinds);
      this.#kinds = kinds;
    }
    if (at < this.#kinds.length) {
      this.#classes[at] = found;
      this.#kinds[at] = kind;
    }
    return found;
  }
}
