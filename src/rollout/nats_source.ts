// A bundle in a bucket of JetStream: its key is read when the connection is new, and from there on
// what is written to it comes by itself. A plain subscription does that, no consumer: it costs the
// server next to nothing for each host, and a host needs no right to write anything. What goes
// missing with a connection is read with the next.
import type { NatsConnection } from "@nats-io/nats-core";
import { errors } from "@nats-io/nats-core";
import { connectNats } from "../nats/connect.ts";
import type { NatsOptions } from "../nats/options.ts";
import { isNoResponders, natsReason } from "../nats/reason.ts";
import type { Source } from "./source.ts";

export interface NatsSourceOptions {
  /** Asked for at each connection; what it throws is why there is none. */
  readonly connect: () => NatsOptions;
  readonly bucket: string;
  readonly key: string;
  readonly timeoutMs: number;
  /** ms; the server's own clock is none of ours. */
  readonly now: () => number;
}

/** Also where nothing came: what came may have been lost on its way. */
const READ_AGAIN_MS = 3_600_000;
const NOT_FOUND = 404;
const OPERATION = "KV-Operation";

export class NatsSource implements Source {
  readonly #options: NatsSourceOptions;
  #connection: NatsConnection | undefined;
  /** What came last and was not asked for yet. */
  #come: Uint8Array<ArrayBuffer> | undefined;
  #readMs = -Infinity;
  #failure: string | undefined;
  #changed = Promise.withResolvers<void>();
  /** Something changed since it was last asked. */
  #isNews = false;
  #isClosed = false;

  constructor(options: NatsSourceOptions) {
    this.#options = options;
  }

  async ask(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#isNews = false;
    const connection = this.#connection ?? await this.#open();
    if (this.#come === undefined) {
      const nowMs = this.#options.now();
      if (nowMs - this.#readMs < READ_AGAIN_MS) return undefined;
      const read = this.#read(connection);
      // What comes meanwhile is newer, and what was read is not waited for.
      const isRead = await Promise.race([
        read.then((bytes) => (this.#come ??= bytes, true)),
        this.#changed.promise.then(() => false),
      ]);
      read.catch(() => {});
      if (isRead) this.#readMs = nowMs;
    }
    const bytes = this.#come;
    this.#come = undefined;
    return bytes;
  }

  changed(): Promise<void> {
    return this.#isNews ? Promise.resolve() : this.#changed.promise;
  }

  close(): void {
    this.#isClosed = true;
    // It never rejects.
    this.#connection?.close();
  }

  async #open(): Promise<NatsConnection> {
    const connection = await connectNats(this.#options.connect());
    if (this.#isClosed) {
      await connection.close();
      throw new Error("it is being closed");
    }
    this.#failure = undefined;
    const gone = () => {
      if (this.#connection === connection) this.#connection = undefined;
      this.#wake();
    };
    connection.closed().then(gone, gone);
    connection.subscribe(this.#subject, {
      callback: (error, message) => {
        if (error !== null) {
          this.#failure = natsReason(error);
          return;
        }
        if (!message.headers?.get(OPERATION)) this.#come = new Uint8Array(message.data);
        this.#wake();
      },
    });
    try {
      // Whether we may is known when the server has answered.
      await connection.flush();
      if (this.#failure !== undefined) throw new Error(this.#failure);
    } catch (error) {
      await connection.close();
      throw new Error(natsReason(error));
    }
    this.#connection = connection;
    this.#readMs = -Infinity;
    return connection;
  }

  async #read(connection: NatsConnection): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { bucket, timeoutMs } = this.#options;
    const api = `$JS.API.DIRECT.GET.KV_${bucket}.${this.#subject}`;
    try {
      const { data, headers } = await connection.request(api, "", { timeout: timeoutMs });
      if (headers?.code === NOT_FOUND || headers?.get(OPERATION)) return undefined;
      if (headers !== undefined && headers.code >= 400) throw new Error(headers.description);
      return new Uint8Array(data);
    } catch (error) {
      // A server says nothing at all of a bucket that it does not have.
      const isNobody = isNoResponders(error) || error instanceof errors.TimeoutError;
      const nobody = `no answer: is there a bucket ${bucket} that our account may read?`;
      throw new Error(isNobody ? nobody : natsReason(error));
    }
  }

  get #subject(): string {
    return `$KV.${this.#options.bucket}.${this.#options.key}`;
  }

  #wake(): void {
    this.#isNews = true;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
