// One stream of JetStream, written to: a connection with what is asked of it. Messages that were
// published and not yet answered may be many; each is answered by itself, in words where it failed.
import { headers, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { connectNats } from "./connect.ts";
import { lastOf } from "./last_of.ts";
import type { NatsOptions } from "./options.ts";
import { isNoResponders, NatsError, natsReason } from "./reason.ts";

export interface StreamOptions {
  readonly connect: NatsOptions;
  readonly stream: string;
  /** What the stream takes where it has to be made: `SUBJECT.>`. */
  readonly subject: string;
  /** Absent where nothing is to be made. */
  readonly made?: MadeStream | undefined;
}

/** What a stream is made with where it is not there. */
export interface MadeStream {
  /** 0: for ever. */
  readonly maxAgeMs: number;
  /** 0: without a bound. */
  readonly maxBytes: number;
  readonly replicas: number;
  readonly duplicateWindowMs: number;
}

export interface Outgoing {
  readonly subject: string;
  readonly id: string;
  readonly payload: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The stream will never take this message. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";
}

const ID_HEADER = "Nats-Msg-Id";
const NS = 1_000_000;

const decoder = new TextDecoder();

/** Of the server's numbers: what such a message is, whenever it is sent. */
const TOO_LARGE = 10054;
const STORE_FAILED = 10077;
const OTHER_STREAM = 10060;
const NO_STREAM = 10059;

export class NatsStream {
  readonly #connection: NatsConnection;
  readonly #options: StreamOptions;
  #isThere: boolean | undefined;

  private constructor(connection: NatsConnection, options: StreamOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Connects, and makes the stream where it is not there. Rejects with NatsError. */
  static async open(options: StreamOptions): Promise<NatsStream> {
    const connection = await connectNats(options.connect);
    const stream = new NatsStream(connection, options);
    try {
      await stream.#provide();
    } catch (error) {
      await connection.close();
      throw error;
    }
    return stream;
  }

  /** Whether the stream was there; undefined where our account may not ask. */
  get isThere(): boolean | undefined {
    return this.#isThere;
  }

  /** Settles when the connection is over, whoever ended it. */
  closed(): Promise<unknown> {
    return this.#connection.closed();
  }

  get isClosed(): boolean {
    return this.#connection.isClosed();
  }

  async #provide(): Promise<void> {
    const { stream, subject, made } = this.#options;
    const manager = await this.#api();
    try {
      await manager.streams.info(stream);
      this.#isThere = true;
      return;
    } catch (error) {
      if (isNoJetStream(error)) throw new NatsError(new Error(NO_JETSTREAM));
      // Who may not ask may still be allowed to publish.
      if (!isApiError(error, NO_STREAM)) {
        if (this.#connection.isClosed() || !isForbidden(error)) throw new NatsError(error);
        return;
      }
    }
    this.#isThere = false;
    if (made === undefined) return;
    try {
      await manager.streams.add({
        name: stream,
        subjects: [`${subject}.>`],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: made.replicas,
        max_age: made.maxAgeMs * NS,
        duplicate_window: made.duplicateWindowMs * NS,
        ...(made.maxBytes === 0 ? {} : { max_bytes: made.maxBytes }),
      });
    } catch (error) {
      throw new NatsError(
        new Error(`there is no stream ${stream}, and it cannot be made: ${natsReason(error)}`),
      );
    }
  }

  /**
   * The id of the last message that the stream has of a subject; undefined where it has none, or
   * our account may not ask.
   */
  async lastId(subject: string): Promise<string | undefined> {
    const { stream } = this.#options;
    const manager = await this.#api();
    try {
      const found = await lastOf(manager.streams, stream, subject);
      return found?.header.get(ID_HEADER) || undefined;
    } catch (error) {
      if (this.#connection.isClosed()) throw new NatsError(error);
      return undefined;
    }
  }

  /** Settles when the stream has it. Rejects with MessageRefused, or with NatsError: once more. */
  async publish(message: Outgoing, timeoutMs: number): Promise<void> {
    const most = this.#connection.info?.max_payload ?? Infinity;
    if (message.payload.length + HEADERS_BYTES > most) {
      throw new MessageRefused(`the server takes no message of more than ${most} bytes`);
    }
    const { stream } = this.#options;
    const all = headers();
    all.set(ID_HEADER, message.id);
    all.set("Nats-Expected-Stream", stream);
    for (const [name, value] of message.headers) all.set(name, value);
    const { subject, payload } = message;
    let error: ApiError | undefined;
    try {
      error = await this.#ask(subject, payload, timeoutMs, all);
    } catch (cause) {
      if (!isNoResponders(cause)) throw new NatsError(cause);
      throw new NatsError(new Error(`no stream takes ${subject}, or there is no leader`));
    }
    if (error !== undefined) throw refusal(error, stream);
  }

  /** A key of a bucket gets this value; the bucket is made where it is not there. NatsError. */
  async put(bucket: string, key: string, value: Uint8Array, timeoutMs: number): Promise<void> {
    const subject = `$KV.${bucket}.${key}`;
    let error: ApiError | undefined;
    try {
      error = await this.#ask(subject, value, timeoutMs);
    } catch (cause) {
      if (!isNoResponders(cause)) throw new NatsError(cause);
      await this.#makeBucket(bucket);
      error = await this.#ask(subject, value, timeoutMs).catch((cause) => {
        throw new NatsError(cause);
      });
    }
    if (error !== undefined) throw refusal(error, `KV_${bucket}`);
  }

  /** As the library's `Kvm.create` makes one, which knows it again. */
  async #makeBucket(bucket: string): Promise<void> {
    try {
      const { streams } = await this.#api();
      await streams.add({
        name: `KV_${bucket}`,
        subjects: [`$KV.${bucket}.>`],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: this.#options.made?.replicas ?? 1,
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        allow_rollup_hdrs: true,
        allow_direct: true,
        deny_delete: true,
      });
    } catch (error) {
      throw new NatsError(
        new Error(`there is no bucket ${bucket}, and it cannot be made: ${natsReason(error)}`),
      );
    }
  }

  #api() {
    return jetstreamManager(this.#connection, {
      checkAPI: false,
      timeout: this.#options.connect.timeoutMs,
    });
  }

  /** Publishes; what the stream that has the subject says against it. */
  async #ask(
    subject: string,
    payload: Uint8Array,
    timeoutMs: number,
    all?: MsgHdrs,
  ): Promise<ApiError | undefined> {
    const { data } = await this.#connection.request(subject, payload, {
      ...(all === undefined ? {} : { headers: all }),
      timeout: timeoutMs,
    });
    return (JSON.parse(decoder.decode(data)) as { error?: ApiError }).error;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** What headers add to a message at the most, for the server's bound. */
const HEADERS_BYTES = 2048;
const NO_JETSTREAM = "JetStream is not enabled there for our account";

interface ApiError {
  readonly err_code?: number;
  readonly description?: string;
}

function refusal({ err_code, description = "" }: ApiError, stream: string): Error {
  if (err_code === TOO_LARGE) {
    return new MessageRefused(`stream ${stream} takes no message of this size`);
  }
  if (err_code === STORE_FAILED) {
    return new NatsError(new Error(`stream ${stream} is full: ${description}`));
  }
  if (err_code === OTHER_STREAM) {
    return new NatsError(new Error(`another stream than ${stream} has the subject`));
  }
  return new NatsError(new Error(`stream ${stream} refuses: ${description}`));
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

const nameOf = (error: unknown) => (error as { name?: string } | undefined)?.name ?? "";

function isForbidden(error: unknown): boolean {
  return nameOf(error) === "PermissionViolationError" || error instanceof JetStreamApiError ||
    nameOf((error as Error).cause) === "PermissionViolationError";
}

function isNoJetStream(error: unknown): boolean {
  return isNoResponders(error) || nameOf(error) === "JetStreamNotEnabled";
}
