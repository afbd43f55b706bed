// What each operator says of values: a row is a type, an operator, its constants, and the values
// for which it holds and does not.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ParamType } from "../../events/table.ts";
import type { Value } from "../row/field.ts";
import { rawText } from "../../words/raw_text.ts";
import { comparatorOf } from "./operators.ts";
import { compileTest, type Subject, type Test } from "./operators_compare.ts";
import { parseLiteral } from "./operators_literal.ts";

interface Row {
  readonly type: ParamType;
  readonly operator: string;
  readonly constants: readonly string[];
  readonly holds: readonly Value[];
  readonly fails: readonly Value[];
  readonly more?: Partial<Subject>;
}

function testOf({ type, operator, constants, more }: Omit<Row, "holds" | "fails">): Test {
  const comparator = comparatorOf(operator);
  const literals = constants.map((text) => {
    const parsed = parseLiteral(text, type, comparator.operator);
    if ("error" in parsed) throw new Error(parsed.error);
    return parsed.value;
  });
  const subject = { type, isList: false, bothEnds: false, anyOf: false, field: "x.y", ...more };
  const compiled = compileTest(comparator, subject, literals);
  if ("error" in compiled) throw new Error(compiled.error);
  return compiled.test;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** A byte that is no UTF-8 where it stands. */
const byte = (value: number) => rawText(Uint8Array.of(value));

const ROWS: readonly Row[] = [
  {
    type: "CHARBUF",
    operator: "=",
    constants: ["cat"],
    holds: ["cat"],
    fails: ["Cat", "cats", ""],
  },
  { type: "CHARBUF", operator: "!=", constants: ["cat"], holds: ["", "cats"], fails: ["cat"] },
  { type: "CHARBUF", operator: "<", constants: ["10"], holds: ["0", "1"], fails: ["10", "9"] },
  { type: "CHARBUF", operator: ">=", constants: ["é"], holds: ["é", "😀"], fails: ["z"] },
  { type: "CHARBUF", operator: "contains", constants: ["b/c"], holds: ["/b/c/d"], fails: ["/B/C"] },
  { type: "CHARBUF", operator: "contains", constants: [""], holds: ["", "x"], fails: [] },
  { type: "CHARBUF", operator: "icontains", constants: ["AbC"], holds: ["xaBcx"], fails: ["ab"] },
  { type: "CHARBUF", operator: "icontains", constants: ["É"], holds: ["É"], fails: ["é"] },
  { type: "FSPATH", operator: "startswith", constants: ["/etc"], holds: ["/etcx"], fails: ["etc"] },
  { type: "FSRELPATH", operator: "endswith", constants: [".so"], holds: [".so"], fails: ["so"] },
  // A constant that begins or ends within a character is found where its bytes are.
  ...[
    ["contains", `a${byte(0xc3)}`, ["aé", "xaè", `a${byte(0xc3)}`], ["a", "é", `a${byte(0xa9)}`]],
    ["contains", byte(0xa9), ["é", `${byte(0xa9)}x`], ["e", "è"]],
    ["icontains", `A${byte(0xc3)}`, ["aé", "Aé"], ["bé"]],
    ["startswith", byte(0xc3), ["é/x", byte(0xc3)], ["aé", "", "😀"]],
    ["endswith", `${byte(0xa9)}x`, ["éx", `${byte(0xa9)}x`], ["éxx", "x"]],
    ["<", "é", [byte(0xc3), "e", `${byte(0xc3)}a`], ["é", byte(0xc4), "ê", "😀"]],
    [">", byte(0xc3), ["é", "😀", byte(0xff)], [byte(0xc3), "z", byte(0xa9)]],
  ].map(([operator, constant, holds, fails]) => {
    return { type: "CHARBUF", operator, constants: [constant], holds, fails } as Row;
  }),
  { type: "CHARBUF", operator: "in", constants: ["a", "b"], holds: ["a", "b"], fails: ["", "c"] },
  { type: "CHARBUF", operator: "in", constants: [], holds: [], fails: ["", "a"] },
  { type: "CHARBUF", operator: "intersects", constants: ["a"], holds: ["a"], fails: ["b"] },
  {
    type: "CHARBUF",
    operator: "glob",
    constants: ["/h*/[!a-c]?.t\\*t"],
    holds: ["/home/x/dz.t*t"],
    fails: ["/home/az.t*t", "/home/dz.txt"],
  },
  { type: "CHARBUF", operator: "glob", constants: ["*"], holds: ["", ".a", "a/b"], fails: [] },
  { type: "CHARBUF", operator: "glob", constants: ["[]x]"], holds: ["]", "x"], fails: ["[]x]"] },
  { type: "CHARBUF", operator: "glob", constants: ["a[b"], holds: ["a[b"], fails: ["ab"] },
  { type: "CHARBUF", operator: "glob", constants: ["a\\"], holds: [], fails: ["a", "a\\"] },
  { type: "CHARBUF", operator: "glob", constants: ["??"], holds: ["ab", "é"], fails: ["a", "éé"] },
  { type: "CHARBUF", operator: "glob", constants: ["[[:digit:]]"], holds: ["7"], fails: ["x"] },
  { type: "CHARBUF", operator: "iglob", constants: ["A*[X-Z]"], holds: ["aby"], fails: ["abw"] },
  {
    type: "CHARBUF",
    operator: "pmatch",
    constants: ["/var/run", "/etc/", "lib"],
    holds: ["/var/run", "/var/run/x", "/etc", "//etc//passwd", "/lib/x"],
    fails: ["/var", "/var/running", "/usr/lib", "", "/"],
  },
  { type: "CHARBUF", operator: "pmatch", constants: ["/"], holds: ["/", "", "/a"], fails: [] },
  {
    type: "CHARBUF",
    operator: "pmatch",
    constants: ["/home/*/.ssh", "/proc/[0-9]*"],
    holds: ["/home/a/.ssh/id", "/proc/12/maps"],
    fails: ["/home/.ssh", "/home/a/b/.ssh", "/proc/self"],
  },
  {
    type: "CHARBUF",
    operator: "pmatch",
    constants: ["/a/b", "/a"],
    holds: ["/a/c"],
    fails: ["/b"],
  },
  {
    type: "CHARBUF",
    operator: "regex",
    constants: ["a+b"],
    holds: ["aab"],
    fails: ["xaab", "aabx"],
  },
  {
    type: "CHARBUF",
    operator: "regex",
    constants: ["(a|ab)(c|bcd)"],
    holds: ["abcd"],
    fails: ["ab"],
  },
  { type: "CHARBUF", operator: "regex", constants: ["[[:alpha:]]+"], holds: ["ab"], fails: ["a1"] },
  { type: "CHARBUF", operator: "regex", constants: ["a.c"], holds: ["abc"], fails: ["a\nc"] },
  {
    type: "INT64",
    operator: "=",
    constants: ["-1"],
    holds: [-1, -1n],
    fails: [1, 18446744073709551615n],
  },
  { type: "UINT64", operator: "=", constants: ["-1"], holds: [18446744073709551615n], fails: [-1] },
  { type: "UINT8", operator: "=", constants: ["256"], holds: [0], fails: [256] },
  { type: "UINT32", operator: "!=", constants: ["0"], holds: [1, 1n], fails: [0, 0n] },
  { type: "INT64", operator: ">=", constants: ["3"], holds: [3, 4n], fails: [2, -4n] },
  {
    type: "UINT64",
    operator: "<",
    constants: ["9007199254740993"],
    holds: [9007199254740992],
    fails: [9007199254740993n],
  },
  { type: "INT64", operator: "in", constants: ["1", "2"], holds: [1, 2n], fails: [3, 0n] },
  { type: "PORT", operator: "=", constants: ["ssh"], holds: [22], fails: [80] },
  { type: "PORT", operator: "=", constants: [""], holds: [0], fails: [1] },
  { type: "DOUBLE", operator: ">", constants: ["50"], holds: [50.5], fails: [50, 49.9] },
  { type: "BOOL", operator: "=", constants: ["true"], holds: [true], fails: [false] },
  { type: "BOOL", operator: "!=", constants: ["true"], holds: [false], fails: [true] },
  { type: "BOOL", operator: "in", constants: ["false"], holds: [false], fails: [true] },
  {
    type: "IPADDR",
    operator: "=",
    constants: ["10.0.0.1"],
    holds: ["10.0.0.1", Uint8Array.from([10, 0, 0, 1])],
    fails: ["10.0.0.2", "::1", Uint8Array.from([10, 0, 0, 2])],
  },
  {
    type: "IPADDR",
    operator: "!=",
    constants: ["10.0.0.1"],
    holds: ["::1", "1.1.1.1"],
    fails: ["10.0.0.1"],
  },
  {
    type: "IPADDR",
    operator: "=",
    constants: ["::0:1"],
    holds: ["::1"],
    fails: ["::2", "0.0.0.1"],
  },
  {
    type: "IPADDR",
    operator: "in",
    constants: ["10.0.0.1", "::1"],
    holds: ["::1"],
    fails: ["::2"],
  },
  {
    type: "IPNET",
    operator: "=",
    constants: ["10.1.0.0/15"],
    holds: ["10.0.9.9", "10.1.255.1", Uint8Array.from([10, 1, 0, 1])],
    fails: ["10.2.0.1", "::1"],
  },
  {
    type: "IPNET",
    operator: "!=",
    constants: ["10.0.0.0/8"],
    holds: ["::1", "11.0.0.1"],
    fails: ["10.1.1.1"],
  },
  {
    type: "IPNET",
    operator: "in",
    constants: ["10.0.0.0/8", "fd00::/8"],
    holds: ["fd12::1"],
    fails: ["fe80::1"],
  },
  { type: "IPNET", operator: "=", constants: ["0.0.0.0/0"], holds: ["8.8.8.8"], fails: ["::8"] },
  {
    type: "BYTEBUF",
    operator: "=",
    constants: ["ab"],
    holds: [bytes("ab")],
    fails: [bytes("abc")],
  },
  { type: "BYTEBUF", operator: "!=", constants: ["ab"], holds: [bytes("")], fails: [bytes("ab")] },
  {
    type: "BYTEBUF",
    operator: "contains",
    constants: ["bc"],
    holds: [bytes("abcd")],
    fails: [bytes("b")],
  },
  {
    type: "BYTEBUF",
    operator: "bcontains",
    constants: ["6263"],
    holds: [bytes("abcd")],
    fails: [bytes("6263")],
  },
  {
    type: "BYTEBUF",
    operator: "bstartswith",
    constants: ["6162"],
    holds: [bytes("abc")],
    fails: [bytes("xab")],
  },
  {
    type: "BYTEBUF",
    operator: "endswith",
    constants: ["bc"],
    holds: [bytes("abc")],
    fails: [bytes("c")],
  },
  {
    type: "BYTEBUF",
    operator: "in",
    constants: ["a", "b"],
    holds: [bytes("b")],
    fails: [bytes("ab")],
  },
  {
    type: "CHARBUF",
    operator: "startswith anyof",
    constants: ["/a", "/b"],
    holds: ["/ax"],
    fails: ["/c"],
  },
  {
    type: "CHARBUF",
    operator: "contains allof",
    constants: ["a", "b"],
    holds: ["xbxa"],
    fails: ["a"],
  },
  {
    type: "CHARBUF",
    operator: "contains oneof",
    constants: ["a", "b"],
    holds: ["a"],
    fails: ["ab", "c"],
  },
  { type: "CHARBUF", operator: "= oneof", constants: ["a", "a"], holds: [], fails: ["a"] },
  { type: "CHARBUF", operator: "= anyof", constants: ["a", "b"], holds: ["b"], fails: ["c"] },
  { type: "CHARBUF", operator: "!= allof", constants: ["a", "b"], holds: ["c"], fails: ["a"] },
  { type: "CHARBUF", operator: "contains anyof", constants: [], holds: [], fails: ["a"] },
  { type: "CHARBUF", operator: "contains allof", constants: [], holds: [], fails: ["a"] },
  {
    type: "CHARBUF",
    operator: "regex anyof",
    constants: ["a+", "b+"],
    holds: ["bb"],
    fails: ["ab"],
  },
  {
    type: "CHARBUF",
    operator: "in",
    constants: ["a", "b"],
    holds: [["a"], ["a", "b"]],
    fails: [["a", "c"]],
    more: { isList: true },
  },
  {
    type: "CHARBUF",
    operator: "intersects",
    constants: ["a", "b"],
    holds: [["c", "b"]],
    fails: [["c"], []],
    more: { isList: true },
  },
  {
    type: "CHARBUF",
    operator: "startswith",
    constants: ["ss"],
    holds: [["bash", "sshd"]],
    fails: [["bash"], []],
    more: { anyOf: true },
  },
  {
    type: "CHARBUF",
    operator: "!=",
    constants: ["a"],
    holds: [["a", "b"]],
    fails: [["a"], []],
    more: { anyOf: true },
  },
  {
    type: "PORT",
    operator: "=",
    constants: ["22"],
    holds: [[22, 5], [5, 22]],
    fails: [[5, 6], []],
    more: { bothEnds: true },
  },
  {
    type: "PORT",
    operator: "!=",
    constants: ["22"],
    holds: [[5, 6]],
    fails: [[5, 22], []],
    more: { bothEnds: true },
  },
  {
    type: "PORT",
    operator: "in",
    constants: ["22", "80"],
    holds: [[1, 80]],
    fails: [[1, 2]],
    more: { bothEnds: true },
  },
];

for (const row of ROWS) {
  const { type, operator, constants, more } = row;
  const kind = Object.keys(more ?? {}).join();
  Deno.test(`compileTest() judges ${type} ${kind} ${operator} (${constants.join(", ")})`, () => {
    const test = testOf(row);
    deepStrictEqual(row.holds.filter((value) => !test(value)), [], "all of these hold");
    deepStrictEqual(row.fails.filter((value) => test(value)), [], "none of these holds");
  });
}

Deno.test("compileTest() copies the look-ups of Falco's that never match", () => {
  const never = (type: ParamType, constants: string[], more: Partial<Subject>, value: Value) =>
    strictEqual(testOf({ type, operator: "in", constants, more })(value), false);
  never("IPADDR", ["10.0.0.1"], { bothEnds: true, field: "fd.ip" }, ["10.0.0.1"]);
  never("INT64", ["1"], { anyOf: true, field: "proc.apid" }, [1]);
  never("UINT32", ["1"], { field: "evt.rawarg" }, 1);
  const nets = testOf({
    type: "IPNET",
    operator: "in",
    constants: ["10.0.0.0/8", "11.0.0.0/8"],
    more: { bothEnds: true, field: "fd.net" },
  });
  deepStrictEqual([nets(["10.0.0.1"]), nets(["11.0.0.1"])], [true, false]);
});

Deno.test("parseLiteral() refuses what is no value of the type, in Falco's words", () => {
  const error = (text: string, type: ParamType) => {
    const parsed = parseLiteral(text, type, "=");
    return "error" in parsed ? parsed.error : parsed.value;
  };
  strictEqual(error("0x10", "INT64"), "0x10 is not a valid number");
  strictEqual(error("1.5", "UINT32"), "1.5 is not a valid number");
  strictEqual(error("1e3", "DOUBLE"), "1e3 is not a valid number");
  strictEqual(error("", "INT64"), " is not a valid number");
  strictEqual(error("yes", "BOOL"), "filter error: unrecognized boolean value yes");
  strictEqual(error("1.2.3", "IPADDR"), "unrecognized IPv4 address 1.2.3");
  strictEqual(error("01.2.3.4", "IPADDR"), "unrecognized IPv4 address 01.2.3.4");
  strictEqual(error("x", "IPADDR"), "unrecognized IPv6 address x");
  strictEqual(error("10.0.0.1", "IPNET"), "unrecognized IP network 10.0.0.1");
  strictEqual(error("10.0.0.1/33", "IPNET"), "invalid netmask 33");
  strictEqual(error("::1/129", "IPNET"), "invalid v6 netmask 129");
  strictEqual(error("nosuch", "PORT"), "unrecognized protocol nosuch");
});

Deno.test("regex refuses Perl's classes, groups and anchors, as POSIX syntax does", () => {
  for (const pattern of ["\\d+", "\\w", "a\\b", "(?i)a", "(?:a)", "[\\d]", "a(", "[a", "\\pL"]) {
    let refused = false;
    try {
      testOf({ type: "CHARBUF", operator: "regex", constants: [pattern] });
    } catch {
      refused = true;
    }
    strictEqual(refused, true, pattern);
  }
});

Deno.test("regex reads stacked repetitions as repetitions of repetitions", () => {
  const test = testOf({ type: "CHARBUF", operator: "regex", constants: ["a*?b+?c??"] });
  deepStrictEqual(["aabbc", "", "c", "b"].map((text) => test(text)), [true, true, true, true]);
});

Deno.test("regex and glob take linear time on what makes backtracking explode", () => {
  const regex = testOf({ type: "CHARBUF", operator: "regex", constants: ["(a+)+(b|a+)*c"] });
  strictEqual(regex("a".repeat(2_000)), false);
  const glob = testOf({ type: "CHARBUF", operator: "glob", constants: ["*a*a*a*a*a*a*a*a*b"] });
  strictEqual(glob("a".repeat(5_000)), false);
});
