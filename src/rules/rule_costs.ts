// What the rules cost: of one in so many events that are held against them, the time is taken. What
// all rules share (finding those that can still match) is one sum; what was left of a rule's
// condition is its own. Sums are extrapolated, so they stand for all events.

export class RuleCosts {
  /** Milliseconds from anywhere, in fractions; absent: nothing is timed. */
  clock: (() => number) | undefined;
  /** One in so many matchings is timed; a prime, so that no rhythm of events hides from it. */
  oneIn = 1021;
  /** By rule: nanoseconds. */
  readonly ownNs: Float64Array;
  sharedNs = 0;
  samples = 0;
  #since = 0;

  constructor(rules: number) {
    this.ownNs = new Float64Array(rules);
  }

  /** Whether the matching that begins now is to be timed. */
  due(): boolean {
    if (++this.#since < this.oneIn) return false;
    this.#since = 0;
    this.samples++;
    return true;
  }

  addShared(ms: number): void {
    this.sharedNs += ms * NS_PER_MS * this.oneIn;
  }

  addOwn(rule: number, ms: number): void {
    this.ownNs[rule] = this.ownNs[rule]! + ms * NS_PER_MS * this.oneIn;
  }
}

const NS_PER_MS = 1e6;
