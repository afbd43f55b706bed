// What a host tells of itself in NATS: at its start, again and again, when its rules have changed,
// at its end; and that a host which was killed does not say that it has stopped.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { NatsConnection } from "@nats-io/nats-core";
import { jetstreamManager } from "@nats-io/jetstream";
import { parsePresence, type Presence } from "../src/fleet/contract/presence.ts";
import { lastOf } from "../src/nats/last_of.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { NatsHost } from "./nats_host.ts";
import { eventually } from "./patience.ts";

const reason = noNats();
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `nats: ${name}`, ignore: reason !== undefined, fn });

/** What the bucket holds under the key once it is as wanted. */
async function presence(
  connection: NatsConnection,
  key: string,
  what: string,
  isWanted: (presence: Presence) => boolean,
): Promise<Presence> {
  const { streams } = await jetstreamManager(connection, { checkAPI: false });
  let last: Presence | undefined;
  return await eventually(`it ${what}`, async () => {
    // The host is about to make the bucket.
    const found = await lastOf(streams, "KV_saker_hosts", `$KV.saker_hosts.${key}`)
      .catch((error) => {
        if (connection.isClosed()) throw error;
      });
    last = found ? parsePresence(new TextDecoder().decode(found.data)) : undefined;
    return last !== undefined && isWanted(last) ? last : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

test("a host tells of itself from its start to its end", async () => {
  await using server = await NatsServer.start();
  await using host = new NatsHost("web.1", `url: "${server.url}", presence_every: 1s`);
  const connection = await server.connect();
  try {
    const first = await presence(connection, "web=2E1", "runs", () => true);
    deepStrictEqual(
      { ...first, started: "", at: "", version: "", rules: {}, cpu_percent: 0, memory_bytes: 0 },
      {
        host: "web.1",
        version: "",
        state: "running",
        started: "",
        at: "",
        every: 1,
        engine: { kind: "nodriver" },
        config: null,
        rules: {},
        events: { seen: 0, lost: 0, kept_back: 0 },
        alerts: { total: 0, by_priority: {}, by_rule: {} },
        outputs: first.outputs,
        cpu_percent: 0,
        memory_bytes: 0,
      },
    );
    deepStrictEqual(first.outputs.map(({ name, state }) => [name, state]), [
      ["stdout", "ok"],
      ["nats", "ok"],
    ]);
    ok(first.memory_bytes! > 1e6 && first.started < first.at && /^[0-9.]+/.test(first.version));
    const { rules } = first;
    strictEqual(rules.count, 1);
    await presence(connection, "web=2E1", "tells again", ({ at }) => at > first.at);
    host.write(["one", "two"]);
    host.kill("SIGHUP");
    const next = await presence(connection, "web=2E1", "has two", ({ rules }) => rules.count === 2);
    ok(next.rules.sum !== rules.sum && next.rules.sum.length === 64);
    host.kill("SIGTERM");
    strictEqual(await host.ended(), 0, host.told);
    await presence(connection, "web=2E1", "has stopped", ({ state }) => state === "stopped");
  } finally {
    await connection.close();
  }
});

test("a reload goes to another server, and says no word of an end", async () => {
  await using before = await NatsServer.start();
  await using after = await NatsServer.start();
  await using host = new NatsHost("a", `url: "${before.url}", presence_every: 1h`);
  const [from, to] = [await before.connect(), await after.connect()];
  try {
    strictEqual((await presence(from, "a", "runs", () => true)).every, 3600);
    // What cannot be used is refused, and the old output goes on.
    host.configure(`url: "${after.url}", token_file: /none`);
    host.kill("SIGHUP");
    await host.says(/stay as they were: nats_output.token_file: Cannot read \/none/);
    await host.health(
      "it is well",
      ({ outputs }) => outputs.some(({ name, state }) => name === "nats" && state === "ok"),
    );
    host.configure(`url: "${after.url}", presence_every: 2h`);
    host.kill("SIGHUP");
    const next = await presence(to, "a", "tells anew", ({ every }) => every === 7200);
    strictEqual(next.state, "running");
    strictEqual((await presence(from, "a", "is there", () => true)).state, "running");
    host.kill("SIGKILL");
    await host.ended();
    strictEqual((await presence(to, "a", "is there", () => true)).state, "running");
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
});

test("where the bucket may not be written, that is told, and alerts go on", async () => {
  await using server = await NatsServer.start({
    more: 'authorization {users = [{user: "s", password: "p", permissions: {' +
      'publish: {deny: ["$KV.>"]}}}]}',
  });
  const file = Deno.makeTempFileSync();
  Deno.writeTextFileSync(file, "p\n");
  try {
    await using host = new NatsHost("a", `url: "${server.url}", user: s, password_file: ${file}`);
    const line = await host.says(/hosts_bucket/);
    ok(/this host cannot tell of itself: our account may not publish to \$KV\./.test(line), line);
    host.kill("SIGTERM");
    strictEqual(await host.ended(), 0, host.told);
  } finally {
    Deno.removeSync(file);
  }
});
