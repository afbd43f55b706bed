// Interned strings: every path, command and name that events carry has one small integer, so
// that equal strings are equal integers and what is known about a string is known once.
//
// Open addressing over the FNV-1a hash of the bytes; a hit compares the bytes.

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The empty string. */
export const EMPTY = 0;
/** No value. */
export const MISSING = -1;

export class Strings {
  /** Strings held, the empty one included. */
  size = 1;
  #slots: Int32Array = new Int32Array(1 << 14);
  #hashes: Int32Array = new Int32Array(1 << 13);
  #starts: Uint32Array = new Uint32Array(1 << 13);
  #bytes: Uint8Array = new Uint8Array(1 << 18);
  #used = 0;
  #texts: (string | undefined)[] = [""];

  /** The id of the bytes from `start` to `end`; equal bytes have equal ids. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length <= 0) return EMPTY;
    let hash = 0x811c9dc5 | 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === 0) return this.#add(bytes, start, end, hash, slot);
      if (this.#hashes[id] === hash && this.#equal(id, bytes, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  internText(text: string): number {
    const bytes = encoder.encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The text of an id, invalid UTF-8 replaced; `undefined` for MISSING. */
  text(id: number): string | undefined {
    if (id < 0) return undefined;
    const known = this.#texts[id];
    if (known !== undefined) return known;
    return this.#texts[id] = decoder.decode(this.bytes(id));
  }

  /** The bytes of an id; a view that the next `intern` may leave stale. */
  bytes(id: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[id]!, this.#starts[id + 1]!);
  }

  #equal(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const from = this.#starts[id]!;
    if (this.#starts[id + 1]! - from !== length) return false;
    const held = this.#bytes;
    for (let at = 0; at < length; at++) if (held[from + at] !== bytes[start + at]) return false;
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.size++;
    this.#slots[slot] = id;
    if (id + 1 >= this.#starts.length) {
      this.#starts = grown(this.#starts, Uint32Array);
      this.#hashes = grown(this.#hashes, Int32Array);
    }
    const length = end - start;
    while (this.#used + length > this.#bytes.length) this.#bytes = grown(this.#bytes, Uint8Array);
    for (let at = 0; at < length; at++) this.#bytes[this.#used + at] = bytes[start + at]!;
    this.#hashes[id] = hash;
    this.#starts[id] = this.#used;
    this.#used += length;
    this.#starts[id + 1] = this.#used;
    this.#texts.push(undefined);
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 1; id < this.size; id++) {
      let slot = this.#hashes[id]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

type Grows = Uint8Array | Uint32Array | Int32Array;

function grown<T extends Grows>(old: T, make: new (length: number) => T): T {
  const larger = new make(old.length * 2);
  larger.set(old as never);
  return larger;
}
