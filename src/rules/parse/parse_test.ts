// The grammar of conditions: text in, canonical text or error out.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Chance, conditionByChance, nonsenseByChance } from "../check/condition_fixture.ts";
import { bytesOf } from "../../words/raw_text.ts";
import { isModified } from "./grammar.ts";
import { DEPTH_MAX, parse, parseTerm } from "./parse.ts";
import { print } from "./syntax.ts";

function printed(text: string): string {
  const parsed = parse(text);
  return "tree" in parsed ? print(parsed.tree) : `${parsed.error.at}: ${parsed.error.message}`;
}

const SOUND: readonly (readonly [string, string])[] = [
  ["a", "a"],
  ["a and b or c and d", "((a and b) or (c and d))"],
  ["a or b and c", "(a or (b and c))"],
  ["a and b and c", "(a and b and c)"],
  ["(a)", "a"],
  ["  a  ", "a"],
  ["not not a", "a"],
  ["not a", "not a"],
  ["not(a or b)", "not (a or b)"],
  ["not not(a)", "a"],
  ["a and(b)", "(a and b)"],
  ["a or(b or c)", "(a or (b or c))"],
  ["evt.type=open", "evt.type = open"],
  ["evt.type==open", "evt.type == open"],
  ["evt.num<=3", "evt.num <= 3"],
  ["evt.num >= -1", "evt.num >= -1"],
  ["evt.num < 0x1F", "evt.num < 0x1F"],
  ["evt.num > 1.5e+3", "evt.num > 1.5e+3"],
  ["fd.name exists", "fd.name exists"],
  ["fd.name existsand a", "(fd.name exists and a)"],
  ["proc.name in(a,b , c)", "proc.name in (a, b, c)"],
  ["proc.name in ()", "proc.name in ()"],
  ["proc.name in some_list", "proc.name in some_list"],
  ["proc.name intersects (a)", "proc.name intersects (a)"],
  ["fd.name pmatch (/etc, '/x y')", 'fd.name pmatch (/etc, "/x y")'],
  ["fd.name startswith /etc", "fd.name startswith /etc"],
  ["fd.name contains 'a\"b'", 'fd.name contains "a\\"b"'],
  ['fd.name = "a\\tb\\x41\\\\c"', 'fd.name = "a\\tbA\\\\c"'],
  ['fd.name = "a\\ b"', 'fd.name = "a\\\\b"'],
  ['fd.name = ""', 'fd.name = ""'],
  ["fd.name startswith oneof (a, b)", "fd.name startswith oneof (a, b)"],
  ["fd.name = anyof some_list", "fd.name = anyof some_list"],
  ["fd.name contains oneof and a", "(fd.name contains oneof and a)"],
  ["fd.name contains oneof or a", "(fd.name contains oneof or a)"],
  ["fd.name contains oneof", "fd.name contains oneof"],
  ["proc.aname[2]=x", "proc.aname[2] = x"],
  ["proc.env['A B'] = x", 'proc.env["A B"] = x'],
  ["tolower(proc.name)=x", "tolower(proc.name) = x"],
  ["toupper( tolower(proc.name) ) = x", "toupper(tolower(proc.name)) = x"],
  ["proc.name = val(proc.pname)", "proc.name = val(proc.pname)"],
  ["proc.name = tolower(proc.pname)", "proc.name = tolower(proc.pname)"],
  ["proc.name in val(proc.pname)", "proc.name in val(proc.pname)"],
  ["evt.num > val(proc.pid)", "evt.num > val(proc.pid)"],
  ["join(',', (proc.name, 'x', 1)) = y", 'join(",",(proc.name,x,1)) = y'],
  ["getopt(proc.args,'ab:')[b] = 1", "getopt(proc.args,ab:)[b] = 1"],
  ["notable", "notable"],
  ["orphan or android", "(orphan or android)"],
];

for (const [text, canonical] of SOUND) {
  Deno.test(`parse() reads ${text}`, () => strictEqual(printed(text), canonical));
}

const REFUSED: readonly (readonly [string, string])[] = [
  ["", "0: filter input string is empty"],
  ["a b", "2: unexpected token after 'a', expecting 'or', 'and'"],
  ["a and", "5: expected blank or '(' after 'and'"],
  ["a and ", "6: expected a '(' token, a field check, or an identifier"],
  ["a or b)", "6: unexpected token after 'b', expecting 'or', 'and'"],
  ["(a", "2: expected a ')' token"],
  ["fd.name =", "9: expected a quoted string, a bare string, or a field with a valid transformer:"],
  [
    "fd.name glob",
    "8: expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', '=='",
  ],
  ["fd.name ~ x", "8: expected a valid check operator: one of 'exists'"],
  [
    "evt.num < x",
    "10: expected a number value or a field with a valid transformer: 'val', 'tolower'",
  ],
  ["fd.name in x.y", "12: unexpected token after 'x', expecting 'or', 'and'"],
  ["fd.name in (a b)", "14: expected a ')' token"],
  ['fd.name = "a\\qb"', "16: unsupported string escape sequence: \\q"],
  ["fd.name = '\\\"'", "14: invalid \\\" escape in '-quoted string"],
  ['fd.name = "\\xg"', "15: invalid hex char escape sequence: "],
  ['fd.name = "a\\\\"', "10: expected a quoted string, a bare string"],
  ["proc.aname[ = x", "11: expected a valid field argument: a quoted string or a bare string"],
  ["proc.aname[2 = x", "12: expected a ']' token"],
  ["proc.name = val(proc)", "16: expected a field within 'val' transformer"],
  ["tolower() = x", "8: expected field transformer argument: field, transformer"],
  ["evt.type=x android", "14: expected blank or '(' after 'and'"],
];

