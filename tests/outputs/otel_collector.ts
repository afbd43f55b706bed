// The OpenTelemetry collector that somebody has built (SAKER_TEST_COLLECTOR names it,
// docs/outputs.md says of what), for tests: a receiver of OTLP on two ports, and what it took.
import { stringify } from "yaml";
import { isFile } from "../live/trigger.ts";
import type { Attribute, LogRecord } from "./otlp.ts";
import { eventually, freePort } from "./place.ts";

const COLLECTOR = Deno.env.get("SAKER_TEST_COLLECTOR") ?? "";

/** Why it cannot be had; undefined where it can. */
export function noCollector(): string | undefined {
  if (COLLECTOR === "") return "SAKER_TEST_COLLECTOR names no collector";
  return isFile(COLLECTOR) ? undefined : `SAKER_TEST_COLLECTOR: no file ${COLLECTOR}`;
}

type Settings = Readonly<Record<string, unknown>>;

export interface CollectorOptions {
  /** Of both protocols, then of each. */
  readonly both?: Settings;
  readonly grpc?: Settings;
  readonly http?: Settings;
  /** By name, in their order. */
  readonly processors?: Settings;
  readonly extensions?: Settings;
  /** Beside the file. */
  readonly exporters?: Settings;
}

export class OtelCollector implements AsyncDisposable {
  readonly #directory: string;
  readonly grpcPort = freePort();
  readonly httpPort = freePort();
  #child: Deno.ChildProcess | undefined;
  #read: Promise<unknown> = Promise.resolve();
  /** What it wrote, of all its runs. */
  log = "";

  /** What it takes stands in that directory. */
  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(directory: string, options: CollectorOptions = {}): Promise<OtelCollector> {
    const collector = new OtelCollector(directory);
    await collector.again(options);
    return collector;
  }

  get #file(): string {
    return `${this.#directory}/collected-${this.grpcPort}`;
  }

  portOf(protocol: string): number {
    return protocol === "grpc" ? this.grpcPort : this.httpPort;
  }

  /** Starts it where it was ended. */
  async again(options: CollectorOptions = {}): Promise<void> {
    const config = `${this.#file}.yaml`;
    Deno.writeTextFileSync(config, stringify(this.#configured(options)));
    const child = new Deno.Command(COLLECTOR, {
      args: [`--config=file:${config}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
    };
    this.#read = Promise.all([listen(child.stdout), listen(child.stderr)]);
    let ended = false;
    void child.status.then(() => ended = true);
    for (const port of [this.httpPort, this.grpcPort]) {
      await eventually("the collector", async () => {
        if (ended) throw new Error(this.log);
        try {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
          return true;
        } catch {
          return undefined;
        }
      });
    }
  }

  /** It writes what it has, and ends. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    this.#child?.kill(signal);
    await this.#child?.status;
    await this.#read;
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL").catch(() => {});
  }

  /** What stands in its file, under the protocol's own names; that it took it last stands there
   * a moment later, or when it has ended. */
  get taken(): readonly Taken[] {
    const lines = Deno.readTextFileSync(this.#file).split("\n").slice(0, -1);
    return lines.flatMap((line) =>
      (named(JSON.parse(line)) as { resource_logs: readonly ResourceLogs[] }).resource_logs
        .flatMap(({ resource, scope_logs }) =>
          scope_logs.flatMap(({ scope, log_records }) =>
            log_records.map((record) => ({ resource: resource.attributes, scope, record }))
          )
        )
    );
  }

  get records(): readonly LogRecord[] {
    return this.taken.map(({ record }) => record);
  }

  #configured(options: CollectorOptions): Settings {
    const { both, grpc, http, processors = {}, extensions = {}, exporters = {} } = options;
    const file = { path: this.#file, append: true, flush_interval: "20ms" };
    const at = (port: number) => ({ endpoint: `127.0.0.1:${port}`, ...both });
    return {
      receivers: {
        otlp: {
          protocols: {
            grpc: { ...at(this.grpcPort), ...grpc },
            http: { ...at(this.httpPort), ...http },
          },
        },
      },
      processors,
      extensions,
      exporters: { file, ...exporters },
      service: {
        extensions: Object.keys(extensions),
        telemetry: { metrics: { level: "none" } },
        pipelines: {
          logs: {
            receivers: ["otlp"],
            processors: Object.keys(processors),
            exporters: ["file", ...Object.keys(exporters)],
          },
        },
      },
    };
  }
}

export interface Taken {
  readonly resource: readonly Attribute[];
  readonly scope: Readonly<Record<string, string>>;
  readonly record: LogRecord;
}

interface ResourceLogs {
  readonly resource: { readonly attributes: readonly Attribute[] };
  readonly scope_logs: readonly {
    readonly scope: Readonly<Record<string, string>>;
    readonly log_records: readonly LogRecord[];
  }[];
}

/** JSON of the protocol has names in lowerCamelCase. */
function named(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(named);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      named(one),
    ]),
  );
}
