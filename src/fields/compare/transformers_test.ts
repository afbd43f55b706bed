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

Deno.test("arguments that do not fit are refused in Falco's words", () => {
  const numbers: ValueType = { type: "UINT64", isList: true };
  const rows:
    readonly (readonly [name: string, types: ValueType[], error: string, option?: string])[] = [
      [
        "tolower",
        [TEXT],
        "filter error: transformer 'tolower' does not support field arguments",
        "x",
      ],
      ["join", [TEXT, TEXTS], "transformer 'join' does not support field arguments", "x"],
      ["tolower", [TEXT, TEXT], "transformer 'tolower' takes one argument, not 2"],
      ["len", [], "transformer 'len' takes one argument, not 0"],
      [
        ...["b64", [{ type: "FSPATH", isList: true }]] as [string, ValueType[]],
        "can't add field transformer: type 'FSPATH' is not supported by 'b64' transformer " +
        "applied on list field 'x.y'",
      ],
      [
        "join",
        [TEXTS, TEXTS],
        "join() first argument (separator) must be a single value, not a list",
      ],
      ["join", [TEXT, TEXTS, TEXT], "join() requires exactly 2 arguments: separator and list"],
      ["concat", [TEXT, { type: "INT64", isList: false }], "concat() arguments must be strings"],
      ["getopt", [TEXTS], "getopt() requires exactly 2 arguments: args list and optstring"],
      ["getopt", [TEXT, TEXT], "getopt() first argument must be a list"],
      ["getopt", [TEXTS, TEXTS], "getopt() second argument (optstring) must be a single value"],
      ["getopt", [numbers, TEXT], "getopt() arguments must be strings"],
      ["getopt", [TEXTS, { type: "INT64", isList: false }], "getopt() arguments must be strings"],
      ["getopt", [TEXTS, TEXT], "getopt() field argument must be a single option character", "ab"],
      ["getopt", [TEXTS, TEXT], "getopt() field argument must be a single option character", ""],
      ["getopt", [TEXTS, TEXT], "getopt() field argument must be a single option character", "é"],
      ["getopt", [TEXTS, TEXT], "", "a"],
      ["getopt", [TEXTS, TEXT], ""],
    ];
  for (const [name, types, error, option] of rows) strictEqual(errorOf(name, types, option), error);
});

Deno.test("b64 reads whole bytes alone, with or without padding", () => {
  const rows = {
    ...{ "": "", "QQ": "A", "QQ==": "A", "QQ=": "A", "QUI": "AB", "QUI=": "AB", "QUJD": "ABC" },
    ...{ "QUJDRA": "ABCD", "QQBB": "A", "+/+/": "\udcfb\udcff\udcbf" },
  };
  for (const [text, plain] of Object.entries(rows)) {
    strictEqual(apply("b64", [TEXT], [text]), plain);
  }
  for (const text of ["Q", "QUJDR", "QQ===", "Q Q", "QQ==QQ", "QR-_", "é"]) {
    strictEqual(apply("b64", [TEXT], [text]), undefined, text);
  }
  const bytes = (text: string) => new TextEncoder().encode(text);
  const buffer: ValueType = { type: "BYTEBUF", isList: false };
  deepStrictEqual(apply("b64", [buffer], [bytes("QQBB")]), Uint8Array.of(65, 0, 65));
  strictEqual(apply("b64", [TEXTS], [["QQ", "Q"]]), undefined, "a list of which one is none");
  deepStrictEqual(apply("b64", [TEXTS], [["QQ", "QUI"]]), ["A", "AB"]);
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
    ["-", "a", []],
    ["-a - -b", "ab", ["a"]],
    ["file -a", "a", []],
    ["-ab", "ab", ["a", "b"]],
    ["-ab", "a:b", ["a", "b"]],
    ["-a b -b", "a:b", ["a", "b", "b"]],
    ["-a -b", "a:b", ["a", "-b"]],
    ["-b:", "b:", ["b", ":"]],
    ["-: -a", "a:", ["?", ""]],
    ["-xa -b", "ab", ["?", "a", "b"]],
    ["-xa", "ab", "a", "a"],
    ["-a 1 -b 2", "a:b:", "1", "a"],
    ["-b -a", "b:a", "-a", "b"],
  ];

for (const [words, optstring, result, option] of OPTIONS) {
  Deno.test(`getopt reads ${words} by ${optstring}${option ? `, of which ${option}` : ""}`, () => {
    deepStrictEqual(apply("getopt", [TEXTS, TEXT], [words.split(" "), optstring], option), result);
  });
}
