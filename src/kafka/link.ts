// One topic of Kafka, written to: a producer with its connections. What is sent has a number that
// the broker knows doubles by: the same records, sent again behind a failure, over whatever
// connection, are in the topic once. Records in, words out where it failed.
import { Buffer } from "node:buffer";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Admin, ISocketFactory, Kafka, PartitionerArgs, Producer } from "kafkajs";
import { type Library, loadLibrary } from "./library.ts";
import type { KafkaOptions } from "./options.ts";
import { CLOSED, KafkaError, PlainReason } from "./reason.ts";

export interface KafkaRecord {
  /** Records of one key are in one partition, in order. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** `alone`: the topic will never take this record; else some of them, and it has none of them. */
export class RecordsRefused extends Error {
  override readonly name = "RecordsRefused";
}

/** Answers that are about the records as they are. */
const REFUSALS = [
  ...["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"],
];
/** Answers of a broker that no longer knows what we have sent, or knows of more. */
const FORGOTTEN = [
  ...["OUT_OF_ORDER_SEQUENCE_NUMBER", "DUPLICATE_SEQUENCE_NUMBER", "UNKNOWN_PRODUCER_ID"],
  ...["INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING", "PRODUCER_FENCED"],
];
/** Numbers are of 32 bits: long before they are used up, the producer is another. */
const RECORDS_MAX = 2 ** 30;
/** A broker that is waiting for others answers before we give it up. */
const MARGIN_MS = 1_000;

export class KafkaLink {
  readonly #options: KafkaOptions;
  readonly #library: Library;
  readonly #kafka: Kafka;
  readonly #sockets = new Set<Socket>();
  #producer: Producer | undefined;
  #isReady = false;
  #wasReady = false;
  #readying: Promise<void> | undefined;
  #isOver = false;
  /** The end of the connections that were there. */
  #dropping: Promise<void> | undefined;
  #sent = 0;
  /** Where records went of which it is not known whether they are there. */
  #partition: number | undefined;

  private constructor(library: Library, options: KafkaOptions) {
    this.#options = options;
    this.#library = library;
    this.#kafka = kafkaOf(library, options, this.#connect);
  }

  /** Connects to nobody yet. */
  static async make(options: KafkaOptions): Promise<KafkaLink> {
    return new KafkaLink(await loadLibrary(), options);
  }

  /** Connects where that is not done, and makes the topic where it is not there. Rejects with
   * KafkaError. */
  ready(): Promise<void> {
    // Once for all who ask: a producer that connects twice at a time becomes another to the broker.
    this.#readying ??= this.#prepare().finally(() => this.#readying = undefined);
    return this.#readying;
  }

  async #prepare(): Promise<void> {
    if (this.#isReady) return;
    try {
      if (!await settledSoon(this.#dropping)) await this.#anew();
      await this.#provide();
      this.#producer ??= this.#kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        // It refuses to be idempotent without one.
        retry: { ...NO_RETRIES, retries: 1 },
        createPartitioner: this.#choosing,
      });
      await this.#producer.connect();
      this.#isReady = true;
      this.#wasReady = true;
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** Looks whether somebody is there who lets us in and has the topic, or it may be made; nothing
   * is made. Rejects with KafkaError. */
  async look(): Promise<void> {
    const { topic, made } = this.#options;
    try {
      await this.#asAdmin(async (admin) => {
        if (!await isThere(admin, topic) && made === undefined) throw noTopic(topic);
      });
    } catch (error) {
      throw this.#told(error);
    }
  }