for (const [text, error] of REFUSED) {
  Deno.test(`parse() refuses ${text || "nothing"}`, () => {
    strictEqual(printed(text).slice(0, error.length), error);
  });
}

Deno.test("parse() gives what it printed the same tree again", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const text = conditionByChance(new Chance(seed), 4);
    const once = printed(text);
    ok(!/^\d+: /.test(once), `${text} is sound: ${once}`);
    strictEqual(printed(once), once, `seed ${seed}`);
  }
});

Deno.test("parse() stops at Falco's depth and not before", () => {
  const nested = (levels: number) => "(".repeat(levels) + "a" + ")".repeat(levels);
  strictEqual(printed(nested(150)), "a");
  const refused = parse(nested(2_000));
  ok("error" in refused);
  strictEqual(refused.error.message, `exceeded max depth limit of ${DEPTH_MAX}`);
  strictEqual(printed(`${"not ".repeat(100_000)}a`), "a");
  strictEqual(printed(Array(50_000).fill("a").join(" or ")).length, 50_000 * 5 - 4 + 2);
});

/** What nests, and how many levels Falco counts for each: `@` is what stands inside. */
const NESTED: readonly (readonly [form: string, inner: string, levels: number])[] = [
  ["(@)", "a", 5],
  ["not(@)", "a", 4],
  ["a and (@)", "a", 5],
  ["a or(@)", "a", 2],
  ["a and(@)", "a", 3],
];

for (const [form, inner, levels] of NESTED) {
  Deno.test(`parse() counts ${levels} levels for each ${form}`, () => {
    const nested = (depth: number) => {
      const [before, after] = form.split("@") as [string, string];
      return before.repeat(depth) + inner + after.repeat(depth);
    };
    const isRead = (depth: number) => "tree" in parse(nested(depth));
    let most = 1;
    while (isRead(most + 1)) most++;
    strictEqual(most, Math.floor((DEPTH_MAX - 5) / levels));
  });
}

Deno.test("parse() counts what is nested, not what stands side by side", () => {
  const parts = ["a", "(a)", "not(a)", "not a", "fd.num = 1", "fd.name exists", "fd.num > 1"];
  const terms = ["tolower(fd.name) = x", "join(',', (fd.name, 'x')) = y", "fd.name = val(fd.name)"];
  for (const part of [...parts, ...terms, "fd.name in (a, b)", "fd.name = oneof (a)"]) {
    for (const word of [" and ", " or ", " and not "]) {
      const text = Array(DEPTH_MAX + 5).fill(part).join(word);
      strictEqual("tree" in parse(text), true, `${part}${word}`);
    }
  }
  const items = Array(DEPTH_MAX + 5).fill("tolower(fd.name)").join(", ");
  strictEqual("tree" in parse(`join(",", (${items})) = x`), true);
});

Deno.test("parse() never throws on nonsense", () => {
  for (let seed = 1; seed <= 4_000; seed++) {
    const chance = new Chance(seed);
    const text = nonsenseByChance(chance, 1 + chance.below(24));
    const parsed = parse(text);
    if ("tree" in parsed) ok(print(parsed.tree).length > 0, text);
    else ok(parsed.error.at >= 0 && parsed.error.at <= text.length, text);
    const term = parseTerm(text);
    if ("tree" in term) ok(term.end <= text.length, text);
  }
});

Deno.test("quoted constants keep bytes that are no UTF-8, and make up those that are", () => {
  const valueOf = (text: string) => {
    const parsed = parse(`evt.buffer = ${text}`);
    if (!("tree" in parsed) || parsed.tree.kind !== "check") throw new Error(text);
    return parsed.tree.right?.kind === "value" ? parsed.tree.right.text : "";
  };
  strictEqual(valueOf('"\\xc3\\xa9"'), "é");
  strictEqual(valueOf('"💀\\xf0\\x9f\\x92\\x80"'), "💀💀");
  deepStrictEqual([...bytesOf(valueOf('"a\\xff\\xc3"'))], [0x61, 0xff, 0xc3]);
});

Deno.test("isModified() takes a string operator with one modifier", () => {
  const taken = [
    "startswith oneof",
    "= anyof",
    "!= allof",
    "in oneof",
    "contains",
    "> anyof",
    "= any",
  ];
  deepStrictEqual(taken.map(isModified), [true, true, true, false, false, false, false]);
});
