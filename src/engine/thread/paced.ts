// What the engine hands over, taken in portions. In: messages as they come, from a thread that may
// make them faster than they are taken. Out: each of them taken, in order, and between portions a
// turn of the event loop, in which signals, requests, timers and writes get theirs.
//
// The runtime gives messages that are there already one after the other, over a hundred of them
// before it looks at anything else: on a slow processor that is minutes.

export interface Turns {
  /** Milliseconds that have passed, of any beginning. */
  readonly clock: () => number;
  /** Settles once everything else that was due has had its turn. */
  readonly turn: () => Promise<void>;
}

/** A portion takes this long, and one message at the least. */
const PORTION_MS = 5;

/** Those of the event loop. */
export const EVENT_LOOP: Turns = {
  clock: () => performance.now(),
  turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
};

export class Paced<Message> {
  readonly #take: (message: Message) => void;
  readonly #turns: Turns;
  readonly #waiting: Message[] = [];
  #isTaking = false;
  #taken: Promise<void> = Promise.resolve();

  constructor(take: (message: Message) => void, turns: Turns = EVENT_LOOP) {
    this.#take = take;
    this.#turns = turns;
  }

  /** The first is taken at once, those that come before the next turn wait for it. */
  add(message: Message): void {
    this.#waiting.push(message);
    // Never rejects: `#takeOne` catches.
    if (!this.#isTaking) this.#taken = this.#takeAll();
  }

  /** Settles when all that was added has been taken. */
  get taken(): Promise<void> {
    return this.#taken;
  }

  async #takeAll(): Promise<void> {
    const { clock, turn } = this.#turns;
    this.#isTaking = true;
    let endMs = clock() + PORTION_MS;
    while (this.#waiting.length > 0) {
      this.#takeOne(this.#waiting.shift()!);
      if (this.#waiting.length > 0 && clock() < endMs) continue;
      await turn();
      endMs = clock() + PORTION_MS;
    }
    this.#isTaking = false;
  }

  /** A mistake on one is told as one in any handler of messages is, and the others are taken. */
  #takeOne(message: Message): void {
    try {
      this.#take(message);
    } catch (error) {
      reportError(error);
    }
  }
}
