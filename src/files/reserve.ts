// Descriptors held back for what must not fail: alert files, captures. Where this process has used
// up all that it may have, one of them makes room. In: what opens something. Out: what it opened.
import { closeSync, openSync } from "node:fs";
import { codeOf } from "./reason.ts";

/** Held by each thread that opens outputs. */
const HELD = 4;

export class DescriptorReserve {
  readonly #held: number[] = [];
  readonly #count: number;

  constructor(count = HELD) {
    this.#count = count;
    this.refill();
  }

  /** Opens with a descriptor of the reserve where no other is left. */
  open<T>(open: () => T): T {
    try {
      for (;;) {
        try {
          return open();
        } catch (error) {
          if (!this.#yield(error)) throw error;
        }
      }
    } finally {
      this.refill();
    }
  }

  /** As `open`, for what opens without waiting. */
  async openLater<T>(open: () => Promise<T>): Promise<T> {
    try {
      for (;;) {
        try {
          return await open();
        } catch (error) {
          if (!this.#yield(error)) throw error;
        }
      }
    } finally {
      this.refill();
    }
  }

  /**
   * Takes back what was given away, as far as there are descriptors again. To be called when what
   * was opened is closed, before somebody else takes the number.
   */
  refill(): void {
    while (this.#held.length < this.#count) {
      try {
        this.#held.push(openSync("/dev/null", "r"));
      } catch {
        return;
      }
    }
  }

  close(): void {
    for (const descriptor of this.#held.splice(0)) closeSync(descriptor);
  }

  /** Whether there is room now; another thread may be quicker to take it. */
  #yield(error: unknown): boolean {
    if (codeOf(error) !== "EMFILE") return false;
    const descriptor = this.#held.pop();
    if (descriptor === undefined) return false;
    closeSync(descriptor);
    return true;
  }
}
