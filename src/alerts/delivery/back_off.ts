// How long an output that failed is left alone before it is tried again: twice as long each time,
// to a bound, and a part of it by chance, so that many hosts do not come back to one receiver in
// the same moment.
import { Pause } from "./pause.ts";

export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** From 0 to 1, as Math.random gives it. */
  readonly random: () => number;
}

export class BackOff {
  readonly #options: BackOffOptions;
  readonly #pause = new Pause();
  #nextMs: number;

  constructor(options: BackOffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** Settles after the pause, not before `atLeastMs` (as the other side asked), or when woken. */
  async pause(atLeastMs: number): Promise<void> {
    const { maxMs, random } = this.#options;
    const ms = Math.max(this.#nextMs * (0.5 + random() / 2), Math.min(atLeastMs, maxMs));
    this.#nextMs = Math.min(this.#nextMs * 2, maxMs);
    await this.#pause.wait(ms);
  }

  /** The other side is well: the next pause is a short one. */
  reset(): void {
    this.#nextMs = this.#options.firstMs;
  }

  wake(): void {
    this.#pause.wake();
  }
}
