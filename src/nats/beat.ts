// A key of a bucket that is written again and again, over the connection of a door: what it holds
// is asked for at each time. One write at a time, and of those that are asked for meanwhile one.
import type { NatsDoor } from "./door.ts";

export interface BeatOptions {
  readonly door: NatsDoor;
  readonly bucket: string;
  /** In the letters of hostToken. */
  readonly key: string;
  /** What is to be there now; undefined: nothing yet. */
  readonly text: () => string | undefined;
  readonly everyMs: number;
  /** Of one answer. */
  readonly timeoutMs: number;
  /** Called where a write fails and the one before it did not. */
  readonly onTrouble: (reason: string) => void;
  /** Called after each write that arrived. */
  readonly onWritten: () => void;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Between two writes, however often somebody asks. */
const LEAST_MS = 1_000;
/** What the last write has. */
const LAST_MS = 800;
/** So much sooner or later, so that hosts that began together do not write together for ever. */
const JITTER = 0.1;

const encoder = new TextEncoder();

export class Beat {
  readonly #options: BeatOptions;
  #timer: number | undefined;
  #writing: Promise<void> | undefined;
  #isResting = false;
  #isAskedAgain = false;
  #isEnded = false;
  #trouble: string | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(options: BeatOptions) {
    this.#options = options;
  }

  /** Why the last write failed. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Settles when nothing is written any more. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Writes now, or in a moment where it has just done so, and from there on again and again. */
  now(): void {
    if (this.#isEnded) return;
    if (this.#writing !== undefined || this.#isResting) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isAskedAgain = false;
    clearTimeout(this.#timer);
    this.#writing = this.#write(this.#options.timeoutMs).then(() => {
      this.#writing = undefined;
      this.#rest();
    });
  }

  #rest(): void {
    if (this.#isEnded) return;
    const { everyMs, random } = this.#options;
    const nextMs = everyMs * (1 - JITTER + 2 * JITTER * random());
    this.#isResting = true;
    this.#timer = setTimeout(() => {
      this.#isResting = false;
      if (this.#isAskedAgain) return this.now();
      this.#timer = setTimeout(() => this.now(), Math.max(0, nextMs - LEAST_MS));
    }, LEAST_MS);
  }

  /** Writes once more where that is the last word; settles within a bound. */
  async end({ isLast }: { readonly isLast: boolean }): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    if (isLast) {
      const last = (this.#writing ?? Promise.resolve()).then(() => this.#write(LAST_MS));
      let bound: number | undefined;
      await Promise.race([last, new Promise((resolve) => bound = setTimeout(resolve, LAST_MS))]);
      clearTimeout(bound);
    }
    this.#over.resolve();
  }

  /** Never rejects. */
  async #write(timeoutMs: number): Promise<void> {
    const { door, bucket, key, text, onTrouble, onWritten } = this.#options;
    try {
      const value = text();
      if (value === undefined) return;
      const stream = await door.open();
      await stream.put(bucket, key, encoder.encode(value), timeoutMs);
      this.#trouble = undefined;
      if (!this.#isEnded) onWritten();
    } catch (error) {
      const reason = (error as Error).message;
      const isNew = this.#trouble === undefined;
      this.#trouble = reason;
      if (isNew && !this.#isEnded) onTrouble(reason);
    }
  }
}
