// A real Kafka for tests: the jars that scripts/setup has fetched, run by the host's Java as one
// node that is broker and controller, on free ports of the loopback address. What a topic has is
// read by Kafka's own consumer. A node ends with the test that started it, however that ends.
import { existsSync } from "node:fs";
import { ok, strictEqual } from "node:assert";
import { loadLibrary } from "../src/kafka/library.ts";
import { eventually, freePort, PATIENCE_MS, standStill } from "./patience.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const JARS = `${cache}/tools/kafka`;
const JAVA = "/usr/bin/java";
const JAVA_OLDEST = 17;

/** Why it cannot be had; undefined where it can. */
export function noKafka(): string | undefined {
  if (!existsSync(JAVA)) return "there is no Java";
  if (!existsSync(`${JARS}/complete`)) return "scripts/setup could not have Kafka";
  const { stderr } = new Deno.Command(JAVA, { args: ["-version"] }).outputSync();
  const [, version = "0"] = /version "(\d+)/.exec(new TextDecoder().decode(stderr)) ?? [];
  return Number(version) >= JAVA_OLDEST ? undefined : `Java ${version} is too old for Kafka`;
}

/** A small heap, and no compiler that pays off after minutes. */
const JVM = [
  ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"],
  ...["-cp", `${JARS}/*`],
];

export interface KafkaOptions {
  /** Who may come, by which password: the listener asks for SASL then. */
  readonly users?: Readonly<Record<string, string>>;
  /** PEM files: the listener is over TLS then; with `authorities` it wants certificates. */
  readonly tls?: { readonly store: string; readonly authorities?: string };
  /** The port that clients are sent to, where something stands before the broker. */
  readonly advertised?: number;
}

