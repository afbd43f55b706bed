// The classes of values that are made of an array of bytes and a string, such as command lines, by
// both. An array is known by itself: equal arguments are the same array (seen_bytes.ts). In: array
// and string's id, and the class where it was worked out. Out: the class, or that it is unknown.

/** Places that are looked at first, a power of two; a newer value takes an older one's. */
const PLACES = 1 << 8;
/** Longer arrays are held by nobody here: they stand in the map of those that live. */
const BYTES_MAX = 1024;

export const UNKNOWN = -1;

/** What was found last for an array and a string beside it. */
interface Known {
  id: number;
  operandClass: number;
}

export class OriginClasses {
  readonly #arrays: (Uint8Array | undefined)[] = new Array(PLACES).fill(undefined);
  readonly #ids = new Int32Array(PLACES);
  readonly #classes = new Int32Array(PLACES);
  #others = new WeakMap<Uint8Array, Known>();

  get(bytes: Uint8Array, id: number): number {
    const place = placeOf(bytes, id);
    if (this.#arrays[place] === bytes && this.#ids[place] === id) return this.#classes[place]!;
    const known = this.#others.get(bytes);
    return known?.id === id ? known.operandClass : UNKNOWN;
  }

  set(bytes: Uint8Array, id: number, operandClass: number): void {
    if (bytes.length <= BYTES_MAX) {
      const place = placeOf(bytes, id);
      this.#arrays[place] = bytes;
      this.#ids[place] = id;
      this.#classes[place] = operandClass;
    }
    const known = this.#others.get(bytes);
    if (known === undefined) this.#others.set(bytes, { id, operandClass });
    else {
      known.id = id;
      known.operandClass = operandClass;
    }
  }

  /** Ids may stand for other strings from now on. */
  forget(): void {
    this.#arrays.fill(undefined);
    this.#others = new WeakMap();
  }
}

function placeOf(bytes: Uint8Array, id: number): number {
  const { length } = bytes;
  let hash = Math.imul(id, 0x9e3779b1) ^ length;
  if (length > 0) {
    // What differs among like arguments stands in the middle or at the end.
    hash = Math.imul(hash ^ bytes[0]!, 0x85ebca6b);
    hash = Math.imul(hash ^ bytes[length >> 1]!, 0x85ebca6b);
    hash = Math.imul(hash ^ bytes[length < 4 ? 0 : length - 3]!, 0x85ebca6b);
  }
  return (hash ^ hash >>> 15) & (PLACES - 1);
}
