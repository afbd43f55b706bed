// Receivers of OTLP for tests, which scripts/setup has unpacked: rotel, a collector in Rust, and a
// strict one made of the protocol's own messages (otlp_receiver.py).
import { existsSync } from "node:fs";
import { lines } from "../live/saker.ts";
import { together } from "../together.ts";
import { eventually, freePort, OutputsPlace } from "./place.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const ROOT = `${cache}/tools/otel`;
const COLLECTOR = `${ROOT}/rotel/rotel-agent`;
const RECEIVER = new URL("otlp_receiver.py", import.meta.url).pathname;
const PYTHON_ENV = { PYTHONPATH: ROOT, PYTHONDONTWRITEBYTECODE: "1" };

/** Why they cannot be had; undefined where they can. */
export function noOtel(): string | undefined {
  if (!existsSync(COLLECTOR)) return "scripts/setup could not have rotel";
  const { success } = new Deno.Command("python3", {
    args: ["-c", "import grpc, opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc"],
    env: PYTHON_ENV,
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success ? undefined : "Python's grpc does not run here";
}

/** How the receiver begins what is no message of the protocol. */
const AMISS = "no message of the protocol";

export interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface LogRecord {
  readonly time_unix_nano: string;
  readonly observed_time_unix_nano: string;
  readonly severity_number: string;
  readonly severity_text: string;
  readonly event_name: string;
  readonly body: { readonly string_value: string };
  readonly attributes: readonly Attribute[];
}

export interface Received {
  /** `grpc`, or the type of a request by HTTP. */
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: {
    readonly resource_logs: readonly {
      readonly resource: { readonly attributes: readonly Attribute[] };
      readonly scope_logs: readonly {
        readonly scope: Readonly<Record<string, string>>;
        readonly log_records: readonly LogRecord[];
      }[];
    }[];
  };
  readonly answer: Answer;
}

export const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
export type Protocol = typeof PROTOCOLS[number];

/** Of saker's configuration: alerts go there. `more`: further keys. */
export function otlp(protocol: Protocol, endpoint: string, more = ""): string {
  return `otlp_output={enabled: true, protocol: ${protocol}, endpoint: "${endpoint}"${more}}`;
}

/** A test with a step for each protocol, in a place of its own; `reason`: why there is none. */
export function eachProtocol(
  name: string,
  reason: string | undefined,
  fn: (place: OutputsPlace, protocol: Protocol) => Promise<void>,
): void {
  together(
    `${name}${reason === undefined ? "" : ` (${reason})`}`,
    reason !== undefined,
    PROTOCOLS.map((protocol) => ({
      name: protocol,
      async fn() {
        using place = new OutputsPlace();
        await fn(place, protocol);
      },
    })),
  );
}

/** What a request is answered; nothing: taken. */
export interface Answer {
  /** By HTTP also `cut`: the connection ends without an answer. */
  readonly status?: number | string;
  readonly why?: string;
  /** Seconds. */
  readonly after?: number;
  readonly rejected?: number;
}

export interface ReceiverOptions {
  readonly kind: "http" | "grpc";
  readonly port?: number;
  /** A directory of them: the receiver shows one and wants one. */
  readonly certificates?: string;
  readonly token?: string;
  /** To the first requests that have alerts. */
  readonly answers?: readonly Answer[];
}

export class OtlpReceiver implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  /** Requests with alerts. */
  readonly received: Received[] = [];
  #port: number | undefined;
  #error = "";

  private constructor({ kind, port = 0, certificates, token, answers = [] }: ReceiverOptions) {
    this.#child = new Deno.Command("python3", {
      args: [
        ...[RECEIVER, kind, String(port), certificates ?? "-", token ?? "-"],
        JSON.stringify(answers),
      ],
      env: PYTHON_ENV,
      // It ends where this ends.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#read = Promise.all([this.#collect(), this.#listen()]);
  }

  static async start(options: ReceiverOptions): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(options);
    await eventually("the receiver", () => {
      if (receiver.#error.includes("Traceback")) throw new Error(receiver.#error);
      return receiver.#port;
    });
    return receiver;
  }

  get port(): number {
    return this.#port!;
  }

  /** All that were taken, in order. */
  get records(): readonly LogRecord[] {
    return this.received.filter(({ answer }) => answer.status === undefined).flatMap(recordsOf);
  }

  async end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.stdin.close().catch(() => {});
    await this.#read;
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    if (this.#error.includes(AMISS)) throw new Error(this.#error);
  }

  async #collect(): Promise<void> {
    for await (const line of lines(this.#child.stdout)) {
      if (line.startsWith("ready ")) this.#port = Number(line.slice(6));
      else this.received.push(JSON.parse(line));
    }
  }

  async #listen(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#error += text;
    }
  }
}

export function recordsOf({ request }: Received): LogRecord[] {
  return request.resource_logs.flatMap(({ scope_logs }) =>
    scope_logs.flatMap(({ log_records }) => log_records)
  );
}

/** Numbers of the files that records tell of. */
export function openedBy(records: readonly LogRecord[]): number[] {
  return records.map(({ attributes }) => {
    const name = attributes.find(({ key }) => key === "fd.name")!.value["string_value"];
    return Number((name as string).slice("/opened/".length));
  });
}

/** rotel, which hands on what it takes to a receiver. */
export class Collector implements AsyncDisposable {
  readonly httpPort = freePort();
  readonly grpcPort = freePort();
  readonly #to: number;
  #child!: Deno.ChildProcess;
  #read!: Promise<unknown>;
  log = "";

  private constructor(to: number) {
    this.#to = to;
  }

  static async start({ port }: OtlpReceiver): Promise<Collector> {
    const collector = new Collector(port);
    await collector.again();
    return collector;
  }

  /** Starts it where it was ended. */
  async again(): Promise<void> {
    this.#child = new Deno.Command(COLLECTOR, {
      args: [
        ...["start", "--otlp-http-endpoint", `127.0.0.1:${this.httpPort}`],
        ...["--otlp-grpc-endpoint", `127.0.0.1:${this.grpcPort}`],
        ...["--disable-batching", "--exporter", "otlp", "--otlp-exporter-protocol", "http"],
        ...["--otlp-exporter-endpoint", `http://127.0.0.1:${this.#to}`],
        // On a busy machine it would send again what was taken.
        ...["--otlp-exporter-request-timeout", "60s"],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
    };
    this.#read = Promise.all([listen(this.#child.stdout), listen(this.#child.stderr)]);
    for (const port of [this.httpPort, this.grpcPort]) await listening(port, () => this.log);
  }

  /** It hands on what it has, and ends. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#child.status;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL").catch(() => {});
  }
}

async function listening(port: number, log: () => string): Promise<void> {
  await eventually("rotel to start", async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch {
      return undefined;
    }
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${log()}`);
  });
}
