import { deepStrictEqual, strictEqual } from "node:assert";
import { alertId } from "../../alerts/format/format.ts";
import { fleetAlert } from "./fleet_alert.ts";

const TOOK = Date.parse("2026-11-27T10:00:00Z");

function read(payload: unknown, more: { readonly host?: string } = {}) {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return fleetAlert({
    host: more.host ?? "web-1",
    sequence: 7,
    tookMs: TOOK,
    payload: new TextEncoder().encode(text),
  });
}

Deno.test("an alert is read as its host wrote it, and its number is the stream's", () => {
  const alert = read(
    '{"hostname":"web-1","message":"m","priority":"Warning","rule":"R","source":"syscall",' +
      '"tags":["t"],"time":"2026-11-27T09:59:59.123456789Z","seq":3,' +
      '"output_fields":{"evt.time":1795773599123456789,"proc.pid":5,"x":null}}',
  )!;
  deepStrictEqual(alert.outputFields, [
    ["evt.time", 1795773599123456789n],
    ["proc.pid", 5],
    ["x", undefined],
  ]);
  strictEqual(alert.priority, 4);
  strictEqual(alert.time % 1_000_000_000n, 123456789n);
  strictEqual(alertId(alert).endsWith("-7"), true);
});

Deno.test("who writes under another host's name is told, and the subject wins", () => {
  const alert = read({ rule: "R", hostname: "web-2" })!;
  strictEqual(alert.hostname, "web-1");
  deepStrictEqual(alert.outputFields, [["hostname in the alert", "web-2"]]);
});

Deno.test("what is no alert is nothing, and times to come are the server's", () => {
  for (const bad of ["", "{", "[]", "null", "3", "{}", { rule: 5 }, { rule: "" }]) {
    strictEqual(read(bad), undefined, JSON.stringify(bad));
  }
  strictEqual(read(`{"rule":"${"x".repeat(2 << 20)}"}`), undefined);
  const deep = read('{"rule":"R","output_fields":{"a":[18446744073709551615]}}')!;
  deepStrictEqual(deep.outputFields, [["a", '["18446744073709551615"]']]);
  const took = BigInt(TOOK) * 1_000_000n;
  for (const time of ["2099-01-01T00:00:00Z", "no time", "", "1900-01-01T00:00:00Z"]) {
    strictEqual(read({ rule: "R", time })!.time, took, time);
  }
});
