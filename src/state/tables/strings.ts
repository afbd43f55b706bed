// Interned strings: every path, command and name that events carry has one small integer, so
// that equal strings are equal integers and what is known about a string is known once.
//
// Open addressing over a hash of the bytes, four at a time; a hit compares the bytes. The bound is
// kept by a sweep: the owner of the tables says which ids are still held, the others are freed and
// their numbers given out again. Ids that are held never change.

import { bytesOf, rawText } from "../../words/raw_text.ts";

/** The empty string. */
export const EMPTY = 0;
/** No value. */
export const MISSING = -1;

/** Numbers kept of each id, and where they stand; the hash comes first. */
const META = 4;
const START = 1;
const LENGTH = 2;
const STATE = 3;
/** Before the bytes of each string stands its id, so that a sweep can go through them in order. */
const ID_BYTES = 4;
/** Room for bytes at the start; a sweep leaves no less. */
const BYTES_MIN = 1 << 18;
/** Bytes kept of a string besides its own. */
const STRING_OVERHEAD = 48;
/** States of an id; 0: in use until a sweep finds that nobody holds it. */
const PINNED = 1;
const FREE = 2;

export class Strings {
  /** Ids given out so far, the empty string's and freed ones included: every id is below. */
  size = 1;
  /** Strings that are held now. */
  live = 1;
  /** Bytes of the strings that are held now. */
  liveBytes = 0;
  /**
   * Rises when a sweep frees ids. Whoever keeps what it learnt of an id drops it then, since the
   * id may stand for another string; ids from `internText` are never freed.
   */
  generation = 0;

  /** Hash, start, length and state of each id, side by side: one look at memory for a string. */
  #meta: Int32Array = new Int32Array(META << 13);
  #slots: Int32Array = new Int32Array(1 << 14);
  #bytes: Uint8Array = new Uint8Array(BYTES_MIN);
  #view: DataView = new DataView(this.#bytes.buffer);
  #used = 0;
  #texts: (string | undefined)[] = [""];
  #free: number[] = [];
  #source: Uint8Array = this.#bytes;
  #sourceView: DataView = this.#view;

