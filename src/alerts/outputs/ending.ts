// How an output of many steps ends: a write that is under way has a little time to come to its end,
// then it is cut off. Writes come in, and what the output has to close at the end.
import { CLOSING_MS } from "./output.ts";

export class Ending {
  #isClosing = false;
  readonly #cut = new AbortController();
  #writing: Promise<void> | undefined;

  /** Aborted once nothing is waited for any longer. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** The write that is under way until it settles. */
  async write(writing: Promise<void>): Promise<void> {
    this.#writing = writing;
    await writing.finally(() => this.#writing = undefined);
  }

  /** What a step waits for; rejects where it is cut off. Nothing of it is kept once it settled: an
   * output may make a million steps. */
  async within<T>(step: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const cut = () => reject(new Error(BEING_CLOSED));
    if (this.signal.aborted) cut();
    this.signal.addEventListener("abort", cut, { once: true });
    try {
      return await Promise.race([step, promise]);
    } finally {
      this.signal.removeEventListener("abort", cut);
    }
  }

  /** `end` is called once, when the write that is under way has settled, at once where there is
   * none. It must not reject. */
  close(end: () => void | Promise<void>): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (this.#writing === undefined) {
      this.#cut.abort();
      end();
      return;
    }
    const timer = setTimeout(() => this.#cut.abort(), CLOSING_MS);
    const over = () => {
      clearTimeout(timer);
      return end();
    };
    this.#writing.then(over, over);
  }
}

export const BEING_CLOSED = "it is being closed";
