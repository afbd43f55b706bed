// The alerts as they pass, for clients that follow them over HTTP (GET /alerts): alerts come in
// from the outputs' tap, each client that wants one has it put into a queue of its own. Nobody
// waits here, so that no client slows the outputs or another client.
import { alertId, formatJson, type FormatOptions } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { AlertClient, type ClientLimits, namedEvent } from "./alert_client.ts";
import type { AlertFilter } from "./alert_filter.ts";
import { AlertRing, type RingLimits } from "./alert_ring.ts";

export interface StreamOptions {
  readonly format: FormatOptions;
  readonly clientsMax?: number;
  readonly ring?: Partial<RingLimits>;
  readonly client?: ClientLimits;
}

export interface StreamStats {
  readonly clients: number;
  /** Clients so far, and those that were turned away since there were too many. */
  readonly opened: number;
  readonly refused: number;
  /** Alerts that clients were sent, and that slow ones did not get. */
  readonly sent: number;
  readonly dropped: number;
  /** Alerts that are held, with and without a dossier, and those that gave way. */
  readonly held: number;
  readonly dossiers: number;
  readonly given_way: number;
  readonly dossiers_given_way: number;
}

/** An alert as one line of text. */
export type WriteAlert = (alert: Alert) => string;

interface Wish {
  readonly filter: Followed;
  readonly write: WriteAlert | undefined;
}

type Followed = Pick<AlertFilter, "takes" | "after">;

const CLIENTS_MAX = 16;
/** Proxies and clients give up on a stream that is silent for a minute, or half of one. */
export const BEAT_MS = 15_000;
/** A client that lost its connection waits so long before it comes back. */
const RETRY_MS = 3_000;
/** Alerts that one who comes back is sent at once, at the most: less than may wait for it. */
const RESUMED_MAX = 1024;

export class AlertStream {
  readonly #options: StreamOptions;
  #format: FormatOptions;
  /** What is held of the alerts so far. */
  readonly held: AlertRing;
  readonly #clients = new Map<AlertClient, Wish>();
  #opened = 0;
  #refused = 0;
  #sent = 0;
  /** Of clients that have gone. */
  #dropped = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#format = options.format;
    this.held = new AlertRing(options.ring);
  }

  /** Alerts so far. */
  get taken(): number {
    const { held, givenWay } = this.held.stats();
    return held + givenWay;
  }

  /** Takes alerts as they are sent to the outputs. */
  take(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      this.held.push(alert);
      if (this.#clients.size > 0) this.#offer(alert);
    }
  }

  /** How alerts are written from now on. */
  reformat(format: FormatOptions): void {
    this.#format = format;
  }

  /** A new client's stream, of alerts as it wants them written (else as `json_output` does);
   * undefined where there are too many. */
  open(filter: Followed, write?: WriteAlert): ReadableStream<Uint8Array> | undefined {
    if (this.#clients.size >= (this.#options.clientsMax ?? CLIENTS_MAX)) {
      this.#refused++;
      return undefined;
    }
    const client: AlertClient = new AlertClient(() => {
      this.#clients.delete(client);
      this.#dropped += client.dropped;
    }, this.#options.client);
    this.#clients.set(client, { filter, write });
    this.#opened++;
    // Headers alone would be held back by some proxies until there is something to hand on.
    client.tell(`retry: ${RETRY_MS}\n\n`);
    if (filter.after !== undefined) this.#resume(client, { filter, write }, filter.after);
    return client.stream();
  }

  /** To be called every BEAT_MS. */
  beat(): void {
    for (const client of this.#clients.keys()) client.beat();
  }

  /** Ends all streams. */
  close(): void {
    for (const client of [...this.#clients.keys()]) client.end();
  }

  stats(): StreamStats {
    let dropped = this.#dropped;
    const { held, dossiers, givenWay, dossiersGivenWay } = this.held.stats();
    for (const client of this.#clients.keys()) dropped += client.dropped;
    return {
      clients: this.#clients.size,
      opened: this.#opened,
      refused: this.#refused,
      sent: this.#sent - dropped,
      dropped,
      held,
      dossiers,
      given_way: givenWay,
      dossiers_given_way: dossiersGivenWay,
    };
  }

  #offer(alert: Alert): void {
    let event: string | undefined;
    for (const [client, { filter, write }] of this.#clients) {
      if (!filter.takes(alert)) continue;
      if (write !== undefined) client.offer(eventOf(alert, write(alert)));
      else client.offer(event ??= this.#event(alert));
      this.#sent++;
    }
  }

  /** What came while the client was away, as far as it is held. */
  #resume(client: AlertClient, { filter, write }: Wish, after: string): void {
    const { alerts, complete, missing, leftOff } = this.held.after(after, RESUMED_MAX);
    if (!complete) {
      client.tell(namedEvent("gap", {
        after,
        reason: "this alert is not held any more, or is of another run: what is held follows",
      }));
    }
    if (missing > 0) {
      client.tell(namedEvent("gap", {
        after,
        missed: missing,
        reason: "too many alerts came: those of the rules with most of them are not held any more",
      }));
    }
    if (leftOff > 0) {
      client.tell(namedEvent("gap", {
        after,
        missed: leftOff,
        reason: `only the last ${RESUMED_MAX} are sent again: GET /alerts/recent has the others`,
      }));
    }
    for (const alert of alerts) {
      if (!filter.takes(alert)) continue;
      client.offer(write === undefined ? this.#event(alert) : eventOf(alert, write(alert)));
      this.#sent++;
    }
  }

  #event(alert: Alert): string {
    return eventOf(alert, formatJson(alert, this.#format));
  }
}

function eventOf(alert: Alert, data: string): string {
  return `id: ${alertId(alert)}\ndata: ${data}\n\n`;
}
