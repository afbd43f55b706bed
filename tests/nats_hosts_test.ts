// Three hosts with the probe that send to one nats-server what they see of real system calls, by
// the built binary: the server is restarted, the network is cut, one host is killed and started
// anew. What each host's own file has of its calls is in the stream once, and in order.
//
// SAKER_TEST_NATS_CUT=60 cuts the network for a minute instead of some seconds.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { existsSync } from "node:fs";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { parsePresence } from "../src/fleet/contract/presence.ts";
import { lastOf } from "../src/nats/last_of.ts";
import { CallingHost } from "./live/calling_host.ts";
import { SAKER } from "./live/saker.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { eventually, PATIENCE_MS } from "./patience.ts";
import { noWire, Wire } from "./wire.ts";

const CUT_S = Number(Deno.env.get("SAKER_TEST_NATS_CUT") ?? "4");
/** Of all hosts together. */
const CALLS_A_SECOND = 1_000;
const HOSTS = ["web.1", "web.2", "db"] as const;
/** What has gathered in a minute takes its time on a busy machine. */
const SENT_MS = PATIENCE_MS + CUT_S * 3_000;
const PORT = 4222;

/** All of them do calls for so many seconds, on a machine that has the time for it. */
async function busy(hosts: readonly CallingHost[], seconds: number): Promise<void> {
  const rate = CALLS_A_SECOND / HOSTS.length;
  await Promise.all(hosts.map((host) => host.call(Math.ceil(seconds * rate), rate)));
}

/** Numbers of the calls in the stream by host, in its order. */
async function stored(server: NatsServer): Promise<Map<string, number[]>> {
  const connection = await server.connect();
  try {
    const found = new Map<string, number[]>();
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info("SAKER");
    const consumer = await jetstream(connection).consumers.get("SAKER");
    for (let left = state.messages; left > 0;) {
      for await (const message of await consumer.fetch({ max_messages: Math.min(left, 1000) })) {
        left--;
        const { rule, hostname, source, output_fields } = message.json<{
          rule: string;
          hostname: string;
          source: string;
          output_fields: Record<string, string>;
        }>();
        if (rule !== "Call") continue;
        strictEqual(source, "syscall");
        const numbers = found.get(hostname) ?? [];
        found.set(hostname, numbers);
        numbers.push(CallingHost.numberOf(output_fields["fd.name"]!));
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
      const found = await lastOf(streams, "KV_saker_hosts", `$KV.saker_hosts.${key}`);
      const { host, state } = parsePresence(new TextDecoder().decode(found!.data))!;
      return [host, state] as const;
    }));
  } finally {
    await connection.close();
  }
}

/** Says where two orders part; a difference of lists of thousands says nothing. */
function alike(found: readonly number[], wanted: readonly number[], host: string): void {
  const at = wanted.findIndex((number, at) => found[at] !== number);
  const from = Math.max(0, at - 2);
  strictEqual(
    at,
    -1,
    `${host}: at ${at} the stream has ${found.slice(from, at + 3)}, its file ${
      wanted.slice(from, at + 3)
    }`,
  );
  strictEqual(found.length, wanted.length, `${host}: the stream has more`);
}

const without = noNats() ?? (existsSync(SAKER) ? await noWire() : "there is no dist/saker");

Deno.test({
  name:
    "nats: what three hosts see of system calls is in the stream once and in order, whatever fails",
  ignore: without !== undefined,
  async fn() {
    // The server has a network of its own, the first host a wire to it that the others do not use.
    await using wire = await Wire.lay(2);
    const { addresses: [own, shared], through } = wire;
    await using server = await NatsServer.start({
      ...{ address: shared!, listen: "0.0.0.0", port: PORT, through },
    });
    await using first = new CallingHost(HOSTS[0], "open", `nats://${own}:${PORT}`);
    await using second = new CallingHost(HOSTS[1], "connect", server.url);
    await using third = new CallingHost(HOSTS[2], "open", server.url);
    const hosts = [first, second, third];
    for (const host of hosts) await host.watches();
    await busy(hosts, 2);
    for (const host of hosts) await host.settled("ok");

    // The server is away and comes again.
    await server.end("SIGTERM");
    await busy(hosts, 1);
    await server.again();
    await busy(hosts, 1);

    // The network is cut; one host is killed once all that it was to tell lies on its disk.
    const cut = performance.now();
    const leftS = () => CUT_S - (performance.now() - cut) / 1000;
    for (const at of [0, 1]) wire.cut(at);
    await busy(hosts, CUT_S / 2);
    await third.settled("failing");
    await third.kill();
    await Promise.all([third.callUnseen(100), busy([first, second], Math.max(leftS() / 2, 1))]);
    third.start();
    await third.watches();
    await busy(hosts, Math.max(leftS(), 1));

    // One host has no network yet; those of the others go on.
    wire.mend(1);
    await busy(hosts, 1);
    for (const host of [second, third]) await host.settled("ok", SENT_MS);
    strictEqual(await first.state(), "failing");
    await first.settled("failing");
    wire.mend(0);
    await busy(hosts, 1);

    for (const host of hosts) await host.settled("ok", SENT_MS);
    for (const host of hosts) await host.end();
    const found = await stored(server);
    deepStrictEqual([...found.keys()].sort(), [...HOSTS].sort());
    for (const host of hosts) {
      const wanted = host.checked();
      ok(wanted.length > 0);
      alike(found.get(host.name)!, wanted, host.name);
    }
    await eventually(
      "all to be told stopped",
      async () => (await states(server)).every(([, state]) => state === "stopped") || undefined,
    );
    deepStrictEqual(
      await states(server),
      ["db", "web.1", "web.2"].map((host) => [host, "stopped"] as const),
    );
  },
});
