// All outputs of a run: every alert goes to each of them, and none waits for another.
import type { Alert } from "../engine/contract/alert.ts";
import type { Grouping } from "./delivery/grouping.ts";
import { atMost } from "./delivery/pause.ts";
import type { Compose } from "./format/message.ts";
import type { Output } from "./outputs/output.ts";
import { type Inheritance, OutputQueue, type QueueEvent, type QueueStats } from "./queue.ts";
import type { Spool } from "./spool/spool.ts";
import { withReaders } from "./stats.ts";

export interface OutputPlan {
  readonly output: Output;
  readonly compose: Compose;
  readonly spool?: Spool | undefined;
  /** See QueueOptions. */
  readonly lingerMs?: number;
  readonly isWaitedFor?: boolean;
}

export interface OutputsOptions {
  readonly outputs: readonly OutputPlan[];
  /** Alerts that may wait in front of each output. */
  readonly capacity: number;
  readonly onEvent: (output: string, event: QueueEvent) => void;
  /** Outputs that somebody asked for and that there are not: name and why. */
  readonly missing?: readonly (readonly [name: string, reason: string])[];
  /** An output that takes no alert for so long is told of. */
  readonly stuckMs?: number;
  /** Repeats are told as one. */
  readonly grouping?: Grouping | undefined;
  /** The pauses of an output that fails. */
  readonly firstMs?: number;
  readonly maxMs?: number;
  /** From 0 to 1, as Math.random gives it. */
  readonly random: () => number;
  /** Milliseconds from anywhere. */
  readonly clock: () => number;
}

/** What outputs leave, by their names. */
export type Estate = ReadonlyMap<string, Inheritance>;

const STUCK_MS = 10_000;
const FIRST_MS = 200;
const MAX_MS = 30_000;
/** What an ending run gives each spool for what still waits. */
const SPOOL_MS = 2_000;

export class Outputs {
  readonly #outputs: readonly Output[];
  readonly #queues: readonly OutputQueue[];
  readonly #missing: readonly QueueStats[];
  readonly #grouping: Grouping | undefined;

  constructor(options: OutputsOptions) {
    const { outputs, capacity, onEvent, random, clock, missing = [] } = options;
    this.#grouping = options.grouping;
    this.#grouping?.start((repeats) => this.#queue(repeats));
    this.#missing = missing.map(([name, reason]) => missingStats(name, reason));
    this.#outputs = outputs.map(({ output }) => output);
    this.#queues = outputs.map((plan) =>
      new OutputQueue({
        ...plan,
        capacity,
        stuckMs: options.stuckMs ?? STUCK_MS,
        backOff: {
          firstMs: options.firstMs ?? FIRST_MS,
          maxMs: options.maxMs ?? MAX_MS,
          random,
        },
        onEvent: (event) => onEvent(plan.output.name, event),
        clock,
      })
    );
  }

  send(alerts: readonly Alert[]): void {
    this.#queue(this.#grouping === undefined ? alerts : this.#grouping.take(alerts));
  }

  #queue(alerts: readonly Alert[]): void {
    for (const queue of this.#queues) for (const alert of alerts) queue.offer(alert);
  }

  /** Tells of the outputs that could not be written to now. */
  async check(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.check()));
  }

  /** Settles when every output has written all that was sent, or has been failing for so long. */
  async drained(patienceMs: number): Promise<void> {
    await Promise.all(this.#queues.map(async (queue, at) => {
      await queue.drained(patienceMs);
      await this.#outputs[at]!.settled?.(patienceMs);
    }));
  }

  reopen(): void {
    for (const queue of this.#queues) queue.reopen();
  }

  /** Lets the outputs finish for at most so long, one that fails not longer than `patienceMs`. */
  async close(timeoutMs: number, patienceMs = timeoutMs): Promise<void> {
    this.#grouping?.end();
    await atMost(timeoutMs, this.drained(Math.min(patienceMs, timeoutMs)));
    await Promise.all(this.#queues.map((queue) => queue.close(SPOOL_MS)));
  }

  /** As `close`, for outputs that go on where these end: by name, what they leave. */
  async retire(timeoutMs: number): Promise<Estate> {
    this.#grouping?.end();
    await atMost(timeoutMs, this.drained(timeoutMs));
    const left = await Promise.all(this.#queues.map((queue) => queue.retire(SPOOL_MS)));
    return new Map(left.map((one, at) => [this.#queues[at]!.name, one]));
  }

  /** Takes over, before anything is sent; returns what no output here goes on with. */
  inherit(estate: Estate): Estate {
    const rest = new Map(estate);
    for (const queue of this.#queues) {
      const left = estate.get(queue.name);
      if (left !== undefined) queue.inherit(left);
      rest.delete(queue.name);
    }
    return rest;
  }

  stats(): QueueStats[] {
    const present = this.#queues.map((queue, at) =>
      withReaders(queue.stats(), this.#outputs[at]!.readers?.())
    );
    return [...present, ...this.#missing];
  }
}

function missingStats(name: string, reason: string): QueueStats {
  return {
    name,
    state: "missing",
    reason,
    waiting: 0,
    written: 0,
    dropped: 0,
    droppedByPriority: [],
    failed: 0,
    retries: 0,
  };
}
