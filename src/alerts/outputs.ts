// All outputs of a run: every alert goes to each of them, and none waits for another.
import type { Alert } from "../engine/contract/alert.ts";
import type { Output } from "./outputs/output.ts";
import { OutputQueue, type QueueStats } from "./queue.ts";

export interface OutputsOptions {
  readonly outputs: readonly Output[];
  /** Alerts that may wait in front of each output. */
  readonly capacity: number;
  readonly onFailure: (output: string, failure: Error) => void;
  /** Outputs that somebody asked for and that there are not: name and why. */
  readonly missing?: readonly (readonly [name: string, reason: string])[];
  /** Milliseconds from anywhere. */
  readonly clock: () => number;
}

export class Outputs {
  readonly #queues: readonly OutputQueue[];
  readonly #missing: readonly QueueStats[];

  constructor({ outputs, capacity, onFailure, clock, missing = [] }: OutputsOptions) {
    this.#missing = missing.map(([name, reason]) => ({
      name,
      waiting: 0,
      written: 0,
      dropped: 0,
      failed: 0,
      state: "missing",
      reason,
    }));
    this.#queues = outputs.map((output) =>
      new OutputQueue({
        output,
        capacity,
        onFailure: (failure) => onFailure(output.name, failure),
        clock,
      })
    );
  }

  send(alerts: readonly Alert[]): void {
    for (const queue of this.#queues) for (const alert of alerts) queue.offer(alert);
  }

  /** Tells of the outputs that could not be written to now. */
  async check(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.check()));
  }

  /** Settles when every output has written all that was sent. */
  async drained(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.drained()));
  }

  reopen(): void {
    for (const queue of this.#queues) queue.reopen();
  }

  /** Lets the outputs finish for at most so long, then closes them. */
  async close(timeoutMs: number): Promise<void> {
    let timer: number | undefined;
    const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, timeoutMs));
    await Promise.race([this.drained(), timeout]);
    clearTimeout(timer);
    for (const queue of this.#queues) queue.close();
  }

  stats(): QueueStats[] {
    return [...this.#queues.map((queue) => queue.stats()), ...this.#missing];
  }
}
