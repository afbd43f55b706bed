// Transformers: types that they take, and what they make of values.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ParamType } from "../../events/table.ts";
import type { Value } from "../row/field.ts";
import { applyTransformer, SINGLE, type ValueType } from "./transformers.ts";

const TEXT: ValueType = { type: "CHARBUF", isList: false };
const TEXTS: ValueType = { type: "CHARBUF", isList: true };

function apply(
  name: string,
  types: readonly ValueType[],
  values: readonly Value[],
  option?: string,
) {
  const applied = applyTransformer(name, types, "x.y", option);
  if ("error" in applied) throw new Error(applied.error);
  return applied.apply(values);
}

function errorOf(name: string, types: readonly ValueType[], option?: string): string {
  const applied = applyTransformer(name, types, "x.y", option);
  return "error" in applied ? applied.error : "";
}

const TYPES: readonly ParamType[] = [
  "CHARBUF",
  "FSPATH",
  "FSRELPATH",
  "BYTEBUF",
  "INT64",
  "BOOL",
  "IPADDR",
  "PORT",
];

const TAKEN: Readonly<Record<string, readonly ParamType[]>> = {
  tolower: ["CHARBUF", "FSPATH", "FSRELPATH"],
  toupper: ["CHARBUF", "FSPATH", "FSRELPATH"],
  basename: ["CHARBUF", "FSPATH", "FSRELPATH"],
  b64: ["CHARBUF", "BYTEBUF"],
  len: ["CHARBUF", "FSPATH", "FSRELPATH", "BYTEBUF"],
};

Deno.test("applyTransformer() takes the types of the reference and refuses the others", () => {
  deepStrictEqual(Object.keys(SINGLE).toSorted(), Object.keys(TAKEN).toSorted());
  for (const [name, taken] of Object.entries(TAKEN)) {
    for (const type of TYPES) {
      const error = errorOf(name, [{ type, isList: false }]);
      strictEqual(error === "", taken.includes(type), `${name} of ${type}: ${error}`);
    }
  }
  strictEqual(errorOf("len", [{ type: "UINT64", isList: true }]), "");
});

Deno.test("one-value transformers change values, keep missing ones and map lists", () => {
  strictEqual(apply("tolower", [TEXT], ["AbÉ"]), "abÉ");
  strictEqual(apply("toupper", [TEXT], ["abé"]), "ABé");
  strictEqual(apply("basename", [TEXT], ["/usr/bin/cat"]), "cat");
  strictEqual(apply("basename", [TEXT], ["cat"]), "cat");
  strictEqual(apply("basename", [TEXT], ["/usr/"]), "");
  strictEqual(apply("b64", [TEXT], ["aGVsbG8"]), "hello");
  strictEqual(apply("b64", [TEXT], ["aGVsbG8="]), "hello");
  strictEqual(apply("b64", [TEXT], ["a"]), undefined);
  strictEqual(apply("b64", [TEXT], ["??"]), undefined);
  strictEqual(apply("len", [TEXT], ["é"]), 2);
  strictEqual(apply("len", [TEXTS], [["a", "b", "c"]]), 3);
  strictEqual(apply("len", [{ type: "BYTEBUF", isList: false }], [new Uint8Array(5)]), 5);
  deepStrictEqual(apply("toupper", [TEXTS], [["a", "b"]]), ["A", "B"]);
  for (const name of Object.keys(SINGLE)) strictEqual(apply(name, [TEXT], [undefined]), undefined);
});

Deno.test("join and concat put texts together and are missing where a part is", () => {
  strictEqual(apply("join", [TEXT, TEXTS], [",", ["a", "b"]]), "a,b");
  strictEqual(apply("join", [TEXT, TEXTS], [",", undefined]), undefined);
  strictEqual(apply("concat", [TEXT, TEXT, TEXT], ["a", "-", "b"]), "a-b");
  strictEqual(apply("concat", [TEXT, TEXT], ["a", undefined]), undefined);
  strictEqual(errorOf("join", [TEXT]), "join() requires exactly 2 arguments: separator and list");
  strictEqual(errorOf("join", [TEXT, TEXT]), "join() second argument must be a list");
  strictEqual(errorOf("concat", [TEXT]), "concat() requires at least 2 arguments");
  strictEqual(errorOf("concat", [TEXT, TEXTS]), "concat() arguments must be strings");
});

const OPTIONS:
  readonly (readonly [words: string, optstring: string, result: Value, option?: string])[] = [
    ["-n -t 5 file -x", "nt:x", ["n", "t", "5"]],
    ["-nt5", "nt:", ["n", "t", "5"]],
    ["-z -n", "n", ["?", "n"]],
    ["-n -- -t", "nt", ["n"]],
    ["--long -n", "n", ["n"]],
    ["-t", "t:", [""]],
    ["-t 1 -t 2", "t:", "2", "t"],
    ["-n", "nt:", undefined, "t"],
    ["-n", "n", "n", "n"],
    ["-t", "t:", "", "t"],
  ];

for (const [words, optstring, result, option] of OPTIONS) {
  Deno.test(`getopt reads ${words} by ${optstring}${option ? `, of which ${option}` : ""}`, () => {
    deepStrictEqual(apply("getopt", [TEXTS, TEXT], [words.split(" "), optstring], option), result);
  });
}
