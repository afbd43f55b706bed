// One id of an alert, wherever it goes.
import { match, notStrictEqual, strictEqual } from "node:assert";
import type { Message } from "../format/message.ts";
import { requestOf } from "./otlp_record.ts";
import { toldBeside } from "./told_beside.ts";

const alert = (more: Readonly<Record<string, unknown>>): Message => ({
  text: JSON.stringify({ hostname: "web.1", id: "17979cfe3d85cd15-7", rule: "R", ...more }),
  priority: 4,
  time: 1n,
  hostname: "web.1",
});

function uidOf(message: Message): unknown {
  const { runs } = requestOf([message], { version: "1", resource: {} }, 0);
  return new Map(runs[0]!.records[0]!.attributes).get("log.record.uid");
}

Deno.test("an alert has one id in a stream, a topic and a record of OTLP", () => {
  const one = alert({ output: "é" });
  const { id, host } = toldBeside(one);
  match(id, /^web=2E1\.17979cfe3d85cd15-7\.[0-9a-f]{16}$/);
  strictEqual(host, "web=2E1");
  strictEqual(uidOf(one), id);
  strictEqual(toldBeside(alert({ output: "é" })).id, id);
});

Deno.test("another alert of the same time and number is no double", () => {
  const [one, other] = [alert({ output: "a" }), alert({ output: "b" })];
  notStrictEqual(toldBeside(one).id, toldBeside(other).id);
  notStrictEqual(uidOf(one), uidOf(other));
  notStrictEqual(toldBeside({ ...one, hostname: "web-1" }).id, toldBeside(one).id);
});
