// The output to NATS against a real nats-server: every alert once and in order, through restarts.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { NatsServer, noNats } from "./nats_fixture.ts";
import { inOrder, opened, OutputsPlace } from "./outputs/place.ts";

const reason = noNats();
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `nats: ${name}`, ignore: reason !== undefined, fn });

/** Numbers of the alerts in the stream, in its order. */
async function stored(server: NatsServer): Promise<number[]> {
  const connection = await server.connect();
  try {
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info("SAKER");
    const found: number[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await streams.getMessage("SAKER", { seq });
      ok(message!.header.get("Nats-Msg-Id").length > 3);
      found.push(opened(new TextDecoder().decode(message!.data)));
    }
    return found;
  } finally {
    await connection.close();
  }
}

test("a replay's alerts are in the stream, a second time changes nothing", async () => {
  await using server = await NatsServer.start();
  using place = new OutputsPlace();
  const capture = place.capture(0, 1000);
  const options = [`nats_output={enabled: true, url: "${server.url}"}`];
  for (let run = 0; run < 2; run++) {
    const { code, error } = await place.replayed(capture, options);
    strictEqual(code, 0, error);
    inOrder(await stored(server), 0, 1000);
  }
});

test("a message has all of its alert, whatever JSON elsewhere leaves out", async () => {
  await using server = await NatsServer.start();
  using place = new OutputsPlace();
  const properties = ["output", "message", "output_fields", "tags"];
  const { code, error } = await place.replayed(place.capture(0, 1), [
    `nats_output={enabled: true, url: "${server.url}"}`,
    ...properties.map((name) => `json_include_${name}_property=false`),
  ]);
  strictEqual(code, 0, error);
  const connection = await server.connect();
  const { streams } = await jetstreamManager(connection);
  const message = await streams.getMessage("SAKER", { seq: 1 });
  await connection.close();
  const told = JSON.parse(new TextDecoder().decode(message!.data));
  deepStrictEqual(properties.filter((name) => told[name] === undefined), []);
});

test("what a server that is away cannot take waits on disk, and comes once", async () => {
  await using server = await NatsServer.start();
  using place = new OutputsPlace();
  const options = [`nats_output={enabled: true, url: "${server.url}"}`, place.spool()];
  // Each begins with the alerts of the one before it, which have the same ids.
  strictEqual((await place.replayed(place.capture(0, 300), options)).code, 0);
  await server.end("SIGKILL");
  const { error } = await place.replayed(place.capture(0, 900), options);
  ok(/Cannot write alerts to nats_output\.url .*connection refused/.test(error), error);
  await server.again();
  strictEqual((await place.replayed(place.capture(0, 1000), options)).code, 0);
  inOrder(await stored(server), 0, 1000);
});
