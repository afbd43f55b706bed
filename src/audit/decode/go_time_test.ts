// Which texts are times, and which moments they are.
import { deepStrictEqual, ok } from "node:assert";
import { readTime } from "./go_time.ts";

function moment(text: string): [number, number] | undefined {
  const at = { seconds: 0, nanoseconds: 0 };
  // What stands behind it is not looked at.
  const bytes = new TextEncoder().encode(`${text}0:00Z`);
  const { length } = text;
  return readTime(bytes, 0, length, at) ? [at.seconds, at.nanoseconds] : undefined;
}

Deno.test("a time is read to the nanosecond, in any zone", () => {
  deepStrictEqual(moment("1970-01-01T00:00:00Z"), [0, 0]);
  deepStrictEqual(moment("2026-11-25T21:28:58.943453Z"), [1_795_642_138, 943_453_000]);
  deepStrictEqual(moment("2024-02-29T12:00:00.123456789+02:00"), [1_709_200_800, 123_456_789]);
  deepStrictEqual(moment("2024-02-29T12:00:00.1234567899-00:30"), [1_709_209_800, 123_456_789]);
  deepStrictEqual(moment("2024-03-01T7:00:00,5Z"), [1_709_276_400, 500_000_000]);
  deepStrictEqual(moment("1969-12-31T23:59:59Z"), [-1, 0]);
  deepStrictEqual(moment("0000-01-01T00:00:00Z"), [-62_167_219_200, 0]);
  deepStrictEqual(moment("9999-12-31T23:59:59Z"), [253_402_300_799, 0]);
});

Deno.test("what is not written so is no time", () => {
  for (
    const text of [
      "",
      "now",
      "2026-11-25t21:28:58Z",
      "2026-11-25T21:28:58z",
      "2026-11-25 21:28:58Z",
      "2026-11-25T21:28:58",
      "2026-11-25T21:28:60Z",
      "2026-11-25T24:00:00Z",
      "2026-11-31T00:00:00Z",
      "2023-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-11-25T21:28:58.Z",
      "2026-11-25T21:28:58+2:00",
      "2026-11-25T21:28:58+02:00 ",
      "2026-1-25T21:28:58Z",
      "1700000000",
    ]
  ) ok(moment(text) === undefined, text);
});
