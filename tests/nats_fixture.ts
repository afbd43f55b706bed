// A real nats-server for tests, which scripts/setup has unpacked (or one that is installed): with
// JetStream in a directory of its own, on a free port of the loopback address.
import { existsSync } from "node:fs";
import type { NatsConnection } from "@nats-io/nats-core";
import { connectNats } from "../src/nats/connect.ts";
import { eventually, freePort } from "./patience.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
/** One that somebody has put first, such as a newer one; then ours; then the host's. */
const PROGRAMS = [
  Deno.env.get("SAKER_TEST_NATS_SERVER") ?? "",
  `${cache}/tools/nats/usr/sbin/nats-server`,
  "/usr/sbin/nats-server",
  "/usr/local/bin/nats-server",
];

function program(): string | undefined {
  return PROGRAMS.find((path) => path !== "" && existsSync(path));
}

/** Why it cannot be had; undefined where it can. */
export function noNats(): string | undefined {
  if (!existsSync("/usr/bin/setpriv")) return "there is no setpriv (util-linux)";
  return program() === undefined ? "scripts/setup could not have nats-server" : undefined;
}

export interface NatsServerOptions {
  /** Further lines of its configuration. */
  readonly more?: string;
  readonly address?: string;
  /** Where it listens, where that is not the address under which it is asked. */
  readonly listen?: string;
  readonly jetStream?: boolean;
  /** Where it is not a free one of this host. */
  readonly port?: number;
  /** A command that runs what its further arguments say, such as in another network. */
  readonly through?: readonly string[];
}

export class NatsServer implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "saker-nats-" });
  readonly port: number;
  readonly #address: string;
  readonly #through: readonly string[];
  #child!: Deno.ChildProcess;
  /** The one that a test has ended. */
  #ended: Deno.ChildProcess | undefined;
  #over: Promise<void> | undefined;

  private constructor(
    options: NatsServerOptions,
  ) {
    const { more = "", address = "127.0.0.1", jetStream = true, port, through = [] } = options;
    this.#address = address;
    this.#through = through;
    this.port = port ?? freePort(address);
    const store = jetStream
      ? `jetstream {store_dir: "${this.directory}/js", max_file_store: 1073741824}`
      : "";
    Deno.writeTextFileSync(
      `${this.directory}/nats.conf`,
      `listen: "${
        options.listen ?? address
      }:${this.port}"\nserver_name: t\nlog_file: "${this.directory}/log"\n` +
        `${store}\n${more}\n`,
    );
  }

  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options);
    await server.again();
    return server;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get url(): string {
    return `nats://${this.#address}:${this.port}`;
  }

  /** Starts it where it was ended; what its streams had is still there. */
  async again(): Promise<void> {
    this.#child = new Deno.Command("setpriv", {
      // It ends with the test that started it, however that ends.
      args: [
        "--pdeathsig",
        "KILL",
        ...this.#through,
        program()!,
        "-c",
        `${this.directory}/nats.conf`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#over = this.#watch(this.#child);
    const greets = async () => {
      try {
        using conn = await Deno.connect({ hostname: this.#address, port: this.port });
        return await conn.read(new Uint8Array(64)) !== null || undefined;
      } catch {
        return undefined;
      }
    };
    await eventually("nats-server to start", greets).catch((error: Error) => {
      throw new Error(`${error.message}: ${this.log()}`);
    });
  }

  /** A server that ended by itself is why everything after it fails: it is told at once. */
  async #watch(child: Deno.ChildProcess): Promise<void> {
    const { code, stderr } = await child.output();
    if (child === this.#ended) return;
    // deno-lint-ignore no-console -- Beside what the test says of it.
    console.error(`nats-server ended by itself (${code}): ${new TextDecoder().decode(stderr)}`);
  }

  /** For the test itself, where nobody has to say who he is. */
  async connect(): Promise<NatsConnection> {
    return await connectNats({
      servers: [{ isTls: false, hostname: this.#address, port: this.port }],
      name: "test",
      credentials: { kind: "none" },
      tls: { caCerts: [] },
      timeoutMs: 10_000,
    });
  }

  log(): string {
    const path = `${this.directory}/log`;
    return existsSync(path) ? Deno.readTextFileSync(path) : "";
  }

  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    this.#ended = this.#child;
    this.#child.kill(signal);
    await this.#over;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL").catch(() => {});
    Deno.removeSync(this.directory, { recursive: true });
  }
}