export class KafkaServer implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "saker-kafka-" });
  readonly port = freePort();
  /** For the reader: without TLS and credentials. */
  readonly #inner = freePort();
  readonly #controller = freePort();
  readonly #options: KafkaOptions;
  #child: Deno.ChildProcess | undefined;

  private constructor(options: KafkaOptions) {
    this.#options = options;
  }

  static async start(options: KafkaOptions = {}): Promise<KafkaServer> {
    const server = new KafkaServer(options);
    try {
      Deno.writeTextFileSync(`${server.directory}/node.properties`, server.#properties());
      await server.#format();
      await server.again();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get address(): string {
    return `localhost:${this.port}`;
  }

  get #protocol(): string {
    const { users, tls } = this.#options;
    if (users === undefined) return tls === undefined ? "PLAINTEXT" : "SSL";
    return tls === undefined ? "SASL_PLAINTEXT" : "SASL_SSL";
  }

  #properties(): string {
    const { users, tls, advertised = this.port } = this.#options;
    const lines = [
      "process.roles=broker,controller",
      "node.id=1",
      `controller.quorum.voters=1@127.0.0.1:${this.#controller}`,
      `listeners=OUTER://127.0.0.1:${this.port},INNER://127.0.0.1:${this.#inner},` +
      `CONTROLLER://127.0.0.1:${this.#controller}`,
      `advertised.listeners=OUTER://localhost:${advertised},INNER://127.0.0.1:${this.#inner}`,
      `listener.security.protocol.map=OUTER:${this.#protocol},INNER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
      "inter.broker.listener.name=INNER",
      "controller.listener.names=CONTROLLER",
      `log.dirs=${this.directory}/data`,
      "offsets.topic.replication.factor=1",
      "auto.create.topics.enable=false",
      "num.partitions=3",
    ];
    if (users !== undefined) {
      const plain = Object.entries(users).map(([name, word]) => ` user_${name}="${word}"`).join("");
      lines.push(
        "listener.name.outer.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.outer.plain.sasl.jaas.config=" +
          `org.apache.kafka.common.security.plain.PlainLoginModule required${plain};`,
        ...["256", "512"].map((bits) =>
          `listener.name.outer.scram-sha-${bits}.sasl.jaas.config=` +
          "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
      );
    }
    if (tls !== undefined) {
      lines.push(
        "listener.name.outer.ssl.keystore.type=PEM",
        `listener.name.outer.ssl.keystore.location=${tls.store}`,
      );
      if (tls.authorities !== undefined) {
        lines.push(
          "listener.name.outer.ssl.client.auth=required",
          "listener.name.outer.ssl.truststore.type=PEM",
          `listener.name.outer.ssl.truststore.location=${tls.authorities}`,
        );
      }
    }
    return `${lines.join("\n")}\n`;
  }

  async #format(): Promise<void> {
    const users = Object.entries(this.#options.users ?? {}).flatMap(([name, word]) =>
      ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
        "--add-scram",
        `${mechanism}=[name=${name},password=${word}]`,
      ])
    );
    const { code, stderr, stdout } = await new Deno.Command(JAVA, {
      args: [
        ...JVM,
        ...["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ"],
        ...["-c", `${this.directory}/node.properties`, ...users],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    ok(code === 0, `Kafka's storage: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  }

  /** Starts it where it was ended; what its topics had is still there. */
  async again(): Promise<void> {
    this.#child = new Deno.Command("setpriv", {
      args: [
        ...["--pdeathsig", "KILL", JAVA, ...JVM],
        ...["kafka.Kafka", `${this.directory}/node.properties`],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await this.#answers();
  }

  async #answers(): Promise<void> {
    let hasEnded = false;
    this.#child!.status.then(() => hasEnded = true);
    await eventually("Kafka to start", async () => {
      try {
        for (const port of [this.port, this.#inner]) {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        }
        return true;
      } catch {
        if (hasEnded) throw new Error("Kafka has ended by itself");
        return undefined;
      }
    });
  }

  async standStill(): Promise<void> {
    await standStill(this.#child!.pid);
  }

  goOn(): void {
    this.#child!.kill("SIGCONT");
  }

  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    if (this.#child === undefined) return;
    this.#child.kill(signal);
    await this.#child.status;
    this.#child = undefined;
  }

  /** How many records a partition has. */
  async #count(topic: string, partition: number): Promise<number> {
    const { Kafka } = await loadLibrary();
    const brokers = [`127.0.0.1:${this.#inner}`];
    const admin = new Kafka({ clientId: "test", brokers, logCreator: () => () => {} }).admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      return Number(offsets.find((one) => one.partition === partition)!.high);
    } finally {
      await admin.disconnect();
    }
  }

  /** What a partition has, as Kafka's own consumer reads it. */
  async records(topic: string, partition = 0): Promise<Read[]> {
    const count = await this.#count(topic, partition);
    if (count === 0) return [];
    const show = ["key", "headers"];
    const { code, stdout, stderr } = await new Deno.Command(JAVA, {
      args: [
        ...JVM,
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        ...["--bootstrap-server", `127.0.0.1:${this.#inner}`, "--topic", topic],
        ...[
          "--partition",
          String(partition),
          "--offset",
          "earliest",
          "--max-messages",
          String(count),
        ],
        ...["--timeout-ms", `${PATIENCE_MS}`],
        ...show.flatMap((what) => ["--formatter-property", `print.${what}=true`]),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    ok(code === 0, `Kafka's consumer: ${decoder.decode(stderr)}`);
    const read = decoder.decode(stdout).split("\n").slice(0, -1).map(readOf);
    strictEqual(read.length, count);
    return read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL").catch(() => {});
    Deno.removeSync(this.directory, { recursive: true });
  }
}

export interface Read {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
}

/** `a:b,c:d	key	value`. */
function readOf(line: string): Read {
  const found = /^([^\t]*)\t([^\t]*)\t(.*)$/.exec(
    line,
  );
  ok(found !== null, `an unexpected line: ${line.slice(0, 300)}`);
  const [, headers, key, value] = found;
  return {
    key: key!,
    value: value!,
    headers: Object.fromEntries(
      headers!.split(",").map((one) => {
        const colon = one.indexOf(":");
        return [one.slice(0, colon), one.slice(colon + 1)];
      }),
    ),
  };
}
