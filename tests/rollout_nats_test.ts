// A source of bundles against a real nats-server: what is written comes by itself, what is deleted
// changes nothing, and a server that was away is read again.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { type KV, Kvm } from "@nats-io/kv";
import { connectNats } from "../src/nats/connect.ts";
import type { NatsOptions } from "../src/nats/options.ts";
import { publishTo, valuesOf } from "../src/rollout/nats_bucket.ts";
import { NatsSource } from "../src/rollout/nats_source.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { eventually } from "./patience.ts";

const BUCKET = "saker_rollout";

function optionsOf({ port }: NatsServer): NatsOptions {
  return {
    servers: [{ isTls: false, hostname: "127.0.0.1", port }],
    name: "test",
    credentials: { kind: "none" },
    tls: { caCerts: [] },
    timeoutMs: 10_000,
  };
}

function sourceAt(server: NatsServer, timeoutMs = 10_000): NatsSource {
  return new NatsSource({
    connect: () => optionsOf(server),
    bucket: BUCKET,
    key: "rules",
    timeoutMs,
    now: () => performance.now(),
  });
}

/** Writes as somebody else, who needs no key for that. */
async function written(
  server: NatsServer,
  act: (kv: Awaited<ReturnType<Kvm["create"]>>) => unknown,
) {
  const connection = await connectNats(optionsOf(server));
  await act(await new Kvm(connection).create(BUCKET, { history: 8 }));
  await connection.close();
}

/** What comes when the source says that something did. */
async function next(source: NatsSource): Promise<string | undefined> {
  await source.changed();
  return text(await source.ask());
}

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `rollout: ${name}`, ignore: noNats() !== undefined, fn });

test("what is written to a key comes by itself, the newest of it", async () => {
  await using server = await NatsServer.start();
  const early = sourceAt(server, 500);
  const failure = await early.ask().catch((error: Error) => error.message);
  strictEqual(failure, `no answer: is there a bucket ${BUCKET} that our account may read?`);
  early.close();
  const source = sourceAt(server);
  const first = source.ask();
  await written(server, (kv) => kv.put("rules", "one"));
  // It comes while it is read, or is read: it is not waited for in vain.
  strictEqual(text(await first), "one");
  for (let again = await source.ask(); again !== undefined; again = await source.ask()) {
    strictEqual(text(again), "one");
  }
  await written(server, async (kv) => {
    for (let count = 0; count < 100; count++) await kv.put("rules", `many ${count}`);
    await kv.put("config", "other");
  });
  let last: string | undefined;
  while (last !== "many 99") last = await next(source);
  strictEqual(await source.ask(), undefined);
  await written(server, (kv) => kv.delete("rules"));
  strictEqual(await next(source), undefined);
  source.close();
});

test("a source is read again when its server was away", async () => {
  await using server = await NatsServer.start();
  await written(server, (kv) => kv.put("rules", "one"));
  const source = sourceAt(server);
  strictEqual(text(await source.ask()), "one");
  await server.end("SIGKILL");
  await source.changed();
  const failure = await source.ask().catch((error: Error) => error.message);
  strictEqual(failure, "connection refused");
  await server.again();
  await written(server, (kv) => kv.put("rules", "two"));
  strictEqual(text(await source.ask()), "two");
  strictEqual(await source.ask(), undefined);
  await written(server, (kv) => kv.put("rules", "three"));
  strictEqual(await next(source), "three");
  source.close();
});

test("an account that may read nothing is told so, and no connection stays", async () => {
  await using server = await NatsServer.start({
    more: "authorization {users: [{user: u, password: p, permissions: {" +
      "publish: [x], subscribe: [_INBOX.>]}}]}",
  });
  const credentials = { kind: "user", user: "u", read: () => "p" } as const;
  const source = new NatsSource({
    connect: () => ({ ...optionsOf(server), credentials }),
    bucket: BUCKET,
    key: "rules",
    timeoutMs: 10_000,
    now: () => performance.now(),
  });
  const failures: string[] = [];
  for (let look = 0; look < 3; look++) {
    await source.ask().catch(({ message }: Error) => failures.push(message));
  }
  deepStrictEqual(
    failures,
    Array(3).fill(`our account may not subscribe to $KV.${BUCKET}.rules`),
  );
  source.close();
});

test("a bundle that the server cannot take is not published", async () => {
  await using server = await NatsServer.start({ more: "max_payload: 4096" });
  const connection = await connectNats(optionsOf(server));
  const { makeBundle } = await import("../src/rollout/envelope.ts");
  const { makeKeys, readPrivateKey } = await import("../src/rollout/keys.ts");
  const bytes = await makeBundle({
    ...{ kind: "rules", combine: "after", name: "fleet", serial: 1, share: 100 },
    ...{ issuedMs: 0, expiresMs: 1, hosts: [], labels: [] },
    files: [{ name: "a.yaml", text: "#".repeat(8192) }],
  }, await readPrivateKey((await makeKeys()).privatePem));
  const failure = await publishTo(connection, { bucket: BUCKET, bytes, isForced: false })
    .catch(({ message }: Error) => message);
  await connection.close();
  ok(
    /the server takes 4096 \(max_payload\): hand it out over HTTP/.test(`${failure}`),
    `${failure}`,
  );
});

test("what all hosts told is whole although they go on telling", async () => {
  await using server = await NatsServer.start();
  const keys = ["a", "b", "c"];
  const told = async (kv: KV, text: string) => {
    await Promise.all(keys.map((key) => kv.put(key, `${key} ${text}`)));
  };
  let isOver = false;
  const writing = (async () => {
    const connection = await connectNats(optionsOf(server));
    const kv = await new Kvm(connection).create("hosts", { history: 1 });
    while (!isOver) await told(kv, "again");
    await kv.delete("b");
    await connection.close();
  })();
  const connection = await connectNats(optionsOf(server));
  const now = async () => (await valuesOf(connection, "hosts")).sort();
  const isThere = async () => (await now().catch(() => [])).length === keys.length || undefined;
  await eventually("hosts to tell", isThere);
  for (let look = 0; look < 100; look++) {
    deepStrictEqual(await now(), keys.map((key) => `${key} again`));
  }
  isOver = true;
  await writing;
  deepStrictEqual(await now(), ["a again", "c again"]);
  await connection.close();
});
