// How much of something happens in a second, over the last few seconds: totals come in about once a
// second, the rate goes out.

/** Samples that are held: a rate is over so many seconds. */
const SAMPLES = 11;

export class Rates<Name extends string> {
  readonly #samples: { readonly atMs: number; readonly totals: Readonly<Record<Name, number>> }[] =
    [];

  add(atMs: number, totals: Readonly<Record<Name, number>>): void {
    // A clock that was set back begins anew.
    if (atMs <= (this.#samples.at(-1)?.atMs ?? -Infinity)) this.#samples.length = 0;
    this.#samples.push({ atMs, totals });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** A second; undefined before there are two samples. */
  perSecond(name: Name): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || first === last) return undefined;
    const count = last.totals[name] - first.totals[name];
    return Math.round(10_000 * count / (last.atMs - first.atMs)) / 10;
  }
}
