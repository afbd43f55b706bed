// What a page of a fleet reads of JetStream, for as long as it runs: the newest alerts of the
// stream and then those that come, the bucket of hosts, and what is counted (rule_counter.ts). Each
// page has consumers of its own, so any number of them stand side by side and each sees all. Where
// the server goes, alerts go on where they were, and the bucket is read anew.
import { DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Alert } from "../../engine/contract/alert.ts";
import { connectNats } from "../../nats/connect.ts";
import { hostOfToken } from "../../nats/names.ts";
import type { NatsOptions } from "../../nats/options.ts";
import { natsReason } from "../../nats/reason.ts";
import { visibleLine } from "../../words/visible.ts";
import { parsePresence, PRESENCE_BYTES_MAX } from "../contract/presence.ts";
import type { HostTable } from "./host_table.ts";
import { pause } from "./pause.ts";
import type { RuleCounter } from "./rule_counter.ts";
import { alertOf } from "./stream_search.ts";

export interface FollowOptions {
  readonly connect: NatsOptions;
  readonly stream: string;
  readonly subject: string;
  readonly bucket: string;
  /** Alerts of the stream that are read at first. */
  readonly held: number;
  readonly hosts: HostTable;
  readonly counter: RuleCounter;
  readonly take: (alerts: readonly Alert[]) => void;
  /** Is told, in a line, why nothing can be read, and when all can be again. */
  readonly say: (line: string) => void;
}

export interface FollowStats {
  /** Why nothing can be read, and since when; undefined where all is well. */
  readonly trouble: { readonly why: string; readonly sinceMs: number } | undefined;
  readonly alerts: number;
  /** Messages that are no alert of a host. */
  readonly unreadable: number;
}

/** What fails is tried again after so long. */
const AGAIN_MS = 3_000;
/** Messages that the server sends ahead, and the bytes that those may be. */
const AHEAD = 500;
const EVERY_TICK_MS = 1_000;
/** No trouble yet. */
const CONNECTING = "connecting";

/** Reads for as long as there is the connection; tells when nothing stands in its way any more. */
type Reading = (begun: () => void) => Promise<void>;

export class FleetFollower {
  readonly #options: FollowOptions;
  readonly #ticker: number;
  #connection: NatsConnection | undefined;
  /** The stream's number of the last alert. */
  #last = 0;
  #alerts = 0;
  #unreadable = 0;
  /** Of each that is read. */
  readonly #troubles = new Map<string, string>();
  /** Since when there is any of them. */
  #troubledMs = 0;
  #said: string | undefined;
  /** Whether hosts are heard: nobody is silent because this page is deaf. */
  #hears: "not yet" | "yes" | "no more" = "not yet";
  readonly #closing = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#tell("server", CONNECTING);
    this.#ticker = setInterval(() => {
      if (this.#hears === "yes") options.hosts.tick(Date.now());
    }, EVERY_TICK_MS);
    // Never rejects.
    this.#ended = this.#run();
  }

  stats(): FollowStats {
    const [why] = this.#troubles.values();
    const trouble = why === undefined ? undefined : { why, sinceMs: this.#troubledMs };
    return { trouble, alerts: this.#alerts, unreadable: this.#unreadable };
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What there is now; undefined: there is none. */
  get connection(): NatsConnection | undefined {
    return this.#connection?.isClosed() === false ? this.#connection : undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#ticker);
    if (this.connection !== undefined) await this.#options.counter.close();
    await this.#connection?.close().catch(() => {});
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const connection = await connectNats(this.#options.connect);
        this.#connection = connection;
        if (this.#isClosed) await connection.close();
        this.#mend("server");
        const again = (what: string, read: Reading) => this.#again(what, connection, read);
        await Promise.all([
          again("alerts", (begun) => this.#readAlerts(connection, begun)),
          again("hosts", (begun) => this.#readHosts(connection, begun)),
          again("rules", (begun) => this.#options.counter.read(connection, begun)),
          connection.closed(),
        ]);
        this.#tell("server", "the connection is closed");
      } catch (error) {
        this.#tell("server", natsReason(error));
      }
      if (!this.#isClosed) await pause(AGAIN_MS, this.#closing.signal);
    }
  }

  #tell(what: string, why: string): void {
    if (this.#troubles.size === 0) this.#troubledMs = Date.now();
    this.#troubles.set(what, why);
    const [first] = this.#troubles.values();
    if (first === CONNECTING || first === this.#said || this.#isClosed) return;
    this.#said = first;
    this.#options.say(`nothing comes from NATS: ${visibleLine(first!)}`);
  }

  #mend(what: string): void {
    this.#troubles.delete(what);
    if (this.#troubles.size > 0 || this.#said === undefined || this.#isClosed) return;
    this.#said = undefined;
    this.#options.say("NATS is read again");
  }

  /** For as long as there is the connection; never rejects. */
  async #again(what: string, connection: NatsConnection, read: Reading): Promise<void> {
    while (!connection.isClosed() && !this.#isClosed) {
      try {
        await read(() => this.#mend(what));
      } catch (error) {
        if (!connection.isClosed()) this.#tell(what, `${what}: ${natsReason(error)}`);
      }
      if (!connection.isClosed() && !this.#isClosed) await pause(AGAIN_MS, this.#closing.signal);
    }
    this.#mend(what);
  }

  async #readAlerts(connection: NatsConnection, begun: () => void): Promise<void> {
    const { stream, subject, held } = this.#options;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const { state } = await manager.streams.info(stream);
    // A stream that was made anew begins with one.
    if (state.last_seq < this.#last) this.#last = 0;
    const from = Math.max(this.#last + 1, state.last_seq - held + 1, state.first_seq, 1);
    const consumer = await jetstream(connection).consumers.get(stream, {
      filter_subjects: `${subject}.*`,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
    });
    const messages = await consumer.consume({ max_messages: AHEAD });
    begun();
    const over = () => void messages.close();
    connection.closed().then(over, over);
    for await (const message of messages) this.#takeAlert(message);
  }

  #takeAlert(message: JsMsg): void {
    this.#last = message.seq;
    const alert = alertOf(this.#options.subject, message);
    if (alert === undefined) return void this.#unreadable++;
    this.#alerts++;
    this.#options.take([alert]);
  }

  async #readHosts(connection: NatsConnection, begun: () => void): Promise<void> {
    const { bucket, hosts } = this.#options;
    const kv = await new Kvm(connection).open(bucket);
    // A bucket that is not there is told here, not by a watch that waits for ever.
    await kv.status();
    const entries = await kv.watch();
    begun();
    if (this.#hears === "no more") hosts.hearAgain(Date.now());
    this.#hears = "yes";
    const over = () => entries.stop();
    connection.closed().then(over, over);
    try {
      for await (const { key, value, operation, created } of entries) {
        const host = hostOfToken(key);
        if (operation !== "PUT") hosts.remove(key);
        else if (host !== undefined) {
          const text = value.length > PRESENCE_BYTES_MAX ? "" : new TextDecoder().decode(value);
          hosts.take(key, host, parsePresence(text), created.getTime());
        }
      }
    } finally {
      this.#hears = "no more";
    }
  }
}
