// A search in what the stream keeps, not only in what is in memory: from the newest alert
// backwards, in windows of few thousand messages. It is bounded by messages, time and what it
// finds, tells how far it has come while it runs, ends when told to, and can be gone on with.
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Alert } from "../../engine/contract/alert.ts";
import { lastOf } from "../../nats/last_of.ts";
import { hostOfToken, hostToken } from "../../nats/names.ts";
import { natsReason } from "../../nats/reason.ts";
import { fleetAlert } from "./fleet_alert.ts";
import type { FleetFilter } from "./fleet_filter.ts";

type StreamApi = Awaited<ReturnType<typeof jetstreamManager>>;

export interface SearchOptions {
  readonly stream: string;
  readonly subject: string;
  readonly filter: FleetFilter;
  /** Searches what is older than this message of the stream; undefined: all. */
  readonly before: number | undefined;
  readonly bounds?: Partial<SearchBounds>;
}

export interface SearchBounds {
  readonly messages: number;
  readonly ms: number;
  readonly found: number;
}

export const SEARCH_BOUNDS: SearchBounds = { messages: 1_000_000, ms: 60_000, found: 200 };

/** Why it is over. */
export type SearchEnd = "all" | "found" | "messages" | "time" | "stopped" | "failed";

export interface SearchProgress {
  readonly end: SearchEnd | undefined;
  /** Why it failed. */
  readonly reason: string | undefined;
  /** Messages that were read, and about how many there are in all. */
  readonly read: number;
  readonly total: number | undefined;
  /** When the server took the oldest message that was searched. */
  readonly reachedMs: number | undefined;
  /** Messages that are no alert of a host. */
  readonly unreadable: number;
  /** The newest first. */
  readonly found: readonly Alert[];
  /** What it could be gone on with; undefined: nothing is left. */
  readonly before: number | undefined;
}

/** Messages of a window: few at first, so that something is shown soon, then more, since each costs
 * the server a consumer; and how many numbers of the stream it may go through at the most. */
const [WINDOW_FIRST, WINDOW_MAX] = [2_000, 20_000];
const WIDTH_MAX = 1 << 30;
/** A window in which there are so many after all is halved. */
const WIDE = 2 * WINDOW_MAX;
/** Messages that the server sends ahead. */
const AHEAD = 2_000;
/** An alert may reach the stream so long after its time and is found by `to` nevertheless. */
export const LATE_MS = 3_600_000;
/** Clocks of hosts may be ahead by so much. */
const AHEAD_MS = 5 * 60_000;
/** Others have their turn after so long. */
const TURN_MS = 15;
const ANSWER_MS = 10_000;
const WATCH_MS = 500;
const NS = 1_000_000;

