// Tables, numbers and keys of a terminal.
import { deepStrictEqual, strictEqual } from "node:assert";
import { keysOf } from "./keys.ts";
import { columnsOfLine, lineText } from "./line.ts";
import { bytes, count, duration, milliseconds, rate } from "./numbers.ts";
import { type Column, sorted, tableLines } from "./table.ts";

interface Row {
  readonly name: string;
  readonly events: number;
}

const ROWS: readonly Row[] = [
  { name: "b", events: 5 },
  { name: "a\x1b[2J", events: 70 },
  { name: "名前名前名前名前名前", events: 5 },
];

const COLUMNS: readonly Column<Row>[] = [
  {
    title: "events",
    width: 8,
    align: "right",
    text: ({ events }) => count(events),
    value: ({ events }) => events,
  },
  { title: "name", text: ({ name }) => name, value: ({ name }) => name },
  { title: "more", width: 6, least: 30, text: () => "m", value: () => 0 },
];

Deno.test("a table fits its width, and leaves out what has no room", () => {
  const shown = (columns: number) =>
    tableLines(ROWS, COLUMNS, columns, { by: "events", reversed: false })
      .map((line) => lineText(line, columns, false).trimEnd());
  deepStrictEqual(shown(24), [
    " events▼ name",
    "       5 b",
    "      70 a\\u001b[2J",
    "       5 名前名前名前名…",
  ]);
  deepStrictEqual(shown(40)[0], " events▼ name                 more");
  for (const columns of [14, 24, 40, 100]) {
    for (const line of tableLines(ROWS, COLUMNS, columns)) {
      strictEqual(columnsOfLine(line) <= columns, true);
    }
  }
});

Deno.test("rows are sorted by a column, numbers from the greatest, equal ones as they came", () => {
  const names = (by: string, reversed = false) =>
    sorted(ROWS, COLUMNS, { by, reversed }).map(({ name }) => name[0]);
  deepStrictEqual(names("events"), ["a", "b", "名"]);
  deepStrictEqual(names("events", true), ["b", "名", "a"]);
  deepStrictEqual(names("name"), ["a", "b", "名"]);
  deepStrictEqual(names("no such column"), ["a", "b", "名"]);
});

Deno.test("numbers are short", () => {
  deepStrictEqual([0, 999, 1000, 1234567, 12345678, 5e10].map(count), [
    "0",
    "999",
    "1,000",
    "1,234,567",
    "12.3 M",
    "50.0 G",
  ]);
  deepStrictEqual([undefined, 0, 0.01, 3.14, 12.6].map(rate), ["-", "0", "<0.1", "3.1", "13"]);
  deepStrictEqual([0, 2.34, 17, 123456].map(milliseconds), ["0 ms", "2.3 ms", "17 ms", "123 s"]);
  deepStrictEqual([157286400, 3 * (1 << 30)].map(bytes), ["150 MB", "3.0 GB"]);
  deepStrictEqual([-1, 59, 60, 7500, 273600].map(duration), [
    "0 s",
    "59 s",
    "1 min",
    "2 h 5 min",
    "3 d 4 h",
  ]);
});

Deno.test("keys are known by name, unknown sequences are none", () => {
  deepStrictEqual(keysOf("q?\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x1b[200~x\x1b\t\x03ä"), [
    "q",
    "?",
    "up",
    "down",
    "page up",
    "x",
    "escape",
    "tab",
    "q",
    "ä",
  ]);
});
