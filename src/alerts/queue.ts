// A bounded queue in front of one output: alerts come in, are written in order, and when the
// output is slower than the alerts come, the least important ones are dropped and counted.
import type { Alert } from "../engine/alert.ts";
import { type Output, OutputClosed } from "./outputs/output.ts";

export interface QueueOptions {
  readonly output: Output;
  /** Alerts waiting at the most; the batch that the output is writing is not counted. */
  readonly capacity: number;
  /** Tells once of an output that starts to fail, and of one whose reader has gone. */
  readonly onFailure: (failure: Error) => void;
}

export interface QueueStats {
  readonly name: string;
  readonly waiting: number;
  readonly written: number;
  /** Refused by the bound. */
  readonly dropped: number;
  /** Could not be written. */
  readonly failed: number;
}

/** Alerts that go to an output in one call. */
const BATCH = 256;

export class OutputQueue {
  readonly #output: Output;
  readonly #capacity: number;
  readonly #onFailure: (failure: Error) => void;
  #waiting: Alert[] = [];
  #writing: Promise<void> | undefined;
  #written = 0;
  #dropped = 0;
  #failed = 0;
  #failing = false;
  #closed = false;

  constructor({ output, capacity, onFailure }: QueueOptions) {
    this.#output = output;
    this.#capacity = capacity;
    this.#onFailure = onFailure;
  }

  /** Takes an alert; never waits. */
  offer(alert: Alert): void {
    if (this.#closed || !this.#makeRoom(alert.priority)) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(alert);
    this.#writing ??= this.#drain();
  }

  /** Settles when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  reopen(): void {
    this.#output.reopen();
  }

  /** Stops taking alerts and closes the output; what still waits is counted as dropped. */
  close(): void {
    this.#closed = true;
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#output.close();
  }

  stats(): QueueStats {
    return {
      name: this.#output.name,
      waiting: this.#waiting.length,
      written: this.#written,
      dropped: this.#dropped,
      failed: this.#failed,
    };
  }

  /** Whether there is room, if need be after the latest of the least important has given way. */
  #makeRoom(priority: number): boolean {
    if (this.#waiting.length < this.#capacity) return true;
    let least = -1;
    for (let at = this.#waiting.length - 1; at >= 0; at--) {
      const other = this.#waiting[at]!.priority;
      if (other > priority && (least < 0 || other > this.#waiting[least]!.priority)) least = at;
    }
    if (least < 0) return false;
    this.#waiting.splice(least, 1);
    this.#dropped++;
    return true;
  }

  async #drain(): Promise<void> {
    // The alerts that came in one go are written in one go.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await this.#output.write(batch);
        this.#written += batch.length;
        this.#failing = false;
      } catch (error) {
        this.#fail(error as Error, batch.length);
      }
    }
    this.#writing = undefined;
  }

  #fail(error: Error, alerts: number): void {
    this.#failed += alerts;
    const gone = error instanceof OutputClosed;
    if (gone) this.close();
    if (gone || !this.#failing) this.#onFailure(error);
    this.#failing = true;
  }
}
