// Server-sent events out of a stream: however it is cut into pieces, the same events.
import { deepStrictEqual, throws } from "node:assert";
import { type ServerEvent, ServerEvents } from "./server_events.ts";

const STREAM =
  'retry: 3000\n\n: \n\nid: 1-1\ndata: {"a":1}\n\nevent: gap\r\ndata:x\r\ndata: y\r\n\r\n' +
  "event: nothing\n\nid\ndata\n\ndata: behind a null\nid: a\0b\n\ndata: cut off";

const EVENTS: readonly ServerEvent[] = [
  { name: "message", id: "1-1", data: '{"a":1}' },
  { name: "gap", id: "1-1", data: "x\ny" },
  { name: "message", id: "", data: "" },
  { name: "message", id: "", data: "behind a null" },
];

Deno.test("events come out of a stream whole, in pieces of every length", () => {
  for (let length = 1; length <= STREAM.length; length++) {
    const events = new ServerEvents();
    const found: ServerEvent[] = [];
    for (let at = 0; at < STREAM.length; at += length) {
      found.push(...events.take(STREAM.slice(at, at + length)));
    }
    deepStrictEqual(found, EVENTS, `pieces of ${length}`);
  }
});

Deno.test("an event without an end is refused, many short ones are not", () => {
  const events = new ServerEvents();
  const million = "x".repeat(1 << 20);
  for (let event = 0; event < 20; event++) events.take(`data: ${million}\n\n`);
  throws(() => {
    for (let piece = 0; piece < 20; piece++) events.take(million);
  }, /more than 16 million characters/);
  const lines = new ServerEvents();
  throws(() => {
    for (let line = 0; line < 20; line++) lines.take(`data: ${million}\n`);
  }, /more than 16 million characters/);
});
