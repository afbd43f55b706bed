// Which rules fire where, counted of the whole stream and kept: headers of alerts come in by a
// durable consumer that bears the page's name, a tally goes out. What was counted is written down
// every half minute with the place up to which it goes, and only then acknowledged; a page that
// comes back begins there, so that no alert is counted twice or left out. Where nothing may be kept
// it is counted all the same, for as long as the page runs, and said.
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type JsMsg,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { hostOfToken, hostToken } from "../../nats/names.ts";
import { isUnanswered, natsReason } from "../../nats/reason.ts";
import type { HostTable } from "./host_table.ts";
import { KEPT_DAYS, KeptPlace, NameTaken, RENEW_MS, STATE_BYTES_MAX } from "./kept_place.ts";
import { pause } from "./pause.ts";
import { LOSSES_MAX, parseState, stateText } from "./page_state.ts";
import type { RuleTally } from "./rule_tally.ts";

type StreamApi = Awaited<ReturnType<typeof jetstreamManager>>;

export interface CounterOptions {
  readonly stream: string;
  readonly subject: string;
  readonly bucket: string;
  readonly replicas: number;
  readonly name: string;
  /** Somebody chose the name: no other one is taken instead. */
  readonly isNamed: boolean;
  readonly tally: RuleTally;
  readonly hosts: HostTable;
}

export interface CounterStats {
  /** The name that this page has; undefined: none, and nothing is kept. */
  readonly name: string | undefined;
  /** Why nothing is kept, or is not counted now; undefined where all is well. */
  readonly trouble: string | undefined;
  /** Alerts that the stream has and that are not counted yet. */
  readonly behind: number;
}

const SAVE_MS = 30_000;
/** A page that was never here begins so many alerts before the end. */
const FIRST_READ = 1_000_000;
const AHEAD = 2_000;
const ACK_WAIT_MS = 120_000;
const CLOSING_MS = 3_000;
/** Further pages of one host and port, such as those of containers with one name. */
const NAMES_TRIED = 9;
/** How often a place is asked for that nobody answers, and how long after one another. */
const [TRIES, AGAIN_MS] = [5, 1_000];
const NS = 1_000_000;

export class RuleCounter {
  readonly #options: CounterOptions;
  readonly #owner = crypto.randomUUID();
  readonly #closing = new AbortController();
  #name: string | undefined;
  #trouble: string | undefined = "counting begins";
  #behind = 0;
  #place: KeptPlace | undefined;
  /** When the stream was made that is counted, and the last message that is. */
  #stream = "";
  #sequence = 0;
  #last: JsMsg | undefined;
  #saved = 0;

  constructor(options: CounterOptions) {
    this.#options = options;
  }

  stats(): CounterStats {
    return { name: this.#name, trouble: this.#trouble, behind: this.#behind };
  }

  /** Counts for as long as there is the connection; rejects where something fails. */
  async read(connection: NatsConnection, begun: () => void): Promise<void> {
    this.#place = await this.#takePlace(connection);
    if (this.#closing.signal.aborted) return;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const info = await manager.streams.info(this.#options.stream);
    if (this.#stream === "" && this.#place !== undefined) await this.#restore(this.#place, info);
    if (this.#stream !== info.created) {
      this.#stream = info.created;
      this.#sequence = Math.max(info.state.last_seq - FIRST_READ, info.state.first_seq - 1, 0);
    }
    const name = await this.#makeConsumer(manager);
    const consumer = await jetstream(connection).consumers.get(this.#options.stream, name);
    const messages = await consumer.consume({ max_messages: AHEAD });
    begun();
    const over = () => void messages.close();
    connection.closed().then(over, over);
    this.#closing.signal.addEventListener("abort", over);
    let failure: unknown;
    const renewing = setInterval(() => {
      this.#renew().catch((error) => {
        failure = error;
        over();
      });
      this.#recount(consumer);
    }, RENEW_MS);
    try {
      for await (const message of messages) this.#count(message);
    } finally {
      clearInterval(renewing);
      this.#closing.signal.removeEventListener("abort", over);
    }
    if (failure !== undefined) throw failure;
  }

  /** Writes down what was counted and gives the name free, while there is the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    const place = this.#place;
    if (place === undefined) return;
    let timer = 0;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSING_MS));
    const leave = async () => {
      await this.#save(place);
      await place.leave();
    };
    await Promise.race([leave().catch(() => {}), late]);
    clearTimeout(timer);
  }

  async #takePlace(connection: NatsConnection): Promise<KeptPlace | undefined> {
    const { name: first, isNamed } = this.#options;
    for (let at = 1;; at++) {
      const name = this.#name ?? (at === 1 ? first : `${first}-${at}`);
      this.#trouble = `waiting for the name "${name}", which another page has or had`;
      try {
        const place = await this.#take(connection, name);
        this.#name = place === undefined ? undefined : name;
        this.#trouble = undefined;
        return place;
      } catch (error) {
        const isTaken = error instanceof NameTaken;
        if (isTaken && !isNamed && at < NAMES_TRIED) {
          this.#name = undefined;
          continue;
        }
        if (connection.isClosed()) throw error;
        const reason = isTaken ? `${error.message}: choose one with --name` : natsReason(error);
        this.#name = undefined;
        this.#trouble = `what is counted is not kept: ${reason}`;
        return undefined;
      }
    }
  }

  /** A server may leave unanswered what comes while another page makes the bucket. */
  async #take(connection: NatsConnection, name: string): Promise<KeptPlace | undefined> {
    const { bucket, replicas } = this.#options;
    const { signal } = this.#closing;
    for (let left = TRIES - 1;; left--) {
      try {
        return await KeptPlace.take(connection, {
          ...{ bucket, replicas, name, signal },
          owner: this.#owner,
        });
      } catch (error) {
        if (left === 0 || connection.isClosed() || !isUnanswered(error)) throw error;
        await pause(AGAIN_MS, signal);
        if (signal.aborted) return undefined;
      }
    }
  }

  async #restore(place: KeptPlace, { created }: StreamInfo): Promise<void> {
    const text = await place.load();
    const state = text === undefined ? undefined : parseState(text);
    // Of a stream that is no more nothing is to be gone on from.
    if (state === undefined || state.stream !== created) return;
    this.#stream = created;
    this.#sequence = this.#saved = state.sequence;
    this.#options.tally.restore(state.tally);
    this.#options.hosts.recall(state.losses);
  }

