// The class of a descriptor's name: by the name's id and the descriptor's kind, kept.
import type { Context } from "../state/context.ts";
import { ANSWERS_MAX } from "./atom_functions.ts";
import { ClassChain } from "./class_chain.ts";
import type { Atom } from "./condition.ts";

/** Kinds of descriptors, and one for none. */
const KINDS = 32;

export class NameClasses {
  readonly #chain: ClassChain;
  readonly #isEmpty: boolean;
  /** By name id: the class; it holds for the kind of the same place in `#kinds`. */
  #classes: Int32Array = new Int32Array(1 << 10);
  #kinds: Uint8Array = new Uint8Array(1 << 10);

  constructor(atoms: readonly Atom[]) {
    this.#chain = new ClassChain(atoms);
    this.#isEmpty = atoms.length === 0;
  }

  get size(): number {
    return this.#chain.size;
  }

  classOf(context: Context): number {
    if (this.#isEmpty) return 0;
    // 0 marks what is unknown; MISSING (-1) has a place of its own.
    const kind = context.fd === undefined ? KINDS - 1 : context.fd.kind + 1;
    const at = context.fdName + 1;
    if (this.#kinds[at] === kind) return this.#classes[at]!;
    return this.#learn(context, at, kind);
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    this.#kinds.fill(0);
    this.#chain.forgetIds();
  }

  holding(combined: number): number[] {
    return this.#isEmpty ? [] : this.#chain.holding(combined);
  }

  #learn(context: Context, at: number, kind: number): number {
    const found = this.#chain.classOf(context);
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
