// The output to Kafka against a real one, alerts flowing: each arrives once and in order, while the
// broker is killed, stands still, or has taken alerts and cannot say so.
import { createHash } from "node:crypto";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { formatAlert } from "../src/alerts/format/format.ts";
import { JSON_FORMAT } from "../src/alerts/format/format_fixture.ts";
import { composeWith } from "../src/alerts/format/message.ts";
import { Outputs } from "../src/alerts/outputs.ts";
import { kafkaOutput } from "../src/alerts/outputs/kafka.ts";
import type { Output } from "../src/alerts/outputs/output.ts";
import type { QueueEvent } from "../src/alerts/queue.ts";
import { LiveOutputs } from "../src/cli/start/live_outputs.ts";
import type { Alert } from "../src/engine/contract/alert.ts";
import type { KafkaOptions } from "../src/kafka/options.ts";
import { Cutter } from "./kafka/cutter.ts";
import { KafkaServer, noKafka, type Read } from "./kafka_fixture.ts";
import { eventually, PATIENCE_MS } from "./patience.ts";

const reason = noKafka();

function alert(sequence: number, length = 200): Alert {
  return {
    hostname: "web 1",
    message: "x".repeat(length),
    outputFields: [],
    priority: 4,
    rule: "Söme rule",
    source: "syscall",
    tags: [],
    time: 1_700_000_000_000_000_000n + BigInt(sequence),
    sequence,
    degraded: false,
  };
}

const alerts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => alert(from + at));

function outputsTo(
  port: number,
  topic: string,
  more: Partial<KafkaOptions> = {},
  beside: readonly Output[] = [],
) {
  const events: QueueEvent[] = [];
  const output = kafkaOutput(() => ({
    brokers: [{ hostname: "127.0.0.1", port }],
    topic,
    made: { partitions: 1, replicas: 1, maxAgeMs: 0 },
    tls: undefined,
    credentials: undefined,
    gzip: false,
    timeoutMs: 2_000,
    ...more,
  }));
  const compose = composeWith((one) => formatAlert(one, JSON_FORMAT));
  const outputs = new Outputs({
    outputs: [output, ...beside].map((one) => ({ output: one, compose })),
    capacity: 100_000,
    onEvent: (_, event) => events.push(event),
    random: () => 0,
    clock: () => performance.now(),
    stuckMs: 600_000,
  });
  const reasons = () =>
    events.flatMap((event) => event.kind === "failed" ? [event.error.message] : []);
  return { outputs, events, reasons };
}