  /** Its place is where counting is, not where the server left off. Returns its name. */
  async #makeConsumer(manager: StreamApi): Promise<string> {
    const { stream, subject } = this.#options;
    const shared: Partial<ConsumerConfig> = {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#sequence + 1,
      filter_subject: `${subject}.*`,
      headers_only: true,
    };
    if (this.#name === undefined) {
      const { name } = await manager.consumers.add(stream, {
        ...shared,
        ack_policy: AckPolicy.None,
        inactive_threshold: 60_000 * NS,
        mem_storage: true,
      });
      return name;
    }
    const name = `saker-fleet-${hostToken(this.#name)}`;
    await manager.consumers.delete(stream, name).catch(() => false);
    await manager.consumers.add(stream, {
      ...shared,
      durable_name: name,
      ack_policy: AckPolicy.All,
      ack_wait: ACK_WAIT_MS * NS,
      max_ack_pending: -1,
      inactive_threshold: KEPT_DAYS * 86_400_000 * NS,
    });
    return name;
  }

  #count(message: JsMsg): void {
    const { seq, subject, headers, time, info } = message;
    this.#behind = info.pending;
    // One that was not acknowledged in time is sent again.
    if (seq <= this.#sequence) return;
    this.#sequence = seq;
    this.#last = message;
    const host = hostOfToken(subject.slice(this.#options.subject.length + 1));
    if (host === undefined) return;
    const rule = ruleOf(headers?.get("Saker-Rule") ?? "");
    this.#options.tally.take({ rule, host, tookMs: time.getTime() });
  }

  #quietSequence = -1;

  /** What is pending behind a message may be miscounted (stream_search.ts): where none has come
   * since it was last asked, the server counts anew from there. Never rejects. */
  async #recount(consumer: Consumer): Promise<void> {
    const [sequence, before] = [this.#sequence, this.#quietSequence];
    this.#quietSequence = sequence;
    if (this.#behind === 0 || sequence !== before) return;
    const counted = await consumer.info().catch(() => undefined);
    if (counted !== undefined && this.#sequence === sequence) this.#behind = counted.num_pending;
  }

  #renewals = 0;

  async #renew(): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    const isDue = ++this.#renewals % (SAVE_MS / RENEW_MS) === 0 && this.#saved < this.#sequence;
    if (isDue) await this.#save(place);
    else await place.renew();
  }

  async #save(place: KeptPlace): Promise<void> {
    const [sequence, last] = [this.#sequence, this.#last];
    if (this.#stream === "") return;
    const { tally, hosts } = this.#options;
    const losses = hosts.losses(LOSSES_MAX);
    await place.save(stateText({ stream: this.#stream, sequence, tally, losses }, STATE_BYTES_MAX));
    this.#saved = sequence;
    last?.ack();
  }
}

/** As the output writes it; what is none is as good as not said. */
function ruleOf(header: string): string {
  try {
    return decodeURIComponent(header).slice(0, 512);
  } catch {
    return "";
  }
}
