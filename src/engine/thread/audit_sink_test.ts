// The bounds of the queue of audit events, and its answers.
import { deepStrictEqual, strictEqual } from "node:assert";
import { QueueInput } from "../../audit/read/queue_input.ts";
import { QueueSink } from "./audit_sink.ts";

const piece = (bytes: number) => ({ bytes: new Uint8Array(bytes), origin: "test" });
const VERDICT = { events: 1, malformed: 0 };

Deno.test("a sink that is full is busy, and has room again behind a verdict", async () => {
  const sent: number[] = [];
  const sink = new QueueSink((number) => sent.push(number), { pieces: 2, bytes: 100 });
  const first = sink.offer(piece(60));
  strictEqual(sink.offer(piece(60)), "busy");
  const second = sink.offer(piece(40));
  strictEqual(sink.offer(piece(0)), "busy");
  deepStrictEqual(sent, [1, 2]);
  deepStrictEqual(sink.numbers(), { waiting: 2, waitingBytes: 100, busy: 2 });
  sink.judged(1, VERDICT);
  deepStrictEqual(await first, VERDICT);
  sink.judged(1, VERDICT);
  sink.judged(2, VERDICT);
  deepStrictEqual(await second, VERDICT);
  deepStrictEqual(sink.numbers(), { waiting: 0, waitingBytes: 0, busy: 2 });
});

Deno.test("a piece beyond the bound of bytes is taken where nothing else waits", () => {
  const sink = new QueueSink(() => {}, { pieces: 2, bytes: 100 });
  sink.offer(piece(200));
  strictEqual(sink.offer(piece(1)), "busy");
});

Deno.test("what waits at the end is answered, and nothing is taken behind it", async () => {
  const sink = new QueueSink(() => {});
  const waiting = sink.offer(piece(1));
  sink.end();
  deepStrictEqual(await waiting, { events: 0, malformed: 0, reason: "saker is ending" });
  strictEqual(sink.offer(piece(1)), "busy");
});

Deno.test("a queue gives its pieces in order and answers each by its number", () => {
  const answers: unknown[] = [];
  const queue = new QueueInput({
    onJudged: (number, verdict) => answers.push([number, verdict]),
    wait() {},
  });
  strictEqual(queue.take(), undefined);
  queue.put(7, { ...piece(1), lines: true });
  queue.put(8, piece(2));
  deepStrictEqual(queue.take(), { bytes: new Uint8Array(1), isLines: true });
  queue.judged({ events: 3, malformed: 1, reason: "why" });
  deepStrictEqual(queue.take(), { bytes: new Uint8Array(2), isLines: false });
  queue.judged({ events: 0, malformed: 0, reason: undefined });
  deepStrictEqual(answers, [
    [7, { events: 3, malformed: 1, reason: "why" }],
    [8, { events: 0, malformed: 0 }],
  ]);
});
