// Pairs of integers as one small integer each, in order of first sight: what keeps combinations of
// classes cheap to look up. Open addressing, no objects.

export class PairTable {
  /** Pairs held; they are numbered from 1. */
  size = 0;
  #slots: Int32Array = new Int32Array(1 << 10);
  #firsts: Int32Array = new Int32Array(1 << 9);
  #seconds: Int32Array = new Int32Array(1 << 9);

  /** The number of a pair. */
  of(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const number = this.#slots[slot]!;
      if (number === 0) return this.#add(first, second, slot);
      if (this.#firsts[number] === first && this.#seconds[number] === second) return number;
      slot = (slot + 1) & mask;
    }
  }

  first(number: number): number {
    return this.#firsts[number]!;
  }

  second(number: number): number {
    return this.#seconds[number]!;
  }

  #add(first: number, second: number, slot: number): number {
    const number = ++this.size;
    this.#slots[slot] = number;
    if (number + 1 >= this.#firsts.length) {
      this.#firsts = doubled(this.#firsts);
      this.#seconds = doubled(this.#seconds);
    }
    this.#firsts[number] = first;
    this.#seconds[number] = second;
    if (number * 2 > this.#slots.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 1; number <= this.size; number++) {
      const hash = (Math.imul(this.#firsts[number]!, 0x9e3779b1) ^
        Math.imul(this.#seconds[number]!, 0x85ebca6b)) >>> 0;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

function doubled(old: Int32Array): Int32Array {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}
