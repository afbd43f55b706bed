// What is shown of an alert's line, whatever of it was left out, and that no number changes.
import { deepStrictEqual, strictEqual } from "node:assert";
import { recentPage, toldAlert } from "./told_alert.ts";

const ALERT = {
  degraded: true,
  id: "18ebcc09c2afd221-1",
  seq: 1,
  output: "04:20:18.730349089: Warning Read it: Warning twice (file=/x)",
  output_fields: { "fd.name": "/x" },
  priority: "Warning",
  rule: "Read it",
  time: "2026-11-27T04:20:18.730349089Z",
};

Deno.test("an alert is read as it is told, with and without its properties", () => {
  const line = JSON.stringify(ALERT);
  deepStrictEqual(toldAlert(line), {
    line,
    id: ALERT.id,
    seq: 1,
    time: ALERT.time,
    timeMs: Date.UTC(2026, 10, 27, 4, 20, 18, 730),
    priority: "Warning",
    rule: "Read it",
    output: ALERT.output,
    message: "Read it: Warning twice (file=/x)",
    degraded: true,
  });
  const { output: _, ...bare } = ALERT;
  strictEqual(toldAlert(JSON.stringify(bare))?.message, "fd.name=/x");
  strictEqual(toldAlert(JSON.stringify({ ...ALERT, message: "m" }))?.message, "m");
  for (const none of ["", "{", "null", "3", '"x"']) strictEqual(toldAlert(none), undefined, none);
});

Deno.test("integers of alerts that are held stay as they were written", () => {
  const alert = '{"output_fields":{"a":18446744073709551615,"b":1.50,"c":-1},"rule":"x"}';
  const page = recentPage(`{"alerts":[{"alert":${alert},"dossier":true}],"next":"7"}`);
  deepStrictEqual(page.alerts.map(({ line }) => line), [alert]);
  strictEqual(page.next, "7");
  deepStrictEqual(recentPage('{"alerts":[],"next":null}'), { alerts: [], next: undefined });
});
