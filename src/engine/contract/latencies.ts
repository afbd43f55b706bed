// How long things took: milliseconds come in, a histogram of bounded size keeps them, percentiles
// go out. It lies over memory that another thread may read; each has one writer.

/** Buckets of one doubling; a percentile is at most a twelfth too high. */
const STEPS = 8;
/** From a sixteenth of a millisecond to more than an hour; beyond, the last bucket. */
const DOUBLINGS_BELOW_1 = 4;
const DOUBLINGS_ABOVE_1 = 22;
const BUCKETS = STEPS * (DOUBLINGS_BELOW_1 + DOUBLINGS_ABOVE_1) + 1;
/** Behind the buckets: the sum in milliseconds. */
const SUM = BUCKETS;

export const LATENCY_NUMBERS = BUCKETS + 1;

export class Latencies {
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array = new Float64Array(LATENCY_NUMBERS)) {
    this.#numbers = numbers;
  }

  /** What lies before its beginning (a clock that was set) counts as no time. */
  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#numbers[bucket] = this.#numbers[bucket]! + 1;
    this.#numbers[SUM] = this.#numbers[SUM]! + Math.max(0, ms);
  }

  /** As it is now: the engine goes on counting while its sums are read one after the other. `into`:
   * an older one of which nobody has need. */
  still(into = new Latencies()): Latencies {
    into.#numbers.set(this.#numbers);
    return into;
  }

  /** Percentiles of what came since an earlier moment, without making more than their list. */
  percentilesSince(before: Latencies, shares: readonly number[]): (number | undefined)[] {
    const [now, then] = [this.#numbers, before.#numbers];
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      count += Math.max(0, now[bucket]! - then[bucket]!);
    }
    return shares.map((share) => {
      if (count === 0) return undefined;
      let seen = 0;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        seen += Math.max(0, now[bucket]! - then[bucket]!);
        if (seen >= share * count) return boundOf(bucket);
      }
      return boundOf(BUCKETS - 1);
    });
  }

  get count(): number {
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) count += this.#numbers[bucket]!;
    return count;
  }

  get sumMs(): number {
    return this.#numbers[SUM]!;
  }

  /** Milliseconds that the given share (0 to 1) took at most; undefined where there is none. */
  percentile(share: number): number | undefined {
    const { count } = this;
    if (count === 0) return undefined;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#numbers[bucket]!;
      if (seen >= share * count) return boundOf(bucket);
    }
    return boundOf(BUCKETS - 1);
  }

  /** How many took no longer than 2 to the power of `doubling` milliseconds. */
  atMost(doubling: number): number {
    const last = (doubling + DOUBLINGS_BELOW_1) * STEPS;
    let count = 0;
    for (let bucket = 0; bucket <= last; bucket++) count += this.#numbers[bucket] ?? 0;
    return count;
  }
}

/** The bucket of all that is above the bound of the one before it and not above its own. */
function bucketOf(ms: number): number {
  if (!(ms > 0)) return 0;
  const bucket = Math.ceil((Math.log2(ms) + DOUBLINGS_BELOW_1) * STEPS);
  return Math.min(Math.max(bucket, 0), BUCKETS - 1);
}

function boundOf(bucket: number): number {
  return 2 ** (bucket / STEPS - DOUBLINGS_BELOW_1);
}