  async #provide(): Promise<void> {
    const { topic, made } = this.#options;
    await this.#asAdmin(async (admin) => {
      if (await isThere(admin, topic)) return;
      if (made === undefined) throw noTopic(topic);
      try {
        await makeTopic(admin, this.#options);
      } catch (error) {
        const { code, message } = new KafkaError(error);
        // Another host's saker was quicker.
        if (code === "TOPIC_ALREADY_EXISTS") return;
        throw new PlainReason(`there is no topic ${topic}, and it cannot be made: ${message}`);
      }
    });
  }

  async #asAdmin(body: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = this.#kafka.admin({ retry: NO_RETRIES });
    try {
      await admin.connect();
      await body(admin);
    } finally {
      admin.disconnect().catch(() => {});
    }
  }

  #told(error: unknown): KafkaError {
    const told = new KafkaError(error);
    if (this.#wasReady || told.message !== CLOSED) return told;
    // Over TLS the broker's word on our certificate may come after the end of the connection.
    const why = this.#options.tls === undefined
      ? "it may expect TLS, or credentials"
      : "it may refuse our certificate, or want one, or expect credentials";
    return new KafkaError(new PlainReason(`${CLOSED}: ${why}`));
  }

  /**
   * Settles when the topic has all of them, which are of one key. Rejects with RecordsRefused
   * where it has none of them and never will have all; else with KafkaError: then the same ones
   * come next, or `forget` does.
   */
  async send(records: readonly KafkaRecord[]): Promise<void> {
    const { topic, gzip, timeoutMs } = this.#options;
    if (this.#partition === undefined && this.#sent > RECORDS_MAX) await this.#anew();
    await this.ready();
    try {
      await this.#producer!.send({
        topic,
        acks: -1,
        timeout: timeoutMs,
        ...(gzip ? { compression: this.#library.gzip } : {}),
        // Their time is when they are sent: a topic forgets by it, and an alert may be of a
        // capture, or have waited, for longer than the topic keeps any.
        messages: records.map(({ key, value, headers }) => ({
          key,
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          headers: { ...headers },
        })),
      });
    } catch (error) {
      const told = new KafkaError(error);
      if (REFUSALS.includes(told.code ?? "")) {
        this.#partition = undefined;
        throw new RecordsRefused(told.message, { cause: error });
      }
      if (FORGOTTEN.includes(told.code ?? "")) await this.#anew();
      throw told;
    }
    this.#sent += records.length;
    this.#partition = undefined;
  }

  /** What failed last is not sent again as it was: from here on no broker knows its doubles. */
  async forget(): Promise<void> {
    await this.#anew();
  }

  async #anew(): Promise<void> {
    const old = this.#producer;
    this.#producer = undefined;
    this.#partition = undefined;
    this.#isReady = false;
    this.#sent = 0;
    await settledSoon(old?.disconnect().catch(() => {}));
  }

  /** As `drop`, for good: also what the library would still try does not reach a broker. */
  close(): void {
    this.#isOver = true;
    this.drop();
  }

  /** Ends its connections at once; what comes next makes new ones, as the same producer. */
  drop(): void {
    this.#isReady = false;
    for (const socket of this.#sockets) socket.destroy(new Error("dropped"));
    this.#sockets.clear();
    this.#dropping = this.#producer?.disconnect().catch(() => {});
  }

  /** The partition of a key as Kafka's own client has it; records that come again go where they
   * went, also where the topic has got more partitions since. */
  readonly #choosing = () => {
    const choose = this.#library.Partitioners.DefaultPartitioner();
    return (args: PartitionerArgs) => this.#partition ??= choose(args);
  };

  readonly #connect: ISocketFactory = ({ host: told, port, ssl, onConnect }) => {
    const host = hostOf(told);
    if (this.#isOver) throw new PlainReason("it is being closed");
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl
      ? connectTls({ host, port, ...name, ...ssl as object }, onConnect)
      : connectSocket({ host, port }, onConnect);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // The library listens for the first one alone; another one must end nothing else.
    socket.on("error", () => {});
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    return socket;
  };
}

const KEEP_ALIVE_MS = 60_000;
const SOON_MS = 1_000;
/** Who calls tries again, with the pauses that all outputs have. */
const NO_RETRIES = { retries: 0, initialRetryTime: 10 };

function kafkaOf({ Kafka }: Library, options: KafkaOptions, socketFactory: ISocketFactory): Kafka {
  const { brokers, tls, credentials, timeoutMs } = options;
  return new Kafka({
    clientId: "saker",
    brokers: brokers.map(({ hostname, port }) => `${toldAs(hostname)}:${port}`),
    connectionTimeout: timeoutMs,
    authenticationTimeout: timeoutMs,
    requestTimeout: timeoutMs + MARGIN_MS,
    retry: NO_RETRIES,
    socketFactory,
    // It would write to standard output, which is for alerts alone.
    logCreator: () => () => {},
    ...(tls === undefined ? {} : {
      ssl: {
        ...(tls.caCerts.length === 0 ? {} : { ca: [...tls.caCerts] }),
        ...(tls.cert === undefined || tls.key === undefined
          ? {}
          : { cert: tls.cert, key: tls.key }),
      },
    }),
    ...(credentials === undefined ? {} : {
      sasl: {
        mechanism: credentials.mechanism,
        username: credentials.user,
        // Read at each connection: what has been exchanged is used.
        get password(): string {
          return credentials.read().trim();
        },
        // deno-lint-ignore no-explicit-any -- The types have one shape for each mechanism.
      } as any,
    }),
  });
}

/** Whether it did; the library waits for what may not come. */
async function settledSoon(promise: Promise<unknown> | undefined): Promise<boolean> {
  let timer: number | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), SOON_MS);
  });
  try {
    return await Promise.race([Promise.resolve(promise).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The library takes all behind the first colon for the port. */
const ADDRESS_MARK = ".ipv6.invalid";

function toldAs(hostname: string): string {
  return hostname.includes(":") ? hostname.replaceAll(":", "-") + ADDRESS_MARK : hostname;
}

function hostOf(told: string): string {
  if (!told.endsWith(ADDRESS_MARK)) return told;
  return told.slice(0, -ADDRESS_MARK.length).replaceAll("-", ":");
}

const noTopic = (topic: string) => new PlainReason(`there is no topic ${topic}`);

async function isThere(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.length > 0;
  } catch (error) {
    const told = new KafkaError(error);
    if (told.code === "UNKNOWN_TOPIC_OR_PARTITION") return false;
    throw told;
  }
}

async function makeTopic(admin: Admin, { topic, made, timeoutMs }: KafkaOptions): Promise<void> {
  const { partitions, replicas, maxAgeMs } = made!;
  await admin.createTopics({
    waitForLeaders: true,
    timeout: timeoutMs,
    topics: [{
      topic,
      numPartitions: partitions || -1,
      replicationFactor: replicas || -1,
      configEntries: maxAgeMs === 0 ? [] : [{ name: "retention.ms", value: String(maxAgeMs) }],
    }],
  });
}
