// The last alerts, so that a client that was away can go on where it left: bounded by number and by
// what their texts take.
import { alertId } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";

export interface RingLimits {
  readonly alerts: number;
  /** Characters of all messages and fields together. */
  readonly chars: number;
}

export const RING_LIMITS: RingLimits = { alerts: 1024, chars: 2 << 20 };

/** Alerts behind a place; `complete`: none between is missing. */
export interface Following {
  readonly alerts: readonly Alert[];
  readonly complete: boolean;
}

export class AlertRing {
  readonly #limits: RingLimits;
  /** Circular: the oldest stands at `#first`. */
  readonly #alerts: (Alert | undefined)[];
  #first = 0;
  #count = 0;
  #chars = 0;

  constructor(limits: RingLimits = RING_LIMITS) {
    this.#limits = limits;
    this.#alerts = new Array<Alert | undefined>(limits.alerts).fill(undefined);
  }

  get size(): number {
    return this.#count;
  }

  push(alert: Alert): void {
    const { alerts, chars } = this.#limits;
    if (this.#count === alerts) this.#shift();
    this.#alerts[(this.#first + this.#count++) % alerts] = alert;
    this.#chars += charsOf(alert);
    // The newest stays, however long it is.
    while (this.#chars > chars && this.#count > 1) this.#shift();
  }

  /**
   * What came behind the alert that is named by its id, or by its number (`seq`). Where the ring
   * does not have it, all that there is, which is not known to be complete.
   */
  after(place: string): Following {
    const held = Array.from(
      { length: this.#count },
      (_, at) => this.#alerts[(this.#first + at) % this.#limits.alerts]!,
    );
    const at = held.findLastIndex((alert) =>
      place === alertId(alert) || (alert.sequence > 0 && place === `${alert.sequence}`)
    );
    return { alerts: held.slice(at + 1), complete: at >= 0 };
  }

  #shift(): void {
    this.#chars -= charsOf(this.#alerts[this.#first]!);
    this.#alerts[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#limits.alerts;
    this.#count--;
  }
}

function charsOf({ message, outputFields }: Alert): number {
  let chars = message.length;
  for (const [name, value] of outputFields) {
    chars += name.length + (typeof value === "string" ? value.length : 16);
  }
  return chars;
}
