// Whether many events were lost lately: the shared counters come in once a second, what is to be
// told of it goes out. Many is more than `syscall_event_drops.threshold` allows of a second.
import { Counter, type Counters } from "../engine/contract/counters.ts";

/** For so long after the last such loss it is told. */
const TOLD_MS = 5 * 60_000;

export class Losses {
  readonly #counters: Counters;
  /** What was lost, and how often it was too much, at the last look; nothing before the start. */
  #lost = 0;
  #detected = 0;
  /** What had been lost before the losses that are told now, and when the last of those was. */
  #lostBefore = 0;
  #lastMs: number | undefined;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    const lost = this.#counters.get(Counter.LostCritical) + this.#counters.get(Counter.LostBulk);
    const detected = this.#counters.get(Counter.DropsDetected);
    if (this.#lastMs !== undefined && nowMs - this.#lastMs >= TOLD_MS) this.#lastMs = undefined;
    if (detected > this.#detected) {
      if (this.#lastMs === undefined) this.#lostBefore = this.#lost;
      this.#lastMs = nowMs;
    }
    this.#lost = lost;
    this.#detected = detected;
  }

  trouble(nowMs: number): string | undefined {
    if (this.#lastMs === undefined) return undefined;
    const ago = Math.max(0, Math.round((nowMs - this.#lastMs) / 1000));
    const lost = this.#lost - this.#lostBefore;
    // Simulated ones are no events.
    if (lost <= 0) return undefined;
    return `${lost} events were lost, last ${ago} s ago`;
  }
}
