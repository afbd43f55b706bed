// What is taken for JSON, where values are found, and how they read.
import { ok, strictEqual } from "node:assert";
import { unescaped } from "./json_escapes.ts";
import { DEPTH_MAX, JsonTape } from "./json_tape.ts";
import { compact, indented, textOf } from "./json_value.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function read(text: string): JsonTape {
  const tape = new JsonTape();
  const bytes = encode(text);
  ok(tape.read(bytes, 0, bytes.length), `${text.slice(0, 60)}: ${tape.error}`);
  return tape;
}

function valueAt(text: string, ...keys: string[]): string | undefined {
  const tape = read(text);
  const entry = keys.reduce((from, key) => tape.get(from, key), 0);
  return entry < 0 ? undefined : textOf(tape, entry);
}

Deno.test("a tape finds values by key and index", () => {
  const text = '{"a":{"b":[1,{"c":"x"},[]]},"":"empty","d":null,"e":true}';
  strictEqual(valueAt(text, "a", "b", "0"), "1");
  strictEqual(valueAt(text, "a", "b", "1", "c"), "x");
  strictEqual(valueAt(text, "a", "b", "2"), "[]");
  strictEqual(valueAt(text, "a", "b", "3"), undefined);
  strictEqual(valueAt(text, "a", "b", "-1"), undefined);
  strictEqual(valueAt(text, "a", "b", "x"), undefined);
  strictEqual(valueAt(text, ""), "empty");
  strictEqual(valueAt(text, "d"), "null");
  strictEqual(valueAt(text, "e"), "true");
  strictEqual(valueAt(text, "e", "f"), undefined);
  strictEqual(valueAt(text, "__proto__"), undefined);
});

Deno.test("of a repeated key the first counts, and keys may be written with escapes", () => {
  strictEqual(valueAt('{"a":1,"a":2}', "a"), "1");
  strictEqual(valueAt('{"\\u0061":1,"b":2}', "a"), "1");
  strictEqual(valueAt('{"é":"ü","\\u00e8":1}', "é"), "ü");
  strictEqual(valueAt('{"é":"ü","\\u00e8":1}', "è"), "1");
});

Deno.test("values keep the order, the digits and the escapes that they came with", () => {
  const text = ' { "z" : 1.50 , "1" : [ 0201 , NaN , -inf ] ,\t"s" : "\\u003c\\n" } ';
  const tape = read(text);
  strictEqual(compact(tape, 0), '{"z":1.50,"1":[0201,NaN,-inf],"s":"\\u003c\\n"}');
  strictEqual(
    indented(read('{"a":[1,{}],"b":[]}'), 0),
    '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}',
  );
});

Deno.test("a string is what its escapes mean, and unknown ones stay", () => {
  strictEqual(unescaped('a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9'), 'a"\\/\b\f\n\r\té');
  strictEqual(unescaped("\\ud83d\\ude00"), "😀");
  strictEqual(unescaped("\\ud83d"), "\\ud83d");
  strictEqual(unescaped("\\ud83dx"), "\\ud83dx");
  strictEqual(unescaped("\\ud83d\\u0041"), "\ufffd");
  strictEqual(unescaped("\\x41\\u12"), "\\x41\\u12");
});

Deno.test("what is no JSON is refused with a reason", () => {
  for (
    const text of [
      "",
      "  ",
      "{",
      "[1,]",
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      "{a:1}",
      '"open',
      '"open\\"',
      "tru",
      "Infinity",
      "1 2",
      "{} {}",
      "\ufeff{}",
      "// no\n{}",
      "+",
      "nul",
      "[1}",
      '{"a":1]',
    ]
  ) {
    const tape = new JsonTape();
    ok(!tape.read(encode(text), 0, encode(text).length), text);
    ok(tape.error.startsWith("no JSON: "), tape.error);
  }
});

Deno.test("nesting is bounded", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  read(nested(DEPTH_MAX));
  const tape = new JsonTape();
  ok(!tape.read(encode(nested(DEPTH_MAX + 1)), 0, 2 * DEPTH_MAX + 2));
  ok(!tape.read(encode("[".repeat(1_000_000)), 0, 1_000_000));
});

Deno.test("many values and long texts are read", () => {
  const text = `[${"1,".repeat(200_000)}"${"x".repeat(5_000_000)}"]`;
  strictEqual(valueAt(text, "200000")!.length, 5_000_000);
});

/** Pieces of JSON, sound and not, such as lines are made of. */
const PIECES = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"long enough for four at a time"', " "],
  ...["\n", "\r", "\t", "1", "-inf", "true", "nul", "\\n", "é", "\u0001", "\x7f", '"k":"v"'],
  ...['{"kind":"Event"}', '["x\\"y"]', '"\\u00e9 and more"'],
];

Deno.test("a line's document is what it is when the line is cut out before", () => {
  let state = 7;
  const chance = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  let sound = 0;
  const [cut, line] = [new JsonTape(), new JsonTape()];
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: 1 + chance(6) }, () => PIECES[chance(PIECES.length)]).join(
      "",
    );
    const bytes = encode(text);
    const newline = bytes.indexOf(10);
    const end = newline < 0 ? bytes.length : newline;
    line.begin(bytes);
    const entry = line.appendLine(0, bytes.length);
    strictEqual(entry === 0, cut.read(bytes, 0, end), JSON.stringify(text));
    strictEqual(line.lineEnd, end, JSON.stringify(text));
    if (entry < 0) continue;
    sound++;
    strictEqual(compact(line, 0), compact(cut, 0));
    strictEqual(line.spaced, cut.spaced);
  }
  ok(sound > 250, `${sound}`);
});
