// Which fields are asked of whole batches. Who is asked for one of them of an event gives all: the
// event's JSON is read once and given up, where it would have to wait for the next question.

export interface Pair<Field> {
  readonly field: Field;
  readonly argument: string | number | undefined;
}

/** Pairs that are known, and questions without a pair after which it is usual no more. */
const PAIRS_MAX = 32;
const QUESTIONS_MAX = 256;

export class Usual<Field> {
  readonly #pairs: (Pair<Field> & { lastAt: number })[] = [];
  #questions = 0;

  /** The pair's place, which stays; -1: there are too many. It is asked of a batch now. */
  asked(field: Field, argument: string | number | undefined): number {
    this.#questions++;
    const at = this.placeOf(field, argument);
    if (at >= 0) {
      this.#pairs[at]!.lastAt = this.#questions;
      return at;
    }
    if (this.#pairs.length === PAIRS_MAX) return -1;
    return this.#pairs.push({ field, argument, lastAt: this.#questions }) - 1;
  }

  placeOf(field: Field, argument: string | number | undefined): number {
    return this.#pairs.findIndex((one) => one.field === field && one.argument === argument);
  }

  /** Calls `give` for each pair that is asked of most batches. */
  each(give: (pair: Pair<Field>, place: number) => void): void {
    for (const [place, pair] of this.#pairs.entries()) {
      if (this.#questions - pair.lastAt < QUESTIONS_MAX) give(pair, place);
    }
  }
}
