// A bounded queue in front of one output: alerts come in and are written in order. When the output
// is slower than the alerts come, the least important ones are dropped and counted; among equals
// those of the rule that floods, so that one noisy rule does not push out what others tell.
import type { Alert } from "../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import { reasonOf } from "../files/reason.ts";
import { PartlyWritten } from "./outputs/lines.ts";
import { type Output, OutputClosed } from "./outputs/output.ts";

export interface QueueOptions {
  readonly output: Output;
  /** Alerts waiting at the most; the batch that the output is writing is not counted. */
  readonly capacity: number;
  /** Tells once of an output that starts to fail, and of one whose reader has gone. */
  readonly onFailure: (failure: Error) => void;
  /** Milliseconds from anywhere. */
  readonly clock: () => number;
}

export interface QueueStats {
  readonly name: string;
  readonly waiting: number;
  readonly written: number;
  /** Refused by the bound. */
  readonly dropped: number;
  /** Could not be written. */
  readonly failed: number;
  readonly state: OutputState;
  /** Why it is not `ok`. */
  readonly reason?: string;
}

/**
 * `slow`: alerts were dropped since it last had none waiting, or it takes none for long;
 * `failing`: the last write failed; `closed`: its reader has gone; `missing`: asked for, and not
 * part of this version.
 */
export type OutputState = "ok" | "slow" | "failing" | "closed" | "missing";

/** Alerts that go to an output in one call. */
const BATCH = 256;
/** An output that has not taken a batch for so long is told of, such as a mount that hangs. */
const STUCK_MS = 10_000;

export class OutputQueue {
  readonly #output: Output;
  readonly #capacity: number;
  readonly #onFailure: (failure: Error) => void;
  readonly #clock: () => number;
  /** When the batch that is being written was begun. */
  #begunMs: number | undefined;
  #waiting: Alert[] = [];
  /** How many wait, by priority and by rule. */
  readonly #byPriority: number[] = PRIORITY_NAMES.map(() => 0);
  readonly #byRule = new Map<string, number>();
  #writing: Promise<void> | undefined;
  #written = 0;
  #dropped = 0;
  #failed = 0;
  /** Why the last write failed; undefined where it did not. */
  #failure: string | undefined;
  /** Whether the bound refused alerts since nothing waited. */
  #slow = false;
  #closed = false;

  constructor({ output, capacity, onFailure, clock }: QueueOptions) {
    this.#output = output;
    this.#capacity = capacity;
    this.#onFailure = onFailure;
    this.#clock = clock;
  }

  /** Takes an alert; never waits. */
  offer(alert: Alert): void {
    if (this.#closed || !this.#makeRoom(alert)) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(alert);
    this.#count(alert, 1);
    this.#writing ??= this.#drain();
  }

  /** Tells of an output that could not be written to now, before there is an alert to lose. */
  async check(): Promise<void> {
    const begunMs = this.#begunMs = this.#clock();
    try {
      await this.#output.check?.();
    } catch (error) {
      this.#fail(error as Error, 0);
    }
    if (this.#begunMs === begunMs) this.#begunMs = undefined;
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
    this.#byPriority.fill(0);
    this.#byRule.clear();
    this.#output.close();
  }

  stats(): QueueStats {
    const [state, reason] = this.#state();
    return {
      name: this.#output.name,
      waiting: this.#waiting.length,
      written: this.#written,
      dropped: this.#dropped,
      failed: this.#failed,
      state,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  #state(): [OutputState, string?] {
    if (this.#closed) return ["closed", "its reader has gone"];
    if (this.#failure !== undefined) return ["failing", this.#failure];
    if (this.#slow) return ["slow", "alerts come faster than they are read"];
    const waitedMs = this.#begunMs === undefined ? 0 : this.#clock() - this.#begunMs;
    if (waitedMs < STUCK_MS) return ["ok"];
    return ["slow", `it has taken no alert for ${Math.round(waitedMs / 1000)} s`];
  }

  /** Whether there is room, if need be after another alert has given way. */
  #makeRoom(alert: Alert): boolean {
    if (this.#waiting.length < this.#capacity) return true;
    this.#slow = true;
    const victim = this.#lessImportant(alert) ?? this.#ofNoisiest(alert);
    if (victim === undefined) return false;
    this.#count(this.#waiting[victim]!, -1);
    this.#waiting.splice(victim, 1);
    this.#dropped++;
    return true;
  }

  /** Place of the latest of the least important alerts, if they are less so than the given one. */
  #lessImportant({ priority }: Alert): number | undefined {
    for (let least = this.#byPriority.length - 1; least > priority; least--) {
      if (this.#byPriority[least]! > 0) {
        return this.#waiting.findLastIndex((one) => one.priority === least);
      }
    }
    return undefined;
  }

  /** Place of the latest alert of the rule with the most, if that has far more than this one's. */
  #ofNoisiest({ rule, priority }: Alert): number | undefined {
    let noisiest = rule;
    let most = 2 * (this.#byRule.get(rule) ?? 0) + 1;
    for (const [name, count] of this.#byRule) if (count > most) [noisiest, most] = [name, count];
    if (noisiest === rule) return undefined;
    const at = this.#waiting.findLastIndex((one) => one.rule === noisiest);
    return this.#waiting[at]!.priority >= priority ? at : undefined;
  }

  #count({ rule, priority }: Alert, change: 1 | -1): void {
    this.#byPriority[priority] = this.#byPriority[priority]! + change;
    const count = (this.#byRule.get(rule) ?? 0) + change;
    if (count === 0) this.#byRule.delete(rule);
    else this.#byRule.set(rule, count);
  }

  async #drain(): Promise<void> {
    // The alerts that came in one go are written in one go.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      for (const alert of batch) this.#count(alert, -1);
      this.#begunMs = this.#clock();
      try {
        await this.#output.write(batch);
        this.#written += batch.length;
        this.#failure = undefined;
      } catch (error) {
        const written = error instanceof PartlyWritten ? error.linesWritten : 0;
        this.#written += written;
        this.#fail(error as Error, batch.length - written);
      }
    }
    this.#slow = false;
    this.#begunMs = undefined;
    this.#writing = undefined;
  }

  #fail(error: Error, alerts: number): void {
    this.#failed += alerts;
    const gone = error instanceof OutputClosed;
    if (gone) this.close();
    const isNew = this.#failure === undefined;
    this.#failure = reasonOf(error instanceof PartlyWritten ? error.cause : error);
    if (gone || isNew) this.#onFailure(gone ? error : new Error(this.#failure, { cause: error }));
  }
}
