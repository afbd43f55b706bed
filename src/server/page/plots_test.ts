// Numbers in, paths out: gaps stay gaps, and a plot shows the highest of what it puts together.
import { deepStrictEqual, strictEqual } from "node:assert";
import { pathsOf, piecesOf } from "./plots.tsx";
import { age, bytes, count, duration, fieldText, short, shown, valueText } from "./shown.ts";

Deno.test("a span is cut into pieces up to now, each the highest of its steps", () => {
  const span = { untilMs: 10_000, ms: 10_000, pieces: 5 };
  const at = [1_000, 2_000, 3_000, 7_000, 10_000];
  deepStrictEqual(piecesOf(at, [9, 5, 7, null, 3], span), [9, 7, null, null, 3]);
  deepStrictEqual(piecesOf([-1, 0, 10_001], [1, 2, 3], span), [null, null, null, null, null]);
  deepStrictEqual(piecesOf([], [], span), [null, null, null, null, null]);
});

Deno.test("what nobody measured leaves a gap, and one value alone stands on the ground", () => {
  const { line, area } = pathsOf([0, 10, null, 5, null]);
  strictEqual(line, "M0 47L60 1M180 24V48");
  strictEqual(area, "M0 47L60 1V48H0ZM180 24V48H180Z");
  deepStrictEqual(pathsOf([null, null]), { line: "", area: "" });
  deepStrictEqual(pathsOf([0, 0]).line, "M0 47L240 47");
});

Deno.test("numbers are written as people read them", () => {
  deepStrictEqual([0, 0.04, 9.96, 1234.4, 12345678].map(count), [
    "0",
    "0.0",
    "10.0",
    "1,234",
    "12,345,678",
  ]);
  deepStrictEqual([0, 0.06, 1.25, 431, 61_000].map(duration), [
    "0",
    "60 µs",
    "1.3 ms",
    "431 ms",
    "61 s",
  ]);
  deepStrictEqual([5, 7300, 200_000].map(age), ["5 s", "2 h 1 min", "2 d 7 h"]);
  deepStrictEqual([999, 143_000_000, 2.5e9].map(bytes), ["999 B", "143 MB", "2.5 GB"]);
});

Deno.test("texts are one line, cut where they are long, and whole values otherwise", () => {
  strictEqual(shown("a\nb\u202e"), "a\\nb\\u202e");
  strictEqual(short("x".repeat(500), 10), `${"x".repeat(10)}…`);
  strictEqual(short(`${"x".repeat(9)}😀`, 10), `${"x".repeat(9)}\ufffd…`);
  deepStrictEqual([valueText(5), valueText(["a", "b"]), valueText("t")], ["5", '["a","b"]', "t"]);
});

Deno.test("a time in nanoseconds is told beside its number, of fields of times alone", () => {
  const time = "1795749103250000000";
  const told = `${time} (2026-11-27 03:11:43.250000000 UTC)`;
  for (const name of ["evt.time", "evt.rawtime", "proc.exe_ino.ctime", "container.start_ts"]) {
    strictEqual(fieldText(name, time), told);
  }
  strictEqual(fieldText("proc.aname", time), time);
  strictEqual(fieldText("evt.time", "03:11:43.25"), "03:11:43.25");
  strictEqual(fieldText("evt.rawtime.s", "1795749103"), "1795749103");
  strictEqual(fieldText("evt.time", "9999999999999999999"), "9999999999999999999");
});
