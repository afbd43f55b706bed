// Which alerts cross to the main thread when it cannot take all of them: one rule that floods must
// not push out what the others tell. Alerts come in with how many are under way; those that may
// go come out, the others are the caller's to count.
import type { Alert } from "../contract/alert.ts";

export interface GateOptions {
  /** Alerts under way at the most. */
  readonly limit: number;
  /** Beyond the limit, a rule has this many alerts a second, up to twice the limit for all. */
  readonly rarePerSecond: number;
}

const WINDOW_MS = 1_000;

export class AlertGate {
  readonly #options: GateOptions;
  readonly #byRule = new Map<string, number>();
  #windowMs = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** The alerts that may go, in order: all of them while there is room. */
  admit(alerts: readonly Alert[], underWay: number, nowMs: number): readonly Alert[] {
    const { limit, rarePerSecond } = this.#options;
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#byRule.clear();
    }
    const full = underWay >= limit;
    const admitted = alerts.filter(({ rule }) => {
      const count = (this.#byRule.get(rule) ?? 0) + 1;
      this.#byRule.set(rule, count);
      return !full || count <= rarePerSecond;
    });
    return full && underWay >= 2 * limit ? [] : admitted;
  }
}