  /** The id of the bytes from `start` to `end`; equal bytes have equal ids. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.#source) this.#bind(bytes);
    return this.internView(this.#sourceView, bytes, start, end);
  }

  /** The same for a caller that has a view of the bytes: they must be the same memory. `like`: an
   * id in use that they probably have, whose bytes are compared before any are hashed. */
  internView(
    view: DataView,
    bytes: Uint8Array,
    start: number,
    end: number,
    like: number = EMPTY,
  ): number {
    const length = end - start;
    if (length <= 0) return EMPTY;
    if (like > 0 && this.#equal(like, view, start, length)) return like;
    let hash = length;
    let at = start;
    for (const whole = end - 3; at < whole; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 16;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = slots[slot]!;
      if (id === 0) return this.#add(bytes, start, end, hash, slot);
      if (this.#meta[id * META] === hash && this.#equal(id, view, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** The id of a text, for constants: it is never freed. */
  internText(text: string): number {
    const id = this.internPassing(text);
    this.#meta[id * META + STATE] = PINNED;
    return id;
  }

  /** As `internText`, but the id may be freed once no table holds it. */
  internPassing(text: string): number {
    const bytes = bytesOf(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The text of an id, its bytes kept (words/raw_text.ts); `undefined` for MISSING. */
  text(id: number): string | undefined {
    if (id < 0) return undefined;
    const known = this.#texts[id];
    if (known !== undefined) return known;
    return this.#texts[id] = rawText(this.bytes(id));
  }

  /** The bytes of an id; a view that the next `intern` may leave stale. */
  bytes(id: number): Uint8Array {
    const start = this.#meta[id * META + START]!;
    return this.#bytes.subarray(start, start + this.#meta[id * META + LENGTH]!);
  }

  /** Length in bytes of an id's string. */
  length(id: number): number {
    return this.#meta[id * META + LENGTH]!;
  }

  /** Copies an id's bytes to `target` at `offset`; returns the offset behind them. */
  copyTo(id: number, target: Uint8Array, offset: number): number {
    const start = this.#meta[id * META + START]!;
    const length = this.#meta[id * META + LENGTH]!;
    const bytes = this.#bytes;
    if (length > 64) target.set(bytes.subarray(start, start + length), offset);
    else for (let at = 0; at < length; at++) target[offset + at] = bytes[start + at]!;
    return offset + length;
  }

  /** The byte of an id's string at `index`, which must be below its length. */
  byteAt(id: number, index: number): number {
    return this.#bytes[this.#meta[id * META + START]! + index]!;
  }

  /**
   * Frees every id that is neither pinned nor marked by `markHeld`, which calls its argument with
   * each id that the tables hold (MISSING and repeats are fine).
   */
  sweep(markHeld: (mark: (id: number) => void) => void): void {
    const held = new Uint8Array(this.size);
    held[EMPTY] = 1;
    markHeld((id) => {
      if (id > 0) held[id] = 1;
    });
    const meta = this.#meta;
    const bytes = this.#bytes;
    const view = this.#view;
    let used = 0;
    // Within the same memory, in the order in which the strings stand there: a copy, or an object
    // for each string, would take more than what is freed.
    for (let at = 0; at < this.#used;) {
      const id = view.getInt32(at, true);
      const length = meta[id * META + LENGTH]!;
      const end = at + ID_BYTES + length;
      if (held[id] === 1 || meta[id * META + STATE] === PINNED) {
        if (used < at) bytes.copyWithin(used, at, end);
        meta[id * META + START] = used + ID_BYTES;
        used += ID_BYTES + length;
      } else {
        meta[id * META + STATE] = FREE;
        this.#texts[id] = undefined;
        this.#free.push(id);
        this.live--;
        this.liveBytes -= length;
      }
      at = end;
    }
    this.#used = used;
    if (used * 4 < bytes.length && bytes.length > BYTES_MIN) this.#shrink();
    this.#slots.fill(0);
    this.#enter(this.#slots);
    this.generation++;
  }

  /** Bytes of memory that the strings take, about: their own, and what is kept of each. */
  get weight(): number {
    return this.liveBytes + this.live * STRING_OVERHEAD;
  }

  #bind(bytes: Uint8Array): void {
    this.#source = bytes;
    this.#sourceView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #equal(id: number, view: DataView, start: number, length: number): boolean {
    if (this.#meta[id * META + LENGTH] !== length) return false;
    const from = this.#meta[id * META + START]!;
    const own = this.#view;
    let at = 0;
    for (const whole = length - 3; at < whole; at += 4) {
      if (own.getInt32(from + at, true) !== view.getInt32(start + at, true)) return false;
    }
    for (; at < length; at++) {
      if (own.getUint8(from + at) !== view.getUint8(start + at)) return false;
    }
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const reused = this.#free.pop();
    const id = reused ?? this.size++;
    this.#slots[slot] = id;
    if (id * META >= this.#meta.length) this.#meta = doubled(this.#meta);
    const length = end - start;
    const needed = this.#used + ID_BYTES + length;
    if (needed > this.#bytes.length) {
      let capacity = this.#bytes.length;
      while (needed > capacity) capacity *= 2;
      const larger = new Uint8Array(capacity);
      larger.set(this.#bytes.subarray(0, this.#used));
      const kept = bytes === this.#bytes;
      this.#replaceBytes(larger);
      if (kept) bytes = larger;
    }
    const own = this.#bytes;
    this.#view.setInt32(this.#used, id, true);
    const used = this.#used + ID_BYTES;
    for (let at = 0; at < length; at++) own[used + at] = bytes[start + at]!;
    const meta = this.#meta;
    meta[id * META] = hash;
    meta[id * META + START] = used;
    meta[id * META + LENGTH] = length;
    meta[id * META + STATE] = 0;
    this.#used = used + length;
    this.live++;
    this.liveBytes += length;
    if (reused === undefined) this.#texts.push(undefined);
    if (this.live * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    return id;
  }

  #replaceBytes(bytes: Uint8Array): void {
    if (this.#source === this.#bytes) this.#bind(bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Gives back what a burst of names took. */
  #shrink(): void {
    let capacity = this.#bytes.length;
    while (capacity > BYTES_MIN && this.#used * 2 < capacity / 2) capacity /= 2;
    const smaller = new Uint8Array(capacity);
    smaller.set(this.#bytes.subarray(0, this.#used));
    this.#replaceBytes(smaller);
  }

  #rehash(capacity: number): void {
    const slots = new Int32Array(capacity);
    this.#enter(slots);
    this.#slots = slots;
  }

  /** Enters all ids in use. */
  #enter(slots: Int32Array): void {
    const mask = slots.length - 1;
    for (let id = 1; id < this.size; id++) {
      if (this.#meta[id * META + STATE] === FREE) continue;
      let slot = this.#meta[id * META]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
  }
}

function doubled(old: Int32Array): Int32Array {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}
