// The queue in front of an output: its bound, who gives way, and what is counted.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Alert } from "../engine/contract/alert.ts";
import { composeWith, type Message } from "./format/message.ts";
import { type Output, OutputClosed, PartlyWritten } from "./outputs/output.ts";
import { OutputQueue } from "./queue.ts";
import { SpoolThread } from "./spool/far_spool.ts";
import type { Spool } from "./spool/spool.ts";

function alert(sequence: number, priority = 4, rule = ""): Alert {
  return {
    hostname: "",
    message: "",
    outputFields: [],
    priority,
    rule,
    source: "syscall",
    tags: [],
    time: 0n,
    sequence,
    degraded: false,
  };
}

/** An output whose writes settle only when the test says so. */
class HeldOutput implements Output {
  readonly name = "held";
  readonly written: number[] = [];
  closed = 0;
  onWritten = async (): Promise<void> => {};
  #gate = Promise.withResolvers<void>();

  async write(messages: readonly Message[]): Promise<void> {
    await this.#gate.promise;
    this.written.push(...messages.map(({ text }) => Number(text)));
    await this.onWritten();
  }

  release(): void {
    this.#gate.resolve();
  }

  fail(error: Error): void {
    this.#gate.reject(error);
  }

  /** Writes wait again. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  reopen(): void {}

  close(): void {
    this.closed++;
  }
}

function held(capacity: number, spool?: Spool) {
  const output = new HeldOutput();
  const events: string[] = [];
  const time = { ms: 0 };
  const queue = new OutputQueue({
    output,
    capacity,
    compose: composeWith((one) => String(one.sequence)),
    onEvent(event) {
      events.push(event.kind + ("error" in event ? `: ${event.error.message}` : ""));
    },
    backOff: { firstMs: 1, maxMs: 4, random: () => 0 },
    stuckMs: 10_000,
    clock: () => time.ms,
    ...(spool === undefined ? {} : { spool }),
  });
  return { output, queue, events, time };
}

/** Long enough to see an output through. */
const PATIENCE_MS = 60_000;

/** Lets the queue take its first batch. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

Deno.test("a queue writes its alerts in order", async () => {
  const { output, queue } = held(100);
  for (let at = 1; at <= 10; at++) queue.offer(alert(at));
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  strictEqual(queue.stats().written, 10);
});

Deno.test("a queue is drained of what it had, although alerts go on coming", async () => {
  const { output, queue } = held(100);
  let sequence = 0;
  output.onWritten = async () => {
    queue.offer(alert(++sequence));
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  queue.offer(alert(++sequence));
  output.release();
  await queue.drained(PATIENCE_MS);
  strictEqual(output.written[0], 1);
  output.onWritten = async () => {};
  await queue.drained(PATIENCE_MS);
});

Deno.test("a full queue drops the latest alert and counts it", async () => {
  const { output, queue } = held(2);
  queue.offer(alert(1));
  await settle();
  for (let at = 2; at <= 5; at++) queue.offer(alert(at));
  deepStrictEqual(queue.stats().dropped, 2);
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [1, 2, 3]);
});

Deno.test("in a full queue the least important alert gives way to a better one", async () => {
  const { output, queue } = held(3);
  queue.offer(alert(1));
  await settle();
  queue.offer(alert(2, 7));
  queue.offer(alert(3, 4));
  queue.offer(alert(4, 7));
  queue.offer(alert(5, 2));
  queue.offer(alert(6, 7));
  strictEqual(queue.stats().dropped, 2);
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [1, 2, 3, 5]);
});

Deno.test("in a full queue the rule that floods gives way to a rule that does not", async () => {
  const { output, queue } = held(10);
  queue.offer(alert(0));
  await settle();
  for (let at = 1; at <= 20; at++) queue.offer(alert(at, 4, "noisy"));
  queue.offer(alert(21, 4, "rare"));
  queue.offer(alert(22, 4, "noisy"));
  queue.offer(alert(23, 4, "rare"));
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [0, 1, 2, 3, 4, 5, 6, 7, 8, 21, 23]);
  strictEqual(queue.stats().dropped, 13);
});

Deno.test("a rule that floods does not give way to what is less important", async () => {
  const { output, queue } = held(4);
  queue.offer(alert(0));
  await settle();
  for (let at = 1; at <= 4; at++) queue.offer(alert(at, 2, "grave"));
  queue.offer(alert(5, 4, "rare"));
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [0, 1, 2, 3, 4]);
});

Deno.test("what an output could not write is tried again, and told once", async () => {
  const { output, queue, events } = held(10);
  output.fail(new Error("disk full"));
  queue.offer(alert(1));
  await eventually(() => queue.stats().retries >= 2);
  queue.offer(alert(2));
  deepStrictEqual(events, ["failed: disk full"]);
  const { state, reason, waiting, failed, lastError } = queue.stats();
  deepStrictEqual([state, reason, waiting, failed], ["failing", "disk full", 2, 0]);
  strictEqual(lastError?.reason, "disk full");
  output.hold();
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [1, 2]);
  deepStrictEqual(events, ["failed: disk full", "well"]);
  strictEqual(queue.stats().state, "ok");
});

Deno.test("what was dropped is told by priority once nothing waits any more", async () => {
  const { output } = held(2);
  const events: unknown[] = [];
  const told = new OutputQueue({
    output,
    capacity: 1,
    compose: composeWith((one) => String(one.sequence)),
    onEvent: (event) => events.push(event),
    backOff: { firstMs: 1, maxMs: 4, random: () => 0 },
    stuckMs: 10_000,
    clock: () => 0,
  });
  told.offer(alert(0));
  await settle();
  for (const priority of [4, 4, 5, 2]) told.offer(alert(1, priority));
  output.release();
  await told.drained(PATIENCE_MS);
  deepStrictEqual(events, [
    { kind: "dropping" },
    { kind: "dropped", byPriority: [0, 0, 0, 0, 2, 1, 0, 0] },
  ]);
});

Deno.test("an output that took a part is given the rest, in order", async () => {
  const { output, queue } = held(10);
  output.fail(new PartlyWritten(2, new Error("cut")));
  for (let at = 1; at <= 5; at++) queue.offer(alert(at));
  await settle();
  output.hold();
  output.release();
  await queue.drained(PATIENCE_MS);
  deepStrictEqual(output.written, [3, 4, 5]);
  deepStrictEqual([queue.stats().written, queue.stats().failed], [5, 0]);
});

Deno.test("what the other side refuses is lost alone, and told once", async () => {
  const { output, queue, events } = held(10);
  output.fail(new PartlyWritten(1, new Error("HTTP 400"), { refused: 1 }));
  for (let at = 1; at <= 5; at++) queue.offer(alert(at));
  await settle();
  await eventually(() => queue.stats().failed > 0);
  output.hold();
  output.release();
  await queue.drained(PATIENCE_MS);
  const { written, failed, dropped } = queue.stats();
  deepStrictEqual([written + failed, dropped], [5, 0]);
  deepStrictEqual(events, ["refused: HTTP 400"]);
});

Deno.test("who waits for an output that fails waits so long and no longer", async () => {
  const { output, queue, time } = held(10);
  output.fail(new Error("disk full"));
  queue.offer(alert(1, 3));
  await eventually(() => queue.stats().retries > 0);
  time.ms = 2_000;
  await queue.drained(2_000);
  await queue.close(0);
  const { dropped, droppedByPriority } = queue.stats();
  deepStrictEqual([dropped, droppedByPriority], [1, [0, 0, 0, 1, 0, 0, 0, 0]]);
});

Deno.test("a queue whose reader has gone takes nothing more", async () => {
  const { output, queue, events } = held(10);
  output.fail(new OutputClosed("gone"));
  queue.offer(alert(1));
  await queue.drained(PATIENCE_MS);
  queue.offer(alert(2));
  deepStrictEqual(events, ["closed: gone"]);
  deepStrictEqual([queue.stats().dropped, queue.stats().failed, output.closed], [1, 1, 1]);
});

Deno.test("an output that takes nothing for long is slow until it does", async () => {
  const { output, queue, time } = held(10);
  queue.offer(alert(1));
  await settle();
  time.ms = 9_000;
  strictEqual(queue.stats().state, "ok");
  time.ms = 12_000;
  const { state, reason, waiting } = queue.stats();
  deepStrictEqual([state, reason, waiting], ["slow", "it has taken no alert for 12 s", 0]);
  output.release();
  await queue.drained(PATIENCE_MS);
  strictEqual(queue.stats().state, "ok");
});

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("who waits for an output that fails waits until the disk has what it is to", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o700);
  const clock = () => performance.now();
  const disk = new SpoolThread({ directory, bytesMax: 1 << 20, clock, onTrouble() {} });
  const { output, queue } = held(1_000, disk.spoolOf("held"));
  queue.offer(alert(1));
  await eventually(() => queue.stats().waiting === 0);
  output.fail(new Error("gone"));
  await eventually(() => queue.stats().state === "failing");
  for (let sequence = 2; sequence <= 900; sequence++) queue.offer(alert(sequence));
  await queue.drained(0);
  const { waiting, dropped, spool } = queue.stats();
  deepStrictEqual([waiting, dropped, spool!.alerts], [0, 0, 900]);
  await queue.close(10_000);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("what fails and finds no room on disk is lost at the end, and counted", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o700);
  const disk = new SpoolThread({
    directory,
    bytesMax: 10,
    clock: () => performance.now(),
    onTrouble() {},
  });
  const { output, queue } = held(10, disk.spoolOf("held"));
  for (const sequence of [1, 2, 3]) queue.offer(alert(sequence));
  // Until the write has begun.
  await eventually(() => queue.stats().waiting === 0);
  output.fail(new Error("gone"));
  await eventually(() => queue.stats().state === "failing");
  // The disk has answered that it has no room.
  await eventually(() => queue.stats().spool!.refused > 0);
  await eventually(() => queue.stats().waiting === 3);
  await queue.close(10_000);
  strictEqual(queue.stats().dropped, 3);
  Deno.removeSync(directory, { recursive: true });
});
