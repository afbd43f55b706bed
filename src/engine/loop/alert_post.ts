// Alerts on their way to the main thread: they come in one by one and go in batches, marked where
// events were lost meanwhile. What the main thread cannot take is dropped by rule, or waited for.
import type { Alert } from "../contract/alert.ts";
import { Counter } from "../contract/counters.ts";
import { ALERTS_IN_FLIGHT_MAX } from "../contract/messages.ts";
import { AlertGate } from "./alert_gate.ts";
import type { EngineParts } from "./engine_parts.ts";

/** Alerts ask for losses at most this often, so that those right behind one say so. */
const LOSS_MS = 20;
/** Alerts of a rule that pass in a second although the main thread is behind. */
const RARE_PER_SECOND = 16;
/** The main thread may be behind for so long before an engine that waits shows that it lives. */
const IDLE_MS = 100;
/** Alerts are posted at this many, or so late where a source has more at once. */
const postAt = (patient: boolean) => patient ? 256 : 64;
const gatherMs = (patient: boolean) => patient ? 100 : 20;

export class AlertPost {
  /** Events were lost shortly before. */
  degraded = false;
  /** Events that are known to be lost. */
  lost = 0;
  readonly #parts: EngineParts;
  readonly #gate = new AlertGate({ limit: ALERTS_IN_FLIGHT_MAX, rarePerSecond: RARE_PER_SECOND });
  #pending: Alert[] = [];
  #lossAtMs = 0;
  #postedAtMs = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  push(alert: Alert): void {
    this.#pending.push(alert);
    if (this.#pending.length >= postAt(this.#parts.options.patient)) this.flush();
  }

  /** Whether what waits has waited long enough. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#postedAtMs >= gatherMs(this.#parts.options.patient);
  }

  /** Hands over what waits. */
  flush(): void {
    if (this.#pending.length === 0) return;
    this.#postedAtMs = this.#parts.clock();
    const { counters, post, options } = this.#parts;
    const alerts = this.#marked(this.#pending);
    this.#pending = [];
    const inFlight = () => counters.get(Counter.AlertsPosted) - counters.get(Counter.AlertsTaken);
    while (inFlight() >= ALERTS_IN_FLIGHT_MAX && options.patient && !counters.stopping) {
      counters.set(Counter.HeartbeatMs, this.#parts.clock());
      counters.waitForMain(IDLE_MS);
    }
    counters.add(Counter.Alerts, alerts.length);
    const admitted = options.patient
      ? alerts
      : this.#gate.admit(alerts, inFlight(), this.#parts.clock());
    counters.add(Counter.AlertsDropped, alerts.length - admitted.length);
    if (admitted.length === 0) return;
    counters.add(Counter.AlertsPosted, admitted.length);
    post(admitted);
  }

  /** The alerts with a loss told that happened since the numbers were last read. */
  #marked(alerts: Alert[]): Alert[] {
    const { source, clock, options } = this.#parts;
    const nowMs = clock();
    if (options.patient || nowMs - this.#lossAtMs < LOSS_MS) return alerts;
    this.#lossAtMs = nowMs;
    const [critical, bulk] = source.stats().lost;
    if (critical + bulk === this.lost) return alerts;
    this.lost = critical + bulk;
    this.degraded = true;
    return alerts.map((alert) => ({ ...alert, degraded: true }));
  }
}
