// Three hosts that send to one nats-server, by the built binary: one is killed and started anew,
// the server is restarted, the network is cut. Every alert is in the stream once, and each host's
// are in order.
//
// SAKER_TEST_NATS_CUT=60 cuts the network for a minute instead of some seconds.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { existsSync } from "node:fs";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { parsePresence } from "../src/fleet/contract/presence.ts";
import { SAKER } from "./live/saker.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { freePort, inOrder } from "./outputs/place.ts";
import { noWire, Wire } from "./wire.ts";

const CUT_S = Number(Deno.env.get("SAKER_TEST_NATS_CUT") ?? "4");
/** Of all hosts together. */
const ALERTS_A_SECOND = 1_000;
const HOSTS = ["web.1", "web.2", "db"];
const PATIENCE_MS = 120_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Health {
  readonly alerts: number;
  readonly alerts_dropped: number;
  readonly outputs: readonly { name: string; state: string; waiting: number; written: number }[];
}

/** A host whose alerts are lines of a log that the test writes. */
class Host implements AsyncDisposable {
  readonly #name: string;
  readonly #url: string;
  readonly #directory = Deno.makeTempDirSync({ prefix: "saker-host-" });
  #child!: Deno.ChildProcess;
  #read!: Promise<unknown>;
  #port = 0;
  #runs = 0;
  /** Lines that this run has, and those of runs before it. */
  #lines = 0;
  #before = 0;
  told = "";

  constructor(name: string, url: string) {
    this.#name = name;
    this.#url = url;
    Deno.writeTextFileSync(
      `${this.#directory}/rules.yaml`,
      '- {rule: Line, desc: d, condition: log.line startswith n, output: "%log.line", ' +
        "priority: NOTICE, source: log}\n",
    );
    this.start();
  }

  get written(): number {
    return this.#before + this.#lines;
  }

  start(): void {
    this.#runs++;
    this.#before += this.#lines;
    this.#lines = 0;
    this.#port = freePort();
    Deno.writeTextFileSync(this.#log, "");
    Deno.writeTextFileSync(
      `${this.#directory}/falco.yaml`,
      [
        "plugins:",
        `  - {name: logfile, open_params: "${this.#log}", init_config: {from: start}}`,
        "load_plugins: [logfile]",
        "stdout_output: {enabled: false}",
        `spool: {enabled: true, directory: ${this.#directory}/spool, max_mb: 500}`,
        `nats_output: {enabled: true, url: "${this.#url}", timeout: 1000, presence_every: 1s}`,
      ].join("\n"),
    );
    this.#child = new Deno.Command(SAKER, {
      args: [
        ...["-c", `${this.#directory}/falco.yaml`, "-r", `${this.#directory}/rules.yaml`],
        ...["--enable-source=log", "--listen", `127.0.0.1:${this.#port}`],
      ],
      env: { FALCO_HOSTNAME: this.#name, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.told += text;
    };
    this.#read = Promise.all([read(this.#child.stdout), read(this.#child.stderr)]);
  }

  get #log(): string {
    return `${this.#directory}/log.${this.#runs}`;
  }

  write(lines: number): void {
    const from = this.written;
    const text = Array.from({ length: lines }, (_, at) => `n${from + at}\n`).join("");
    Deno.writeTextFileSync(this.#log, text, { append: true });
    this.#lines += lines;
  }

  /** Waits until all lines of this run are alerts and the output to NATS is as wanted. */
  async health(
    what: string,
    isWanted: (output: Health["outputs"][number]) => boolean,
  ): Promise<void> {
    let last: Health | undefined;
    // An alert may be between two threads, and in neither number.
    let times = 0;
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until;) {
      try {
        last = await (await fetch(`http://127.0.0.1:${this.#port}/healthz`)).json() as Health;
        const output = last.outputs.find(({ name }) => name === "nats")!;
        times = await this.#alerts() === this.#lines && isWanted(output) ? times + 1 : 0;
        if (times === 5) return strictEqual(last.alerts_dropped, 0);
      } catch {
        // It does not listen yet.
      }
      await pause(50);
    }
    throw new Error(`${this.#name}: waited until ${what}, ${JSON.stringify(last)}: ${this.told}`);
  }

