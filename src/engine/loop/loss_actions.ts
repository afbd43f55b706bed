// What is done about lost events (`syscall_event_drops`): totals and the time come in, the alert
// and lines that Falco has go out; whether a loss must end the run is the answer. Losses can be
// simulated, one for each second of event time, so that who relies on the actions can try them.
import type { Event } from "../../events/event.ts";
import type { EventSource } from "../../events/source.ts";
import type { Alert } from "../contract/alert.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import { dropKinds, lostByName } from "../contract/drop_kinds.ts";
import type { LossEntry } from "../contract/loss_journal.ts";
import type { DropSettings, NoticeLevel } from "../contract/messages.ts";
import { ExcessWatch } from "./excess.ts";
import { dropAlert, dropMessage, type Loss, LossWatch, type Totals } from "./loss.ts";
import { LossRecord, risen } from "./loss_record.ts";

export interface LossParts {
  readonly drops: DropSettings;
  readonly source: EventSource;
  readonly counters: Counters;
  readonly hostname: () => string;
  readonly push: (alert: Alert) => void;
  readonly nextSequence: () => number;
  /** A line for the log: whose events were lost, or Falco's line. */
  readonly onLoss: (line: string, level: NoticeLevel) => void;
  readonly onLost?: (entry: LossEntry) => void;
  readonly clock: () => number;
}

const SECOND_NS = 1_000_000_000n;

export class LossGuard {
  readonly #parts: LossParts;
  readonly #watch: LossWatch;
  readonly #excess = new ExcessWatch();
  readonly #record: LossRecord;
  #drops: DropSettings;
  /** Of the simulation: when the next loss is due, and the events at the last one. */
  #dueNs: bigint | undefined;
  #eventsThen = 0;
  /** Lost events at the last update, all and by kind. */
  #lostThen = 0;
  #kindsThen: ReadonlyMap<string, number> = new Map();
  #namesThen: ReadonlyMap<string, number> = new Map();

  constructor(parts: LossParts) {
    this.#parts = parts;
    this.#drops = parts.drops;
    this.#watch = new LossWatch(parts.drops);
    this.#record = new LossRecord(parts.source, parts.counters, parts.clock());
  }

  setDrops(drops: DropSettings): void {
    this.#drops = drops;
    this.#watch.setOptions(drops);
  }

  /** Asked for each event, so as a plain value. */
  get simulates(): boolean {
    return this.#drops.simulate === true;
  }

  /** A loss for each second of event time; whether it must end the run. */
  simulate(event: Event, events: number): boolean {
    const timeNs = event.time();
    this.#dueNs ??= timeNs + SECOND_NS;
    if (timeNs <= this.#dueNs) return false;
    this.#dueNs = timeNs + SECOND_NS;
    this.#parts.onLoss("Simulating syscall event drop", "info");
    const loss = this.#watch.pretend(events - this.#eventsThen, Number(timeNs / 1_000_000n));
    this.#eventsThen = events;
    return this.#act(loss, Number(timeNs / 1_000_000n), "", timeNs);
  }

  /** Takes the present totals; whether a loss must end the run. */
  update(totals: Totals, excess: number, nowMs: number): boolean {
    this.#excess.update(excess, this.#parts.source);
    const entry = this.#record.update([totals.lostCritical, totals.lostBulk], nowMs);
    if (entry !== undefined) this.#parts.onLost?.(entry);
    const total = totals.lostCritical + totals.lostBulk;
    const rose = total > this.#lostThen;
    this.#lostThen = total;
    const loss = this.#watch.update(totals, nowMs);
    if (loss === undefined || !this.#drops.alert) {
      const line = this.#excess.notice(nowMs);
      if (line !== undefined) this.#parts.onLoss(line, "warning");
    }
    const named = loss !== undefined && this.#drops.alert ? this.#excess.take(nowMs) : "";
    const mustEnd = this.#act(loss, nowMs, named);
    if (rose) {
      this.#kindsThen = new Map(dropKinds(this.#parts.counters));
      this.#namesThen = new Map(lostByName(this.#parts.counters));
    }
    return mustEnd;
  }

  isDegraded(nowMs: number): boolean {
    return this.#watch.isDegraded(nowMs);
  }

  #act(loss: Loss | undefined, timeMs: number, processes: string, timeNs?: bigint): boolean {
    const { counters, hostname, push, nextSequence, onLoss } = this.#parts;
    counters.set(Counter.DropsDetected, this.#watch.detected);
    counters.set(Counter.DropsActedOn, this.#watch.acted);
    if (loss === undefined) return false;
    const { log, alert, exit } = this.#drops;
    if (log || exit) onLoss(dropMessage(loss), exit ? "critical" : "warning");
    if (alert) {
      const sequence = nextSequence();
      const kinds = this.#kindsSince();
      const events = risen(new Map(lostByName(counters)), this.#namesThen);
      const time = timeNs ?? BigInt(timeMs) * 1_000_000n;
      const parts = { hostname: hostname(), time, sequence, kinds, events, processes };
      push(dropAlert({ loss, ...parts }));
    }
    if (exit) onLoss("Exiting.", "critical");
    return exit;
  }

  /** Lost events by kind since the last update; the shared numbers are up to date before it. */
  #kindsSince(): [string, number][] {
    return dropKinds(this.#parts.counters).map(([kind, lost]) => [
      kind,
      lost - (this.#kindsThen.get(kind) ?? 0),
    ]);
  }
}
