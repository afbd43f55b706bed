// A fleet for tests of its page: who publishes as hosts would, and `saker fleet` itself.
import { headers } from "@nats-io/nats-core";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { parseNatsUrl } from "../../src/config/address.ts";
import { connectNats } from "../../src/nats/connect.ts";
import { hostToken } from "../../src/nats/names.ts";
import { SAKER } from "../live/saker.ts";
import { eventually } from "../patience.ts";
import type { NatsServer } from "../nats_fixture.ts";

/** Publishes alerts and presences as hosts would, and as they would not. */
export async function publisher(server: NatsServer) {
  const nc = await connectNats({
    servers: [parseNatsUrl(server.url)!],
    name: "test",
    credentials: { kind: "none" },
    tls: { caCerts: [] },
    timeoutMs: 10_000,
  });
  const [js, kv] = [jetstream(nc), await new Kvm(nc).create("saker_hosts", { history: 1 })];
  return {
    nc,
    raw: (token: string, payload: string) => js.publish(`saker.alerts.${token}`, payload),
    async alert(host: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
      const all = headers();
      const rule = String(more["rule"] ?? "R");
      all.set("Saker-Rule", encodeURIComponent(rule));
      const told = {
        hostname: host,
        message: "m",
        priority: "Warning",
        rule: "R",
        time: new Date().toISOString(),
        ...more,
      };
      await js.publish(`saker.alerts.${hostToken(host)}`, JSON.stringify(told), { headers: all });
    },
    /** More than a page holds. */
    async flood(host: string, count: number): Promise<void> {
      for (let at = 0; at < count; at += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, more) => {
          const told = { rule: "Flood", message: `flood ${at + more}`, priority: "Notice" };
          const all = headers();
          all.set("Saker-Rule", "Flood");
          // The library sends again what a busy server does not answer in time.
          all.set("Nats-Msg-Id", `flood-${at + more}`);
          return js.publish(`saker.alerts.${host}`, JSON.stringify(told), { headers: all });
        }));
      }
    },
    async present(host: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
      const at = new Date().toISOString();
      const told = { host, version: "1", state: "running", started: at, at, every: 3600, ...more };
      await kv.put(hostToken(host), JSON.stringify(told));
    },
  };
}

export function startFleet(
  server: NatsServer,
  port: number,
  args: readonly string[] = [],
  stderr: "null" | "piped" = "null",
) {
  return new Deno.Command(SAKER, {
    args: ["fleet", "--nats", server.url, "--listen", `127.0.0.1:${port}`, ...args],
    stdin: "null",
    stdout: "null",
    stderr,
  }).spawn();
}

export async function answering(url: string, client?: Deno.HttpClient): Promise<void> {
  const init = client === undefined ? {} : { client };
  const ask = async () => {
    await (await fetch(url, init)).body?.cancel();
    return true;
  };
  await eventually(`an answer of ${url}`, () => ask().catch(() => undefined));
}
