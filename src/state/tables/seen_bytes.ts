// Arguments and environments that were seen lately: bytes of an event come in, and the same array
// comes out for the same bytes. What processes share is held once, and what is known of an array
// is known of all its like.

/** Arrays that are held, a power of two: a newer one takes an older one's place. */
const PLACES = 1 << 10;
/** Longer ones are copied and not held: Falco's drivers tell no more than 4,096 bytes. */
const BYTES_MAX = 4096;
/** What an array takes in the heap besides its bytes. */
export const ARRAY_BYTES = 200;
export const NO_BYTES: Uint8Array = new Uint8Array(0);

export class SeenBytes {
  /** Bytes of the arrays that were made, until whoever holds them counts anew. */
  copied = 0;
  readonly #places: Uint8Array[] = Array.from({ length: PLACES }, () => NO_BYTES);

  /** `length` bytes at `start` of the view's, as an array that stays; `held` is looked at first. */
  of(view: DataView, bytes: Uint8Array, start: number, length: number, held: Uint8Array) {
    if (length === 0) return NO_BYTES;
    if (isSame(bytes, start, length, held)) return held;
    if (length > BYTES_MAX) return this.copy(bytes, start, length);
    const place = hashOf(view, bytes, start, length) & (PLACES - 1);
    const seen = this.#places[place]!;
    if (isSame(bytes, start, length, seen)) return seen;
    return this.#places[place] = this.copy(bytes, start, length);
  }

  /** The same without a look at what was seen. */
  copy(bytes: Uint8Array, start: number, length: number): Uint8Array {
    this.copied += length + ARRAY_BYTES;
    return bytes.slice(start, start + length);
  }
}

function isSame(bytes: Uint8Array, start: number, length: number, held: Uint8Array): boolean {
  if (length !== held.length) return false;
  let at = 0;
  while (at < length && bytes[start + at] === held[at]) at++;
  return at === length;
}

function hashOf(view: DataView, bytes: Uint8Array, start: number, length: number): number {
  let hash = length;
  let at = start;
  const end = start + length;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x85ebca6b);
  return hash ^ hash >>> 13;
}
