// Everything between an alert and one output: alerts wait in memory, bounded and by importance, or
// on disk while the output fails or is too slow; they are written in order, what could not be
// written is tried again after a pause. No output waits for another one, and the engine for none.
import type { Alert } from "../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import { reasonOf } from "../files/reason.ts";
import { BackOff } from "./delivery/back_off.ts";
import { atMost, Pause } from "./delivery/pause.ts";
import type { QueueOptions } from "./queue_options.ts";
import { putAway } from "./spool/put_away.ts";
import { type Inheritance, type OutputState, type QueueStats, stateOf } from "./stats.ts";
import { Waiting } from "./delivery/waiting.ts";
import type { Message } from "./format/message.ts";
import { CLOSING_MS, OutputClosed, PartlyWritten } from "./outputs/output.ts";
import type { Spool } from "./spool/spool.ts";

export type { Inheritance, OutputState, QueueEvent, QueueStats } from "./stats.ts";

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
  #moved: Promise<void> = Promise.resolve();
  #spoolFullUntilMs = -Infinity;
  #written = 0;
  #dropped: number[] = PRIORITY_NAMES.map(() => 0);
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

  get name(): string {
    return this.#options.output.name;
  }

  /** Takes an alert; never waits. */
  offer(alert: Alert): void {
    if (this.#closed) return void this.#dropped[alert.priority]!++;
    this.#waiting.offer(alert);
    this.#start();
    if (this.#waiting.length >= BATCH) this.#linger.wake();
    this.#move();
  }

  /** Tells of an output that could not be written to now, before there is an alert to lose. */
  async check(): Promise<void> {
    const begunMs = this.#begunMs = this.#options.clock();
    try {
      await this.#options.output.check?.();
      // One that had nothing to write since it failed would be failing until the next alert.
      if (this.#writing === undefined) this.#well();
    } catch (error) {
      this.#fail(error as Error);
    }
    if (this.#begunMs === begunMs) this.#begunMs = undefined;
  }

  /**
   * Settles when nothing of what waits now does so any more, or when the output has been failing
   * for so long, or has been at one batch for so long, and the disk has what it is to have.
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
      // Where the other side has had its time, only the disk is waited for.
      if (leftMs <= 0 && (this.#moving === 0 || this.#options.spool!.isStuck)) break;
      const done = leftMs <= 0 ? this.#moved : this.#writing;
      const forMs = leftMs <= 0 ? LOOK_MS : Math.min(leftMs, LOOK_MS);
      await atMost(forMs, Promise.race([done, this.#ended.promise]));
    }
    this.#hurried = false;
  }

  /** Alerts with which it is done, one way or another. */
  #settled(): number {
    return this.#written + this.#failed + sum(this.#dropped);
  }

  reopen(): void {
    this.#options.output.reopen();
    this.#backOff.wake();
  }

  /**
   * Stops taking alerts and closes the output. What still waits is put on disk where there is a
   * spool, for each piece of which it is given so long; the rest is counted as dropped.
   */
  async close(spoolMs: number): Promise<void> {
    const { held, alerts } = await this.retire(spoolMs);
    for (const { priority } of [...held, ...alerts]) this.#dropped[priority]!++;
  }

  /** As `close`; the rest is handed over, to a queue that goes on where this one ends. */
  async retire(spoolMs: number): Promise<Inheritance> {
    if (this.#closed) return this.#inheritance([], []);
    this.#closed = true;
    this.#ended.resolve();
    clearTimeout(this.#watch);
    this.#backOff.wake();
    this.#linger.wake();
    const { output, spool, compose, clock } = this.#options;
    output.close();
    // A write that is cut off says how far it came.
    if (this.#held.length > 0) await atMost(CUT_OFF_MS, this.#writing ?? Promise.resolve());
    if (this.#moving > 0 && !spool!.isStuck) await atMost(spoolMs, this.#moved);
    const held = this.#heldOnDisk ? [] : this.#held;
    this.#held = [];
    const alerts = this.#waiting.take(Infinity);
    if (spool === undefined) return this.#inheritance(held, alerts);
    const limits = { pieceMs: spoolMs, clock };
    const kept = await putAway(spool, held, alerts.map(compose), limits);
    await spool.close(spoolMs);
    return this.#inheritance(kept.held ? [] : held, alerts.slice(kept.rest));
  }

  #inheritance(held: readonly Message[], alerts: readonly Alert[]): Inheritance {
    const [written, failed, retries] = [this.#written, this.#failed, this.#retries];
    return { held, alerts, written, failed, retries, dropped: this.#dropped };
  }

  /** Goes on where another one ended, before it is offered anything. */
  inherit({ held, alerts, written, failed, retries, dropped }: Inheritance): void {
    [this.#written, this.#failed, this.#retries] = [written, failed, retries];
    this.#dropped = [...dropped];
    this.#toldDropped = [...dropped];
    this.#held = held;
    for (const alert of alerts) this.offer(alert);
    if (held.length > 0) this.#start();
  }

  stats(): QueueStats {
    const { output, spool, clock } = this.#options;
    const [state, reason] = this.#state();
    const last = this.#lastError;
    // What is held and does not lie on disk waits, once its first try has failed.
    const isRetrying = this.#failing !== undefined && !this.#heldOnDisk;
    return {
      name: output.name,
      state,
      ...(reason === undefined ? {} : { reason }),
      waiting: this.#waiting.length + this.#moving + (isRetrying ? this.#held.length : 0),
      written: this.#written,
      dropped: sum(this.#dropped),
      droppedByPriority: [...this.#dropped],
      failed: this.#failed,
      retries: this.#retries,
      ...(last && { lastError: { reason: last.reason, agoMs: clock() - last.atMs } }),
      ...(spool === undefined ? {} : { spool: spool.stats() }),
    };
  }

  #state(): [OutputState, string?] {
    const { spool, clock, stuckMs } = this.#options;
    return stateOf({
      isClosed: this.#closed,
      failure: this.#failing?.reason,
      onDisk: spool?.pending ?? 0,
      isSlow: this.#slow,
      waitedMs: this.#begunMs === undefined ? 0 : clock() - this.#begunMs,
      stuckMs,
    });
  }

  #drop(priority: number): void {
    if (!this.#slow) this.#options.onEvent({ kind: "dropping" });
    this.#slow = true;
    this.#dropped[priority]!++;
  }

  #tellDropped(): void {
    const byPriority = this.#dropped.map((count, at) => count - this.#toldDropped[at]!);
    this.#toldDropped = [...this.#dropped];
    this.#options.onEvent({ kind: "dropped", byPriority });
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
    this.#move();
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
  #move(): void {
    if (this.#moving === 0 && this.#mustMove()) this.#moved = this.#moveAll();
  }

  /** Never rejects. */
  async #moveAll(): Promise<void> {
    const { spool, compose, clock } = this.#options;
    while (this.#mustMove()) {
      const alerts = this.#waiting.take(BATCH);
      this.#moving = alerts.length;
      const kept = await spool!.append(alerts.map(compose));
      this.#moving = 0;
      if (kept === alerts.length) continue;
      this.#spoolFullUntilMs = clock() + FULL_MS;
      this.#waiting.putBack(alerts.slice(kept));
    }
    this.#linger.wake();
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
