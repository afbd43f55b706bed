// Everything between an alert and one output: alerts wait in memory, bounded and by importance, or
// on disk while the output fails or is too slow; they are written in order, what could not be
// written is tried again after a pause. No output waits for another one, and the engine for none.
import type { Alert } from "../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import { reasonOf } from "../files/reason.ts";
import { BackOff, type BackOffOptions } from "./delivery/back_off.ts";
import { atMost, Pause } from "./delivery/pause.ts";
import type { OutputState, QueueStats } from "./stats.ts";
import { Waiting } from "./delivery/waiting.ts";
import type { Compose, Message } from "./format/message.ts";
import { CLOSING_MS, type Output, OutputClosed, PartlyWritten } from "./outputs/output.ts";
import type { Spool } from "./spool/spool.ts";

export type { OutputState, QueueStats } from "./stats.ts";

export interface QueueOptions {
  readonly output: Output;
  readonly compose: Compose;
  /** Alerts waiting in memory at the most; the batch that is being written is not counted. */
  readonly capacity: number;
  readonly backOff: BackOffOptions;
  readonly spool?: Spool | undefined;
  /** Alerts that come within so long of each other are written in one go; 0: at once. */
  readonly lingerMs?: number;
  /** An output that has not taken a batch for so long is told of, such as a mount that hangs. */
  readonly stuckMs: number;
  /** Whoever reads it may take its time, such as a person with a pager. */
  readonly isWaitedFor?: boolean;
  readonly onEvent: (event: QueueEvent) => void;
  /** Milliseconds from anywhere. */
  readonly clock: () => number;
}

/** What somebody should know of an output: each is told once until it has changed. */
export type QueueEvent =
  | { readonly kind: "failed" | "closed" | "refused"; readonly error: Error }
  | { readonly kind: "stuck"; readonly ms: number }
  | { readonly kind: "dropping" }
  /** Nothing waits any more; so many were dropped, by priority. */
  | { readonly kind: "dropped"; readonly byPriority: readonly number[] }
  | { readonly kind: "well"; readonly retries: number };

/** Alerts that go to an output in one call. */
const BATCH = 256;
/** A spool that had no room is not asked again for so long. */
const FULL_MS = 1_000;
/** What a closed output has to say what became of its last batch. */
const CUT_OFF_MS = CLOSING_MS + 200;
/** How long the writer waits for alerts on their way to the disk before it looks again. */
const LOOK_MS = 100;

