// Parts of rules that share a bit with others, where there are more parts than bits: the bit holds
// where any of them does. Only such are taken as hold of no thread without a certain check of it:
// those checks are looked up all at once, so that thousands of parts cost one look at each field,
// and few threads have such a bit. In: parts and their atoms; out: the bits that hold.
import type { Value } from "../fields/row/field.ts";
import type { Atom } from "../rules/check/condition.ts";
import { OperandIndex } from "../rules/match/operand_index.ts";
import type { Formula } from "./formula.ts";

/** A part and its bit. */
interface Part {
  readonly formula: Formula;
  readonly bit: number;
}

/** The checks of one field without which no part of them holds. */
interface Field {
  /** Place of one of them. */
  readonly place: number;
  /** Their ids are their places. */
  readonly atoms: Atom[];
  /** Made when it is first asked. */
  index: OperandIndex | undefined;
}

export class SharedParts {
  /** By the place of an atom, the parts that may hold where it does. */
  readonly #byPlace = new Map<number, Part[]>();
  readonly #fields = new Map<string, Field>();

  /** Takes a part, unless it may hold where no check of the thread does; `atoms` by their
   * places. */
  add(formula: Formula, bit: number, atoms: readonly Atom[]): boolean {
    const keys = keysOf(formula);
    if (keys === undefined) return false;
    for (const place of keys) this.#put({ ...atoms[place]!, id: place }, { formula, bit });
    return true;
  }

  #put(atom: Atom, part: Part): void {
    const known = this.#byPlace.get(atom.id);
    if (known !== undefined) {
      known.push(part);
      return;
    }
    this.#byPlace.set(atom.id, [part]);
    const { text } = atom.left;
    const field = this.#fields.get(text);
    if (field === undefined) {
      this.#fields.set(text, { place: atom.id, atoms: [atom], index: undefined });
    } else {
      field.atoms.push(atom);
      field.index = undefined;
    }
  }

  /** Sets the bits that hold of a thread. `read`: what it shows of the field of a place; `holds`:
   * whether a part holds of it. */
  ask(
    facts: Uint32Array,
    read: (place: number) => Value,
    holds: (part: Formula) => boolean,
  ): void {
    for (const field of this.#fields.values()) {
      field.index ??= new OperandIndex(field.atoms);
      for (const place of field.index.holding(read(field.place))) {
        for (const { formula, bit } of this.#byPlace.get(place)!) {
          const word = bit >> 5;
          const mask = 1 << (bit & 31);
          if ((facts[word]! & mask) === 0 && holds(formula)) facts[word]! |= mask;
        }
      }
    }
  }
}

/** Places of atoms of which one must hold where the part does; undefined: it may hold without. */
function keysOf(part: Formula): readonly number[] | undefined {
  switch (part.kind) {
    case "thread":
      return part.negated ? undefined : [part.place];
    case "and":
      return part.parts.map(keysOf).reduce((least, keys) =>
        keys === undefined || least !== undefined && least.length <= keys.length ? least : keys
      );
    case "or": {
      const keys = part.parts.map(keysOf);
      return keys.includes(undefined) ? undefined : [...new Set(keys.flatMap((of) => of!))];
    }
    case "false":
      return [];
    default:
      return undefined;
  }
}
