// Chance that can be repeated: a seed comes in, the same numbers and the same damage come out.

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, not including, `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296 * limit);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** The bytes with a few of them changed, cut out, doubled or put elsewhere. */
  damaged(bytes: Uint8Array): Uint8Array {
    let result: Uint8Array = bytes.slice();
    for (let count = 1 + this.below(6); count > 0 && result.length > 1; count--) {
      const at = this.below(result.length);
      const length = 1 + this.below(Math.min(64, result.length - at));
      switch (this.below(6)) {
        case 0:
          result[at] = this.below(256);
          break;
        case 1:
          result[at] = result[at]! ^ (1 << this.below(8));
          break;
        case 2:
          result.fill(this.of([0, 0xff, 0x7f, 0x80]), at, at + length);
          break;
        case 3:
          result = joined(result.subarray(0, at), result.subarray(at + length));
          break;
        case 4:
          result = joined(result.subarray(0, at + length), result.subarray(at));
          break;
        default:
          result = result.slice(0, Math.max(1, at));
      }
    }
    return result;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
