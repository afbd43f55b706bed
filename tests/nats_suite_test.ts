// The suite that every output passes, by the one to NATS with a real server behind it.
import { deepStrictEqual } from "node:assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { alert, compose, passesSuite } from "../src/alerts/outputs/output_suite_fixture.ts";
import { natsOutput } from "../src/alerts/outputs/nats.ts";
import { NatsDoor } from "../src/nats/door.ts";
import { NatsServer, noNats } from "./nats_fixture.ts";

const TIMEOUT_MS = 60_000;

/** Lines of the stream, in its order, once there are so many. */
async function arrived(server: NatsServer, lines: number): Promise<string> {
  const connection = await server.connect();
  try {
    const { streams } = await jetstreamManager(connection);
    let last = 0;
    while (last < lines) ({ state: { last_seq: last } } = await streams.info("SAKER"));
    let text = "";
    for (let seq = 1; seq <= last; seq++) {
      const message = await streams.getMessage("SAKER", { seq });
      text += `${new TextDecoder().decode(message!.data)}\n`;
    }
    return text;
  } finally {
    await connection.close();
  }
}

function made(server: NatsServer) {
  const door = new NatsDoor(() => ({
    connect: {
      servers: [{ isTls: false, hostname: "127.0.0.1", port: server.port }],
      name: "test",
      credentials: { kind: "none" },
      tls: { caCerts: [] },
      timeoutMs: TIMEOUT_MS,
    },
    stream: "SAKER",
    subject: "saker.alerts",
    made: { maxAgeMs: 0, maxBytes: 0, replicas: 1, duplicateWindowMs: 120_000 },
  }));
  return natsOutput({ door, subject: "saker.alerts", timeoutMs: TIMEOUT_MS });
}

passesSuite({
  name: "nats",
  ignore: noNats() !== undefined,
  async make() {
    const server = await NatsServer.start();
    return {
      output: made(server),
      arrived: (lines) => arrived(server, lines),
      end: () => server[Symbol.asyncDispose](),
    };
  },
});

Deno.test({
  name: "nats: two alerts of one id are both there, and one that comes twice is there once",
  ignore: noNats() !== undefined,
  async fn() {
    await using server = await NatsServer.start();
    const output = made(server);
    // As saker's own: without a number, of one millisecond.
    const [one, other] = ["a", "b"].map((rule) => compose({ ...alert(0), rule }));
    await output.write([one!, other!]);
    await output.write([other!, one!]);
    const text = await arrived(server, 2);
    deepStrictEqual(text.trim().split("\n").map((line) => JSON.parse(line).rule), ["a", "b"]);
    output.close();
  },
});