/** Ten alerts at a time. */
async function flow(outputs: Pick<Outputs, "send">, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 10) {
    outputs.send(alerts(at, at + 10));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function sequences(server: KafkaServer, topic: string): Promise<number[]> {
  return (await server.records(topic)).map(({ value }) => JSON.parse(value).seq);
}

function eachOnce(found: readonly number[], from: number, to: number): void {
  const wrong = found.findIndex((one, at) => one !== from + at);
  strictEqual(wrong, -1, `at ${wrong}: ${found.slice(Math.max(0, wrong - 3), wrong + 3)}`);
  strictEqual(found.length, to - from);
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** What does not come fails its test, and says what it was. */
async function until(what: string, condition: () => boolean): Promise<void> {
  await eventually(what, () => condition() || undefined);
}

Deno.test({
  name: `kafka: alerts arrive once and in order${reason === undefined ? "" : ` (${reason})`}`,
  ignore: reason !== undefined,
  async fn(t) {
    await using cutter = new Cutter();
    await using server = await KafkaServer.start({ advertised: cutter.port });
    cutter.target = server.port;

    await t.step("with key and headers; the topic is made as it is asked for", async () => {
      const { outputs, reasons } = outputsTo(cutter.port, "plain", { gzip: true });
      outputs.send(alerts(0, 1000));
      await outputs.drained(PATIENCE_MS);
      await outputs.close(1000);
      deepStrictEqual(reasons(), []);
      const records = await server.records("plain");
      eachOnce(records.map(({ value }) => JSON.parse(value).seq), 0, 1000);
      const { key, headers, value } = records[7]!;
      strictEqual(key, "web 1");
      const sum = createHash("sha256").update(value).digest("hex").slice(0, 16);
      deepStrictEqual(headers, {
        "Saker-Id": `web=201.${JSON.parse(value).id}.${sum}`,
        "Saker-Priority": "Warning",
        "Saker-Rule": "S%C3%B6me%20rule",
      });
    });

    await t.step("each host's in one partition, where several hosts' are mixed", async () => {
      const made = { partitions: 3, replicas: 1, maxAgeMs: 0 };
      const { outputs } = outputsTo(cutter.port, "hosts", { made });
      const hosts = ["a", "b", "c", "d"];
      outputs.send(alerts(0, 200).map((one, at) => ({ ...one, hostname: hosts[at % 4]! })));
      await outputs.drained(PATIENCE_MS);
      await outputs.close(1000);
      const partitions = [];
      for (let at = 0; at < 3; at++) partitions.push(await server.records("hosts", at));
      ok(partitions.filter((records) => records.length > 0).length > 1);
      for (const [at, host] of hosts.entries()) {
        const found: Read[][] = partitions.map((records) =>
          records.filter(({ key }) => key === host)
        );
        const [own, ...others] = found.filter((records) => records.length > 0);
        deepStrictEqual(others, []);
        const numbers = own!.map(({ value }) => JSON.parse(value).seq);
        deepStrictEqual(numbers, Array.from({ length: 50 }, (_, turn) => turn * 4 + at));
      }
    });

    await t.step({
      name: "by an address of IPv6, where nothing is made by looking",
      ignore: !hasIpv6(),
      async fn() {
        await using second = new Cutter("::1");
        second.target = server.port;
        const brokers = [{ hostname: "::1", port: second.port }];
        const { outputs, reasons } = outputsTo(0, "six", { brokers });
        await outputs.check();
        const others = outputsTo(0, "six", { brokers, made: undefined });
        await others.outputs.check();
        deepStrictEqual(others.reasons(), ["there is no topic six"]);
        outputs.send(alerts(0, 10));
        await outputs.drained(PATIENCE_MS);
        await Promise.all([outputs.close(1000), others.outputs.close(1000)]);
        deepStrictEqual(reasons(), []);
        eachOnce(await sequences(server, "six"), 0, 10);
      },
    });

    await t.step("beside an output that is stuck, and behind a reopening", async () => {
      const stuck: Output = {
        name: "stuck",
        write: () => new Promise(() => {}),
        reopen() {},
        close() {},
      };
      const { outputs } = outputsTo(cutter.port, "reopened", { timeoutMs: 60_000 }, [stuck]);
      outputs.send(alerts(0, 100));
      await until("all before the reopening", () => outputs.stats()[0]!.written === 100);
      outputs.reopen();
      outputs.send(alerts(100, 200));
      await until("all behind the reopening", () => outputs.stats()[0]!.written === 200);
      await outputs.close(1);
      eachOnce(await sequences(server, "reopened"), 0, 200);
    });

    await t.step("although answers are cut off behind alerts that were taken", async () => {
      const { outputs } = outputsTo(cutter.port, "cut");
      cutter.every = 3;
      let sent = 0;
      for (const end = performance.now() + PATIENCE_MS; cutter.cuts < 8;) {
        ok(performance.now() < end, `${cutter.cuts} answers were cut off`);
        await flow(outputs, sent, sent += 100);
      }
      cutter.every = 0;
      await outputs.drained(PATIENCE_MS);
      await outputs.close(1000);
      eachOnce(await sequences(server, "cut"), 0, sent);
    });

    await t.step("over a broker that is killed and started again", async () => {
      const { outputs, reasons } = outputsTo(cutter.port, "killed");
      outputs.send(alerts(0, 100));
      await until("the first to arrive", () => outputs.stats()[0]!.written > 0);
      const flowing = flow(outputs, 100, 5000);
      await server.end("SIGKILL");
      await until("the failure to be told", () => reasons().length > 0);
      await server.again();
      // As SIGUSR1 does: no pause is waited out.
      outputs.reopen();
      await flowing;
      await outputs.drained(PATIENCE_MS);
      strictEqual(outputs.stats()[0]!.state, "ok");
      await outputs.close(1000);
      eachOnce(await sequences(server, "killed"), 0, 5000);
    });

    await t.step("over a broker that stands still for longer than is waited for", async () => {
      const { outputs, reasons } = outputsTo(cutter.port, "still");
      outputs.send(alerts(0, 100));
      await until("the first to arrive", () => outputs.stats()[0]!.written > 0);
      await server.standStill();
      await flow(outputs, 100, 1000);
      await until("the failure to be told", () => reasons().length > 0);
      server.goOn();
      match(reasons()[0]!, /^no answer in time$/);
      await outputs.drained(PATIENCE_MS);
      await outputs.close(1000);
      eachOnce(await sequences(server, "still"), 0, 1000);
    });

    await t.step("one that is too large is refused alone", async () => {
      const { outputs, events } = outputsTo(cutter.port, "large");
      outputs.send([...alerts(0, 100), alert(100, 2_000_000), ...alerts(101, 300)]);
      await outputs.drained(PATIENCE_MS);
      const { written, failed, dropped } = outputs.stats()[0]!;
      deepStrictEqual({ written, failed, dropped }, { written: 299, failed: 1, dropped: 0 });
      await outputs.close(1000);
      deepStrictEqual(events.map(({ kind }) => kind), ["refused"]);
      match((events[0] as { error: Error }).error.message, /takes no message of this size/);
      const found = await sequences(server, "large");
      deepStrictEqual(found, [...Array(300).keys()].filter((at) => at !== 100));
    });

    await t.step("from outputs that are exchanged, and to another topic behind that", async () => {
      const first = outputsTo(cutter.port, "before");
      const second = outputsTo(cutter.port, "behind");
      const live = new LiveOutputs(first.outputs);
      await flow(live, 0, 1000);
      const exchange = live.exchange(() => second.outputs, PATIENCE_MS);
      await flow(live, 1000, 2000);
      await exchange;
      await live.close(PATIENCE_MS);
      deepStrictEqual([...first.reasons(), ...second.reasons()], []);
      eachOnce(await sequences(server, "before"), 0, 1000);
      eachOnce(await sequences(server, "behind"), 1000, 2000);
    });

    await t.step("and a close is not held up by a broker that stands still", async () => {
      const { outputs } = outputsTo(cutter.port, "closed", { timeoutMs: 600_000 });
      outputs.send(alerts(0, 100));
      await until("the first to arrive", () => outputs.stats()[0]!.written > 0);
      await server.standStill();
      outputs.send(alerts(100, 200));
      await until("all to be under way", () => outputs.stats()[0]!.waiting === 0);
      await outputs.close(10);
      server.goOn();
      strictEqual(outputs.stats()[0]!.dropped, 100);
      ok(outputs.stats()[0]!.written >= 1);
    });
  },
});