export class StreamSearch {
  readonly #options: SearchOptions;
  readonly #bounds: SearchBounds;
  readonly #filter: string;
  #isStopped = false;
  #end: SearchEnd | undefined;
  #reason: string | undefined;
  #read = 0;
  #total: number | undefined;
  #reachedMs: number | undefined;
  #unreadable = 0;
  readonly #found: Alert[] = [];
  /** The first message that is not to be searched any more. */
  #before: number | undefined;
  #turnMs = 0;
  #endMs = Infinity;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#bounds = { ...SEARCH_BOUNDS, ...options.bounds };
    this.#before = options.before;
    const { host } = options.filter;
    this.#filter = `${options.subject}.${host === undefined ? "*" : hostToken(host)}`;
  }

  progress(): SearchProgress {
    return {
      end: this.#end,
      reason: this.#reason,
      read: this.#read,
      total: this.#total,
      reachedMs: this.#reachedMs,
      unreadable: this.#unreadable,
      found: this.#found,
      before: this.#end === "all" ? undefined : this.#before,
    };
  }

  /** It ends within one message. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Once. Never rejects. */
  async run(connection: NatsConnection): Promise<void> {
    this.#endMs = performance.now() + this.#bounds.ms;
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_MS });
      this.#end = await this.#search(connection, manager);
    } catch (error) {
      this.#end = "failed";
      this.#reason = natsReason(error);
    }
  }

  async #search(connection: NatsConnection, manager: StreamApi): Promise<SearchEnd> {
    const { stream, filter, before } = this.#options;
    const { state } = await manager.streams.info(stream);
    const [fromMs, toMs] = [filter.fromMs, filter.toMs];
    // Behind the last one nothing comes that would end a window.
    let upper = Math.min((before ?? Infinity) - 1, await this.#lastOf(manager));
    if (toMs !== undefined) {
      upper = Math.min(upper, await this.#firstAt(connection, manager, toMs + LATE_MS) - 1);
    }
    let lower = state.first_seq;
    if (fromMs !== undefined) {
      lower = Math.max(lower, await this.#firstAt(connection, manager, fromMs - AHEAD_MS));
    }
    if (upper < lower) return "all";
    let beyond = await this.#pendingFrom(manager, upper + 1);
    this.#total = within(await this.#pendingFrom(manager, lower) - beyond, upper - lower + 1);
    this.#before = upper + 1;
    let [width, most] = [WINDOW_FIRST, WINDOW_FIRST];
    while (upper >= lower) {
      const end = this.#over();
      if (end !== undefined) return end;
      const first = Math.max(lower, upper - width + 1);
      const { name, num_pending } = await this.#consumer(manager, startAt(first));
      const count = within(num_pending - beyond, upper - first + 1);
      let isTooMany = count > most;
      if (!isTooMany) {
        const consumer = await jetstream(connection).consumers.get(stream, name);
        const cut = await this.#window(consumer, upper);
        isTooMany = cut === "wide";
        if (cut !== undefined && cut !== "wide") return cut;
      }
      await manager.consumers.delete(stream, name).catch(() => false);
      if (isTooMany) {
        width = Math.ceil(Math.min(width, upper - first + 1) / 2);
        continue;
      }
      beyond = num_pending;
      upper = first - 1;
      this.#before = first;
      if (count > most / 2) most = Math.min(2 * most, WINDOW_MAX);
      if (count <= most / 2) width = Math.min(2 * width, WIDTH_MAX);
    }
    return "all";
  }

  /**
   * Searches those up to the number `last`; why it was given up, undefined: it is done. What the
   * server counts as pending does not end it: where many subjects are asked for, 2.9 counts some of
   * them twice and others not at all (`filteredPendingLocked` in its filestore.go).
   */
  async #window(consumer: Consumer, last: number): Promise<SearchEnd | "wide" | undefined> {
    const messages = await consumer.consume({ max_messages: AHEAD, expires: ANSWER_MS });
    const found: { readonly alert: Alert; readonly tookMs: number }[] = [];
    const room = this.#bounds.found - this.#found.length;
    let oldestMs: number | undefined;
    let [read, isWhole, wasCut] = [0, false, false];
    let heardMs = performance.now();
    // A server that has gone sends nothing, and says nothing.
    const watch = setInterval(async () => {
      const nowMs = performance.now();
      const isOver = nowMs - heardMs > ANSWER_MS || nowMs > this.#endMs || this.#isStopped;
      if (isOver) messages.stop();
      if (isOver || nowMs - heardMs < WATCH_MS) return;
      // The stream may have forgotten the last ones meanwhile: has the server looked that far?
      const { delivered } = await consumer.info().catch(() => undefined) ?? {};
      if (delivered === undefined || delivered.stream_seq < last) return;
      if (delivered.consumer_seq > read) return;
      isWhole = true;
      messages.stop();
    }, WATCH_MS);
    try {
      for await (const message of messages) {
        heardMs = performance.now();
        isWhole = message.seq > last;
        if (isWhole) break;
        const tookMs = message.time.getTime();
        oldestMs ??= tookMs;
        read++;
        const alert = this.#alertOf(message);
        if (alert !== undefined) found.push({ alert, tookMs });
        if (found.length > room) wasCut = found.shift() !== undefined;
        await this.#turn();
        if (this.#isStopped || performance.now() > this.#endMs) break;
        isWhole = message.seq === last;
        if (isWhole) break;
        if (read >= WIDE) return "wide";
      }
    } finally {
      clearInterval(watch);
      await messages.close();
    }
    // Of a window that is not read to its end nothing counts: it is gone on with before it.
    if (!isWhole && this.#isStopped) return "stopped";
    if (!isWhole && performance.now() > this.#endMs) return "time";
    if (!isWhole) throw new Error("no answer in time");
    this.#read += read;
    this.#found.push(...found.reverse().map(({ alert }) => alert));
    this.#reachedMs = wasCut ? found.at(-1)!.tookMs : oldestMs ?? this.#reachedMs;
    if (!wasCut) return undefined;
    this.#before = this.#found.at(-1)!.sequence;
    return "found";
  }

  #alertOf(message: JsMsg): Alert | undefined {
    const { subject, headers, data, seq, time } = message;
    const { filter } = this.#options;
    let known: string | undefined;
    const envelope = {
      header: (name: string) => headers?.get(name) ?? "",
      text: () => known ??= new TextDecoder().decode(data),
    };
    if (!filter.mayBe(envelope)) return undefined;
    const alert = alertOf(this.#options.subject, { subject, seq, time, data });
    if (alert === undefined) this.#unreadable++;
    return alert !== undefined && filter.takes(alert) ? alert : undefined;
  }

  #over(): SearchEnd | undefined {
    if (this.#isStopped) return "stopped";
    if (this.#found.length >= this.#bounds.found) return "found";
    if (this.#read >= this.#bounds.messages) return "messages";
    return performance.now() > this.#endMs ? "time" : undefined;
  }

  async #turn(): Promise<void> {
    if (performance.now() - this.#turnMs < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#turnMs = performance.now();
  }

  async #pendingFrom(manager: StreamApi, sequence: number): Promise<number> {
    const { name, num_pending } = await this.#consumer(manager, startAt(sequence));
    await manager.consumers.delete(this.#options.stream, name).catch(() => false);
    return num_pending;
  }

  /** The newest message that may be searched; 0: there is none. */
  async #lastOf(manager: StreamApi): Promise<number> {
    const last = await lastOf(manager.streams, this.#options.stream, this.#filter);
    return last?.seq ?? 0;
  }

  /** The first message that the server took at that time or later; what follows the last: none. */
  async #firstAt(
    connection: NatsConnection,
    manager: StreamApi,
    ms: number,
  ): Promise<number> {
    const { stream } = this.#options;
    // Of any subject: what is pending of all is counted well.
    const { name, num_pending } = await this.#consumer(manager, {
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: new Date(Math.max(0, ms)).toISOString(),
    }, []);
    try {
      if (num_pending === 0) return Infinity;
      const consumer = await jetstream(connection).consumers.get(stream, name);
      const message = await consumer.next({ expires: ANSWER_MS });
      if (message === null) throw new Error("no answer in time");
      return message.seq;
    } finally {
      await manager.consumers.delete(stream, name).catch(() => false);
    }
  }

  #consumer(
    manager: StreamApi,
    from: Partial<ConsumerConfig>,
    [filter_subject]: readonly string[] = [this.#filter],
  ) {
    return manager.consumers.add(this.#options.stream, {
      ...from,
      ...(filter_subject === undefined ? {} : { filter_subject }),
      ack_policy: AckPolicy.None,
      mem_storage: true,
      inactive_threshold: 2 * ANSWER_MS * NS,
    });
  }
}

/** What the server counts may be more than there can be, or less than nothing. */
function within(count: number, most: number): number {
  return Math.min(Math.max(0, count), most);
}

function startAt(sequence: number): Partial<ConsumerConfig> {
  return {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, sequence),
  };
}

/** What the stream has as the message of that number. */
export async function alertAt(
  connection: NatsConnection,
  { stream, subject }: Pick<SearchOptions, "stream" | "subject">,
  sequence: number,
): Promise<Alert | undefined> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_MS });
  const message = await manager.streams.getMessage(stream, { seq: sequence });
  return message === null ? undefined : alertOf(subject, message);
}

type Stored = Pick<JsMsg, "subject" | "seq" | "time" | "data">;

/** Of `SUBJECT.HOST`; undefined where it is no alert of a host. */
export function alertOf(subject: string, { subject: of, seq, time, data }: Stored) {
  const host = of.startsWith(`${subject}.`) ? hostOfToken(of.slice(subject.length + 1)) : undefined;
  if (host === undefined) return undefined;
  return fleetAlert({ host, sequence: seq, tookMs: time.getTime(), payload: data });
}
