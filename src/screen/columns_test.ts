// Widths of texts, and that what is cut or wrapped never takes more columns than there are and
// loses nothing, whatever it is made of.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { columnsOf, cut, fit, harmless, wrap } from "./columns.ts";
import { columnsOfLine, flow, lineText, span } from "./line.ts";

Deno.test("texts have the width that a terminal gives them", () => {
  const widths: readonly (readonly [string, number])[] = [
    ["", 0],
    ["plain", 5],
    ["größe", 5],
    ["gro\u0308\u00dfe", 5],
    ["名前", 4],
    ["😀!", 3],
    ["a\u200db", 2],
    ["ｆｕｌｌ", 8],
  ];
  for (const [text, columns] of widths) strictEqual(columnsOf(text), columns, text);
});

Deno.test("what would act on a terminal is shown instead", () => {
  strictEqual(
    harmless("a\x1b[2Jb\nc\td\r\u202e"),
    "a\\u001b[2Jb\\nc\\td\\u000d\\u202e",
  );
  strictEqual(harmless(`x${"\u0301".repeat(500)}y`), "x\u0301\u0301y");
});

Deno.test("cut and filled texts take exactly the columns that they are given", () => {
  deepStrictEqual([cut("abcdef", 4), cut("abcd", 4), cut("x", 0)], ["abc…", "abcd", ""]);
  deepStrictEqual([fit("名前名前", 6), fit("ab", 4), fit("7", 3, "right")], [
    "名前… ",
    "ab  ",
    "  7",
  ]);
});

const PIECES = [
  "a",
  "wörd",
  "名",
  "😀",
  " ",
  "  ",
  "/usr/lib/x86_64-linux-gnu",
  "e\u0301",
  "=",
  "x".repeat(50),
];

/** A small generator, so that a failure can be had again. */
function texts(count: number): string[] {
  let seed = 7;
  const next = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  return Array.from(
    { length: count },
    () => Array.from({ length: next(14) }, () => PIECES[next(PIECES.length)]).join("").trim(),
  );
}

Deno.test("wrapped texts fit, and have all that they had but blanks where they break", () => {
  const bare = (text: string) => text.replaceAll(/\s/g, "");
  for (const text of texts(2_000)) {
    for (const columns of [4, 10, 38, 80]) {
      const lines = wrap(text, columns, { indent: "  " });
      for (const line of lines) {
        ok(columnsOf(line) <= columns, JSON.stringify([text, columns, line]));
      }
      strictEqual(bare(lines.join("")), bare(text));
    }
  }
  deepStrictEqual(wrap("one two three", 8, { indent: "  " }), ["one two", "  three"]);
  deepStrictEqual(wrap("abcdefghij", 6, { indent: "  " }), ["abcdef", "  ghij"]);
  deepStrictEqual(wrap("two  blanks stay", 80), ["two  blanks stay"]);
  deepStrictEqual(wrap("", 80), []);
  deepStrictEqual(wrap("one two", 8, { taken: 5 }), ["one", "two"]);
  deepStrictEqual(wrap("four five", 8, { indent: " ", taken: 5 }), ["", " four", " five"]);
});

Deno.test("a line is cut over all of its spans, and has colours only where they are wanted", () => {
  const line = [span("abc", "bad"), span("def"), span("ghi", "faint")];
  strictEqual(lineText(line, 80, false), "abcdefghi");
  strictEqual(lineText(line, 5, false), "abcd…");
  strictEqual(lineText(line, 80, true), "\x1b[1;31mabc\x1b[0mdef\x1b[2mghi\x1b[0m");
  strictEqual(lineText([span("\x1b[31m")], 80, true), "\\u001b[31m");
});

Deno.test("items flow into lines that fit", () => {
  const items = ["events 1", "lost 22", "alerts 333", "x"].map((text) => [span(text)]);
  for (const columns of [10, 20, 40]) {
    const lines = flow(items, columns);
    for (const line of lines) ok(columnsOfLine(line) <= columns);
    const text = lines.map((line) => lineText(line, columns, false)).join("  ");
    strictEqual(text, "events 1  lost 22  alerts 333  x");
  }
});