  /** Of the lines' rule. */
  async #alerts(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/status`);
    const { rules } = await answer.json() as {
      rules: { list: { name: string; matches: number }[] };
    };
    return rules.list.find(({ name }) => name === "Line")?.matches ?? 0;
  }

  async end(signal: Deno.Signal): Promise<number> {
    this.#child.kill(signal);
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL").catch(() => {});
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** Writes to all of them, so many lines a second together, for so long. */
async function busy(hosts: readonly Host[], seconds: number): Promise<void> {
  const start = performance.now();
  let written = 0;
  for (let at = 0; at < seconds; at = (performance.now() - start) / 1000) {
    const each = Math.floor((at * ALERTS_A_SECOND - written) / HOSTS.length);
    if (each > 0) { for (const host of hosts) host.write(each); }
    written += each * HOSTS.length;
    await pause(50);
  }
}

/** Numbers of the lines in the stream by host, in its order. */
async function stored(server: NatsServer): Promise<Map<string, number[]>> {
  const connection = await server.connect();
  try {
    const found = new Map<string, number[]>();
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info("SAKER");
    const consumer = await jetstream(connection).consumers.get("SAKER");
    let left = state.messages;
    while (left > 0) {
      for await (const message of await consumer.fetch({ max_messages: Math.min(left, 1000) })) {
        left--;
        const { rule, hostname, output_fields } = message.json<{
          rule: string;
          hostname: string;
          output_fields: Record<string, string>;
        }>();
        if (rule !== "Line") continue;
        const numbers = found.get(hostname) ?? [];
        found.set(hostname, numbers);
        numbers.push(Number(output_fields["log.line"]!.slice(1)));
      }
    }
    return found;
  } finally {
    await connection.close();
  }
}

async function states(server: NatsServer): Promise<(readonly [string, string])[]> {
  const connection = await server.connect();
  try {
    const { streams } = await jetstreamManager(connection);
    return await Promise.all(["db", "web=2E1", "web=2E2"].map(async (key) => {
      const subject = `$KV.saker_hosts.${key}`;
      const found = await streams.getMessage("KV_saker_hosts", { last_by_subj: subject });
      const { host, state } = parsePresence(new TextDecoder().decode(found!.data))!;
      return [host, state] as const;
    }));
  } finally {
    await connection.close();
  }
}

const without = noNats() ?? (existsSync(SAKER) ? await noWire() : "there is no dist/saker");

Deno.test({
  name: "nats: every alert of three hosts is in the stream once and in order, whatever fails",
  ignore: without !== undefined,
  async fn() {
    await using wire = await Wire.lay();
    const { address, through } = wire;
    await using server = await NatsServer.start({ address, port: 4222, through });
    await using first = new Host(HOSTS[0]!, server.url);
    await using second = new Host(HOSTS[1]!, server.url);
    await using third = new Host(HOSTS[2]!, server.url);
    const hosts = [first, second, third];
    for (const host of hosts) await host.health("it is there", ({ state }) => state === "ok");
    await busy(hosts, 2);

    // The server is away and comes again.
    await server.end("SIGTERM");
    await busy(hosts, 1);
    await server.again();
    await busy(hosts, 1);

    // The network is cut; one host is killed once all that it was to tell lies on its disk.
    const cut = performance.now();
    const leftS = () => CUT_S - (performance.now() - cut) / 1000;
    wire.cut();
    await busy(hosts, CUT_S / 2);
    await third.health(
      "all lies on disk",
      ({ state, waiting }) => state === "failing" && waiting === 0,
    );
    await third.end("SIGKILL");
    await busy([first, second], Math.max(leftS() / 2, 1));
    third.start();
    await busy(hosts, Math.max(leftS(), 1));
    wire.mend();
    await busy(hosts, 2);

    for (const host of hosts) {
      await host.health("all was sent", ({ state, waiting }) => state === "ok" && waiting === 0);
      strictEqual(await host.end("SIGTERM"), 0, host.told);
    }
    const found = await stored(server);
    deepStrictEqual([...found.keys()].sort(), [...HOSTS].sort());
    for (const [at, host] of hosts.entries()) {
      ok(host.written > 0);
      inOrder(found.get(HOSTS[at]!)!, 0, host.written);
    }
    deepStrictEqual(
      await states(server),
      ["db", "web.1", "web.2"].map((host) => [host, "stopped"] as const),
    );
  },
});
