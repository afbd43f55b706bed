// The outputs of a run whose configuration may change under way: the outputs of the present one.
// Alerts that come while old ones are being closed wait, so that nothing comes out twice, mixed or
// in another order.
import type { Estate, Outputs } from "../../alerts/outputs.ts";
import type { QueueStats } from "../../alerts/queue.ts";
import type { Alert } from "../../engine/contract/alert.ts";

/** Gets all alerts in order, at once; must not wait nor throw. */
export type Listener = (alerts: readonly Alert[]) => void;

/** An output that the new configuration does not have, and what still waited there. */
export interface GivenUp {
  readonly output: string;
  readonly alerts: number;
}

/** Alerts that wait for outputs to be exchanged at the most; the newest are refused. */
const HELD_MAX = 65_536;

/** The clock of saker's own alerts. */
const NS_OF_MS = 1_000_000n;

/** Outputs may hold alerts for long, and none of them has dossiers. */
function plain(alert: Alert): Alert {
  if (alert.dossier === undefined) return alert;
  const { dossier: _dossier, ...rest } = alert;
  return rest;
}

export class LiveOutputs {
  #outputs: Outputs;
  /** Alerts of an exchange under way. */
  #held: Alert[] | undefined;
  #refused = 0;
  #exchange: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<Listener>();
  /** Of the last alert of saker's own, ns since the epoch. */
  #ownTime = -NS_OF_MS;

  constructor(outputs: Outputs) {
    this.#outputs = outputs;
  }

  send(given: readonly Alert[]): void {
    const told = given.map((alert) => this.#named(alert));
    for (const listener of this.#listeners) listener(told);
    const alerts = told.map(plain);
    if (this.#held === undefined) return this.#outputs.send(alerts);
    const room = Math.max(0, HELD_MAX - this.#held.length);
    this.#held.push(...alerts.slice(0, room));
    this.#refused += alerts.length - Math.min(room, alerts.length);
  }

  /** Saker's own have no number, so it is their time that names them: each has one of its own. */
  #named(alert: Alert): Alert {
    if (alert.sequence !== 0) return alert;
    const isOfLast = alert.time / NS_OF_MS === this.#ownTime / NS_OF_MS;
    this.#ownTime = isOfLast ? this.#ownTime + 1n : alert.time;
    return isOfLast ? { ...alert, time: this.#ownTime } : alert;
  }

  /** Lets somebody see all alerts from now on, whatever outputs there are, until what it returns is
   * called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The outputs that `make` gives, from the next alert on: the old ones have `timeoutMs` to write
   * what they have, and are closed before the new ones are made; what still waits then goes on in
   * the new output of the same name. `make` must not throw.
   */
  exchange(make: () => Outputs, timeoutMs: number): Promise<readonly GivenUp[]> {
    this.#held ??= [];
    const exchange = this.#exchange.then(async () => {
      // An exchange before this one has let go of them.
      this.#held ??= [];
      const estate = await this.#outputs.retire(timeoutMs);
      this.#outputs = make();
      const givenUp = this.#giveUp(this.#outputs.inherit(estate));
      this.#outputs.send(this.#held);
      this.#held = undefined;
      return givenUp;
    });
    this.#exchange = exchange;
    return exchange;
  }

  #giveUp(estate: Estate): GivenUp[] {
    const all = [...estate].map(([output, { held, alerts }]) => ({
      output,
      alerts: held.length + alerts.length,
    }));
    for (const { alerts } of all) this.#refused += alerts;
    return all.filter(({ alerts }) => alerts > 0);
  }

  async check(): Promise<void> {
    await this.#outputs.check();
  }

  async drained(patienceMs: number): Promise<void> {
    await this.#exchange;
    await this.#outputs.drained(patienceMs);
  }

  reopen(): void {
    this.#outputs.reopen();
  }

  async close(timeoutMs: number, patienceMs?: number): Promise<void> {
    await this.#exchange;
    await this.#outputs.close(timeoutMs, patienceMs);
  }

  /** Of the present outputs; what an exchange had no place for counts with the first one. */
  stats(): QueueStats[] {
    const stats = this.#outputs.stats();
    const first = stats[0];
    if (this.#refused === 0 || first === undefined) return stats;
    return [{ ...first, dropped: first.dropped + this.#refused }, ...stats.slice(1)];
  }
}
