// Lost events: totals come in about once a second, what must be told of them goes out: whether
// alerts are degraded, and Falco's drop alert under its threshold and rate.
import type { Alert } from "../contract/alert.ts";
import type { LossOptions } from "../contract/messages.ts";

export interface Totals {
  readonly events: number;
  readonly lostCritical: number;
  readonly lostBulk: number;
  /** Calls of which nothing is known, wanted or not. */
  readonly skipped?: number;
}

export interface Loss {
  readonly events: number;
  readonly lost: number;
}

/** Alerts for so long after a loss may tell less than what happened. */
export const DEGRADED_MS = 5_000;

export class LossWatch {
  #options: LossOptions;
  /** Losses over the threshold, and those of them that were acted on. */
  detected = 0;
  acted = 0;
  #last: Totals = { events: 0, lostCritical: 0, lostBulk: 0 };
  #degradedUntilMs = 0;
  #tokens: number;
  #tokensAtMs: number | undefined;

  constructor(options: LossOptions) {
    this.#options = options;
    this.#tokens = options.burst;
  }

  /** Other settings from now on; what was granted stays granted. */
  setOptions(options: LossOptions): void {
    this.#options = options;
    this.#tokens = Math.min(this.#tokens, options.burst);
  }

  /** Takes the present totals; returns the loss that is to be acted on, if any. */
  update(totals: Totals, nowMs: number): Loss | undefined {
    const lost = totals.lostCritical - this.#last.lostCritical +
      (totals.lostBulk - this.#last.lostBulk);
    const events = totals.events - this.#last.events;
    const skipped = (totals.skipped ?? 0) > (this.#last.skipped ?? 0);
    this.#last = totals;
    if (lost > 0 || skipped) this.#degradedUntilMs = nowMs + DEGRADED_MS;
    if (lost <= 0) return undefined;
    if (lost / (events + lost) <= this.#options.threshold) return undefined;
    return this.#detect({ events, lost }, nowMs);
  }

  /** One event more was lost, or it is acted as if: whatever the threshold. */
  pretend(events: number, nowMs: number): Loss | undefined {
    return this.#detect({ events, lost: 1 }, nowMs);
  }

  #detect(loss: Loss, nowMs: number): Loss | undefined {
    this.detected++;
    if (!this.#takeToken(nowMs)) return undefined;
    this.acted++;
    return loss;
  }

  isDegraded(nowMs: number): boolean {
    return nowMs < this.#degradedUntilMs;
  }

  #takeToken(nowMs: number): boolean {
    const passed = (nowMs - (this.#tokensAtMs ?? nowMs)) / 1000;
    this.#tokensAtMs = nowMs;
    this.#tokens = Math.min(this.#options.burst, this.#tokens + passed * this.#options.rate);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** What Falco's log and its alert say of a loss. */
export function dropMessage({ lost }: Loss): string {
  return `Falco internal: syscall event drop. ${lost} system calls dropped in last second.`;
}

export interface DropAlertOptions {
  readonly loss: Loss;
  readonly hostname: string;
  readonly time: bigint;
  readonly sequence: number;
  /** Of the lost, by Falco's kinds. */
  readonly kinds: readonly (readonly [kind: string, lost: number])[];
  /** Ours: the same by name. */
  readonly events?: readonly (readonly [event: string, lost: number])[];
  /** Ours: whose events they were, as far as single processes lost them over their share. */
  readonly processes: string;
}

/** Falco's alert of lost events; its readers know these names and that values are texts. */
export function dropAlert(options: DropAlertOptions): Alert {
  const { loss, hostname, time, sequence, kinds, events = [], processes } = options;
  const byEvent = events.map(([name, lost]) => `${name}: ${lost}`).join(", ");
  return {
    hostname,
    message: dropMessage(loss),
    outputFields: [
      ["ebpf_enabled", "1"],
      ["n_drops", String(loss.lost)],
      // Saker loses events where a ring is full, and for no other reason that Falco has.
      ["n_drops_buffer_total", String(loss.lost)],
      ...kinds.map(([kind, lost]) => [`n_drops_buffer_${kind}_exit`, String(lost)] as const),
      ["n_drops_bug", "0"],
      ["n_drops_page_faults", "0"],
      ["n_drops_scratch_map", "0"],
      ["n_evts", String(loss.events)],
      ...(byEvent === "" ? [] : [["lost_by_event", byEvent] as const]),
      ...(processes === "" ? [] : [["over_share", processes] as const]),
    ],
    priority: 7,
    rule: "Falco internal: syscall event drop",
    source: "internal",
    tags: undefined,
    time,
    sequence,
    degraded: true,
  };
}
