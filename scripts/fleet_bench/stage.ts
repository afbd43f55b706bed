// Servers, a page and what they take while hosts publish: what the parts of scripts/bench fleet
// stand on.
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { connectNats } from "../../src/nats/connect.ts";
import { parseNatsUrl } from "../../src/config/address.ts";
import { freePort, SAKER } from "../../tests/live/saker.ts";
import { NatsServer } from "../../tests/nats_fixture.ts";
import { bytesBelow, pause, settled, takenBy } from "./processes.ts";
import type { SimulatedHosts } from "./simulated_hosts.ts";

export const BINARY = Deno.env.get("SAKER") ?? SAKER;

export function connectTo(server: NatsServer): Promise<NatsConnection> {
  return connectNats({
    servers: [parseNatsUrl(server.url)!],
    name: "bench",
    credentials: { kind: "none" },
    tls: { caCerts: [] },
    timeoutMs: 30_000,
  });
}

/** The stream and the bucket as sakers make them. */
export async function prepare(server: NatsServer, replicas = 1): Promise<void> {
  const connection = await connectTo(server);
  const { streams } = await jetstreamManager(connection, { timeout: 30_000 });
  await streams.add({
    name: "SAKER",
    subjects: ["saker.alerts.>"],
    storage: StorageType.File,
    num_replicas: replicas,
    duplicate_window: 120 * 1e9,
  });
  await new Kvm(connection).create("saker_hosts", { history: 1, replicas });
  await connection.close();
}

export async function streamOf(server: NatsServer) {
  const connection = await connectTo(server);
  try {
    const { streams, consumers } = await jetstreamManager(connection, { timeout: 30_000 });
    const { state } = await streams.info("SAKER");
    let behind = 0;
    for await (const { num_pending } of consumers.list("SAKER")) {
      behind = Math.max(behind, num_pending);
    }
    return { messages: state.messages, bytes: state.bytes, behind };
  } finally {
    await connection.close();
  }
}

/** `saker fleet` over a server. */
export class Page implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  get pid(): number {
    return this.#child.pid;
  }

  static async start(server: NatsServer): Promise<Page> {
    const port = freePort();
    const child = new Deno.Command(BINARY, {
      args: ["fleet", "--nats", server.url, "--listen", `127.0.0.1:${port}`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const page = new Page(child, `http://127.0.0.1:${port}`);
    for (const until = performance.now() + 60_000;;) {
      const text = await page.text("/").catch(() => undefined);
      if (text !== undefined && !text.includes(">NATS: ")) break;
      if (performance.now() > until) throw new Error("the page does not come");
      await pause(100);
    }
    await settled(page.pid);
    return page;
  }

  async text(path: string): Promise<string> {
    return await (await fetch(`${this.url}${path}`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

export interface Pace {
  /** Of all hosts together. */
  readonly alerts: number;
  readonly presences: number;
  readonly hosts: number;
  readonly seconds: number;
}

/** Publishes at a pace; how much it was, and how long it took. */
export async function publish(hosts: SimulatedHosts, pace: Pace, firstNumber = 0) {
  const startMs = performance.now();
  let [sent, told] = [0, 0];
  const passed = () => (performance.now() - startMs) / 1000;
  for (; passed() < pace.seconds; await pause(10)) {
    const s = Math.min(passed(), pace.seconds);
    for (; sent < s * pace.alerts; sent++) hosts.alert(sent % pace.hosts, firstNumber + sent);
    for (; told < s * pace.presences; told++) hosts.presence(told % pace.hosts);
    await hosts.flushed();
  }
  return { sent, told, seconds: passed() };
}

/** Until the stream has answered all, or a minute is over; whether it has. */
export async function answered(hosts: SimulatedHosts, wanted: number): Promise<boolean> {
  for (const until = performance.now() + 60_000; performance.now() < until; await pause(50)) {
    if (hosts.answered >= wanted) return true;
  }
  return false;
}

/** What processes take while something is done, in the order in which they are given. */
export async function taking<T>(pids: readonly number[], work: () => Promise<T>) {
  const before = pids.map(takenBy);
  const result = await work();
  await pause(1000);
  const taken = pids.map((pid, at) => {
    const { cpuSeconds, megabytes } = takenBy(pid);
    return { cpuSeconds: cpuSeconds - before[at]!.cpuSeconds, megabytes };
  });
  return { result, taken };
}

export function storedBytes(server: NatsServer): number {
  return bytesBelow(`${server.directory}/js`);
}