export class OutputQueue {
  readonly #options: QueueOptions;
  readonly #waiting: Waiting;
  readonly #backOff: BackOff;
  readonly #linger = new Pause();
  /** The batch that is being written, and whether it lies on disk as well. */
  #held: readonly Message[] = [];
  #heldOnDisk = false;
  /** When it was begun, or moved last. */
  #begunMs: number | undefined;
  #writing: Promise<void> | undefined;
  #watch: number | undefined;
  /** Alerts on their way to the disk. */
  #moving = 0;
  #spoolFullUntilMs = -Infinity;
  #written = 0;
  readonly #dropped: number[] = PRIORITY_NAMES.map(() => 0);
  #toldDropped: readonly number[] = [...this.#dropped];
  #failed = 0;
  #retries = 0;
  #lastError: { readonly reason: string; readonly atMs: number } | undefined;
  /** Why the last write failed, and since when; undefined where it did not. */
  #failing: { readonly reason: string; readonly sinceMs: number; retries: number } | undefined;
  /** Whether the bound refused alerts since nothing waited. */
  #slow = false;
  #refusedTold = false;
  #closed = false;
  readonly #ended = Promise.withResolvers<void>();
  #hurried = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.backOff);
    this.#waiting = new Waiting(options.capacity, ({ priority }) => this.#drop(priority));
    options.spool?.ready().then(() => {
      if (options.spool!.pending > 0) this.#start();
    });
  }

  /** Takes an alert; never waits. */
  offer(alert: Alert): void {
    if (this.#closed) return this.#countDropped(alert.priority);
    this.#waiting.offer(alert);
    this.#start();
    if (this.#waiting.length >= BATCH) this.#linger.wake();
    if (this.#moving === 0 && this.#mustMove()) this.#move();
  }

  /** Tells of an output that could not be written to now, before there is an alert to lose. */
  async check(): Promise<void> {
    const begunMs = this.#begunMs = this.#options.clock();
    try {
      await this.#options.output.check?.();
    } catch (error) {
      this.#fail(error as Error);
    }
    if (this.#begunMs === begunMs) this.#begunMs = undefined;
  }

  /**
   * Settles when nothing of what waits now does so any more, or when the output has been failing
   * for so long, or has been at one batch for so long.
   */
  async drained(patienceMs: number): Promise<void> {
    this.#hurried = true;
    this.#linger.wake();
    // Alerts may go on coming, such as those that tell numbers again and again.
    const wanted = this.#settled() + this.#waiting.length + this.#moving + this.#held.length +
      (this.#options.spool?.pending ?? 0);
    while (this.#writing !== undefined && !this.#closed && this.#settled() < wanted) {
      const sinceMs = this.#failing?.sinceMs ??
        (this.#options.isWaitedFor === true ? undefined : this.#begunMs);
      const leftMs = sinceMs === undefined ? LOOK_MS : sinceMs + patienceMs - this.#options.clock();
      if (leftMs <= 0) break;
      await atMost(Math.min(leftMs, LOOK_MS), Promise.race([this.#writing, this.#ended.promise]));
    }
    this.#hurried = false;
  }

  /** Alerts with which it is done, one way or another. */
  #settled(): number {
    return this.#written + this.#failed + this.#droppedAll();
  }

  #droppedAll(): number {
    return this.#dropped.reduce((sum, count) => sum + count, 0);
  }

  reopen(): void {
    this.#options.output.reopen();
    this.#backOff.wake();
  }

  /**
   * Stops taking alerts and closes the output. What still waits is put on disk where there is a
   * spool, for which it is given so long; the rest is counted as dropped.
   */
  async close(spoolMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended.resolve();
    clearTimeout(this.#watch);
    this.#backOff.wake();
    this.#linger.wake();
    const { output, spool, compose } = this.#options;
    output.close();
    // A write that is cut off says how far it came.
    if (this.#held.length > 0) await atMost(CUT_OFF_MS, this.#writing ?? Promise.resolve());
    const held = this.#heldOnDisk ? [] : this.#held;
    const rest = [...held, ...this.#waiting.take(Infinity).map(compose)];
    let kept = 0;
    if (spool !== undefined) {
      const heldKept = held.length === 0 ? Promise.resolve(0) : spool.hold(held);
      const restKept = spool.append(rest.slice(held.length));
      heldKept.then((count) => kept += count);
      await atMost(spoolMs, restKept.then((count) => kept += count));
      await spool.close(spoolMs);
    }
    for (const { priority } of rest.slice(kept)) this.#countDropped(priority);
    this.#held = [];
  }

  stats(): QueueStats {
    const { output, spool } = this.#options;
    const [state, reason] = this.#state();
    return {
      name: output.name,
      state,
      ...(reason === undefined ? {} : { reason }),
      waiting: this.#waiting.length + this.#moving + (this.#retrying() ? this.#held.length : 0),
      written: this.#written,
      dropped: this.#droppedAll(),
      droppedByPriority: [...this.#dropped],
      failed: this.#failed,
      retries: this.#retries,
      ...this.#lastErrorStats(),
      ...(spool === undefined ? {} : { spool: spool.stats() }),
    };
  }

  #lastErrorStats(): Pick<QueueStats, "lastError"> {
    if (this.#lastError === undefined) return {};
    const { reason, atMs } = this.#lastError;
    return { lastError: { reason, agoMs: this.#options.clock() - atMs } };
  }

  /** What is held and does not lie on disk waits, once its first try has failed. */
  #retrying(): boolean {
    return this.#failing !== undefined && !this.#heldOnDisk;
  }

  #state(): [OutputState, string?] {
    if (this.#closed) return ["closed", "its reader has gone"];
    if (this.#failing !== undefined) return ["failing", this.#failing.reason];
    const { spool, clock, stuckMs } = this.#options;
    if (spool !== undefined && spool.pending > 0) {
      return ["slow", `${spool.pending} alerts wait on disk`];
    }
    if (this.#slow) return ["slow", "alerts come faster than they are read"];
    const waitedMs = this.#begunMs === undefined ? 0 : clock() - this.#begunMs;
    if (waitedMs < stuckMs) return ["ok"];
    return ["slow", `it has taken no alert for ${Math.round(waitedMs / 1000)} s`];
  }

  #drop(priority: number): void {
    if (!this.#slow) this.#options.onEvent({ kind: "dropping" });
    this.#slow = true;
    this.#countDropped(priority);
  }

  #tellDropped(): void {
    const byPriority = this.#dropped.map((count, at) => count - this.#toldDropped[at]!);
    this.#toldDropped = [...this.#dropped];
    this.#options.onEvent({ kind: "dropped", byPriority });
  }

  #countDropped(priority: number): void {
    this.#dropped[priority]!++;
  }

  #start(): void {
    this.#writing ??= this.#drain();
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    // The alerts that came in one go are written in one go.
    await Promise.resolve();
    await this.#options.spool?.ready();
    while (!this.#closed && await this.#load()) await this.#deliver();
    if (this.#slow && !this.#closed) this.#tellDropped();
    this.#slow = false;
    this.#begunMs = undefined;
    this.#writing = undefined;
  }

  /** Takes the next batch, of the disk before what came later; whether there is one. */
  async #load(): Promise<boolean> {
    if (this.#held.length > 0) return true;
    const { spool, compose, lingerMs = 0 } = this.#options;
    if (spool !== undefined) {
      do {
        while (this.#moving > 0 && !spool.isStuck) await this.#linger.wait(LOOK_MS);
        this.#heldOnDisk = true;
        this.#held = spool.pending > 0 ? await spool.read() : [];
        if (this.#held.length > 0) return !this.#closed;
      } while (this.#moving > 0 && !spool.isStuck);
    }
    this.#heldOnDisk = false;
    if (lingerMs > 0 && this.#waiting.length < BATCH && !this.#hurried && !this.#closed) {
      await this.#linger.wait(lingerMs);
    }
    if (this.#closed) return false;
    this.#held = this.#waiting.take(BATCH).map(compose);
    return this.#held.length > 0;
  }

  /** Writes the held batch once, and pauses where that failed. */
  async #deliver(): Promise<void> {
    const { output, clock } = this.#options;
    this.#begunMs = clock();
    this.#watchOver(this.#options.stuckMs);
    let failure: unknown;
    try {
      await output.write(this.#held, () => this.#begunMs = clock());
    } catch (error) {
      failure = error;
    }
    clearTimeout(this.#watch);
    if (this.#held.length === 0) return;
    if (failure === undefined) {
      this.#passed(this.#held.length, 0);
      this.#well();
    } else if (!this.#closed) {
      await this.#failedWith(failure as Error);
    } else if (failure instanceof PartlyWritten) {
      this.#passed(failure.written, failure.refused);
    }
  }

  /** Tells where the write does not move for long. */
  #watchOver(ms: number): void {
    const { clock, stuckMs, onEvent } = this.#options;
    this.#watch = setTimeout(() => {
      const leftMs = (this.#begunMs ?? clock()) + stuckMs - clock();
      if (leftMs > 0) this.#watchOver(leftMs);
      else onEvent({ kind: "stuck", ms: stuckMs });
    }, ms);
  }

  async #failedWith(error: Error): Promise<void> {
    if (error instanceof OutputClosed) return await this.#gone(error);
    const part = error instanceof PartlyWritten ? error : new PartlyWritten(0, error);
    this.#passed(part.written, part.refused);
    if (part.refused > 0) {
      this.#note(error);
      if (!this.#refusedTold) this.#options.onEvent({ kind: "refused", error });
      this.#refusedTold = true;
      // The other side answers: what comes behind is tried at once.
      return this.#well();
    }
    this.#fail(error);
    this.#begunMs = undefined;
    this.#retries++;
    this.#failing!.retries++;
    const { spool } = this.#options;
    if (spool !== undefined && !this.#heldOnDisk) this.#holdOnDisk(spool);
    if (this.#moving === 0 && this.#mustMove()) this.#move();
    if (part.written > 0) this.#backOff.reset();
    await this.#backOff.pause(part.againMs);
  }

  /** Unless the disk says that it has no room: then they wait here, and count as waiting. */
  #holdOnDisk(spool: Spool): void {
    const held = this.#held;
    this.#heldOnDisk = true;
    spool.hold(held).then((kept) => {
      if (kept === 0 && held.includes(this.#held[0]!)) this.#heldOnDisk = false;
    });
  }

  /** So many of the held ones have arrived, and behind them so many never will. */
  #passed(written: number, refused: number): void {
    this.#written += written;
    this.#failed += refused;
    this.#held = this.#held.slice(written + refused);
    if (this.#heldOnDisk) this.#options.spool!.done(written + refused);
  }

  /** Its reader will read nothing any more: what it was given is lost with it. */
  async #gone(error: OutputClosed): Promise<void> {
    this.#failed += this.#held.length;
    this.#held = [];
    this.#note(error);
    this.#options.onEvent({ kind: "closed", error });
    await this.close(0);
  }

  #well(): void {
    this.#backOff.reset();
    if (this.#failing === undefined) return;
    const { retries } = this.#failing;
    this.#failing = undefined;
    this.#options.onEvent({ kind: "well", retries });
  }

  #fail(error: Error): void {
    const reason = this.#note(error);
    if (this.#failing === undefined) {
      this.#options.onEvent({ kind: "failed", error: new Error(reason, { cause: error }) });
    }
    const { sinceMs, retries } = this.#failing ?? { sinceMs: this.#options.clock(), retries: 0 };
    this.#failing = { reason, sinceMs, retries };
  }

  #note(error: Error): string {
    const reason = reasonOf(error instanceof PartlyWritten ? error.cause : error);
    this.#lastError = { reason, atMs: this.#options.clock() };
    return reason;
  }

  #mustMove(): boolean {
    const { spool, capacity, clock } = this.#options;
    return spool !== undefined && !this.#closed && this.#waiting.length > 0 &&
      (this.#failing !== undefined || this.#waiting.length > capacity / 2) &&
      clock() >= this.#spoolFullUntilMs && !spool.isStuck;
  }

  /** Brings to the disk what waits, while the output takes nothing or too much waits. */
  async #move(): Promise<void> {
    const { spool, compose, clock } = this.#options;
    while (this.#mustMove()) {
      const alerts = this.#waiting.take(BATCH);
      this.#moving = alerts.length;
      const kept = await spool!.append(alerts.map(compose));
      this.#moving = 0;
      if (kept === alerts.length) continue;
      this.#spoolFullUntilMs = clock() + FULL_MS;
      if (!this.#closed) this.#waiting.putBack(alerts.slice(kept));
      else for (const { priority } of alerts.slice(kept)) this.#countDropped(priority);
    }
    this.#linger.wake();
  }
}
