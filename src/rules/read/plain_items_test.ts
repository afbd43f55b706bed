// Items read by hand are what the library reads, to the offset.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Chance } from "../check/condition_fixture.ts";
import { readDocuments } from "./document.ts";
import type { YamlNode } from "./yaml_node.ts";
import { readPlainItem } from "./plain_items.ts";

/** A document's start in front keeps the file from being read by hand. */
const MARK = "---\n";

/** Nodes without their ends, which nothing but the search for a word uses. */
function shape(node: YamlNode, shift: number): unknown {
  switch (node.kind) {
    case "scalar":
      return [node.text, node.isNull, node.at - shift];
    case "seq":
      return [node.at - shift, node.items.map((item) => shape(item, shift))];
    case "map":
      return [
        node.at - shift,
        node.entries.map(({ key, value }) => [shape(key, shift), shape(value, shift)]),
      ];
  }
}

function byHand(text: string): unknown {
  return readDocuments(text).roots.map((root) => shape(root, 0));
}

function byLibrary(text: string): unknown {
  const { roots, errors } = readDocuments(MARK + text);
  deepStrictEqual(errors, [], text);
  return roots.map((root) => shape(root, MARK.length));
}

const VALUES: readonly (readonly [value: string, isPlain: boolean])[] = [
  ["plain", true],
  ["two words (and) = <more> $x", true],
  ["a:b http://x", true],
  ["x#y", true],
  ["'single quoted: #'", true],
  ['"double, quoted"', true],
  ["''", true],
  ["~", true],
  ["null", true],
  ["0x1F", true],
  [">\n    folded\n    text", true],
  [">-\n    folded\n    text", true],
  ["|\n    literal\n    text", true],
  [">\n    folded\n      standing out\n        more\n    text", true],
  [">\n    folded\n\n\n", true],
  [">\n    folded\n  # a comment\n", true],
  [">\n    folded\n    # no comment", true],
  [">\n    folded \n    text", true],
  [">\n    folded\n    text  \n", true],
  ["|-\n    literal  \n      text  ", true],
  [">\n    folded\n      standing out  \n    text", true],
  [">\n    folded\t\n    text", false],
  ["[]", true],
  ["[a, b c, /d/*]", true],
  ["[a,b,\n    c, d,\n  ]", true],
  ["[a,b,\n    c, d]", true],
  ["[a, b, ]", true],
  ["\n    - a\n    - b c\n", true],
  ["\n      - a\n\n      # comment\n      - b", true],
  ["value   ", true],
  ["a # comment", false],
  ["'it''s'", true],
  ["''''", true],
  ["'it''s", false],
  ["'a'b", false],
  ['"a"b', false],
  ['"a""b"', false],
  ['"a\\tb"', false],
  [">\n    folded\n\n    after a blank", false],
  ["|+\n    kept\n\n", false],
  [">2\n    a", false],
  ["plain that\n    goes on", true],
  ["{a: b}", false],
  ["\n    a: b", false],
  ["[[a], b]", false],
  ["['a, b', c]", true],
  ["[a b\n    c]", false],
  ['[\n    \'it is "this"\', "that: [x]",\n    c\n  ]', true],
  ["['it''s', '']", true],
  ['["a\\tb"]', false],
  ['["a": b]', false],
  ["[a,\n\n    b]", false],
  ["[a,\n    # comment\n    b]", false],
  ["[a # comment\n    ]", false],
  ["[a,, b]", false],
  ["[, a]", false],
  ["[a]\n    b", false],
  ["[a] b", false],
  ["[a\n  , b]", false],
  ["'a'\n    b", false],
  ["plain that\n      goes on\n    and on", true],
  ["plain that\n    goes on: not", false],
  ["plain that\n    goes on # comment", false],
  ["plain that\n\n    goes on", false],
  ["plain that\n    # comment\n    goes on", false],
  ["plain that\n    goes on\n\n  # comment\n", true],
  ["plain that\n    - goes on", false],
  ["\n    plain below", true],
  ["\n    plain (below\n     and on)", true],
  ["\n    'quoted below'", false],
  ["\n    - a: b\n      c: d e\n    - a: f\n\n    # comment\n", true],
  ["\n    - a: b", true],
  ["\n    - a: b\n    - c", true],
  ["\n    - a: b\n      c:\n        - d", false],
  ["\n    - a: b\n        c: d", false],
  ["\n    - a: b\n     c: d", false],
  ["\n    - a: 'b'", false],
  ["\n    - a\n      goes on", true],
  ["\n    - - a", false],
  ["\n    - 'a'", false],
  ["\n  - a", false],
  ["!!str a", false],
  [">", false],
  ["|", false],
  [">-", false],
  ["|\n\n", false],
  ["", false],
  ["- a", false],
];

for (const [value, isPlain] of VALUES) {
  const title = JSON.stringify(value);
  Deno.test(`readDocuments() reads ${title} as the library does`, () => {
    const text = `# top\n- rule: r\n  key: ${value}\n  other: x\n\n- list: z\n  items: [q]\n`;
    const start = text.indexOf("- rule");
    const plain = readPlainItem(text, start, text.indexOf("- list"));
    strictEqual(plain !== undefined, isPlain, "read by hand or not");
    const library = readDocuments(MARK + text);
    if (library.errors.length > 0) ok(!isPlain, "what is no YAML is left to the library");
    else deepStrictEqual(byHand(text), byLibrary(text));
  });
}

Deno.test("readDocuments() reads items made by chance as the library does", () => {
  let plain = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const chance = new Chance(seed);
    const item = () => {
      const keys = Array.from({ length: 1 + chance.below(4) }, (_, index) => {
        const [value] = chance.of(VALUES);
        const blank = chance.below(4) === 0
          ? chance.of(["\n", "  # comment\n", "# comment\n"])
          : "";
        return `k${index}: ${value}\n${blank}`;
      });
      return `- ${keys.join("  ")}`;
    };
    const text = Array.from({ length: 1 + chance.below(3) }, item).join(
      chance.of(["", "\n", "# x\n"]),
    );
    if (readDocuments(MARK + text).errors.length > 0) continue;
    deepStrictEqual(byHand(text), byLibrary(text), text);
    if (readPlainItem(text, 0, text.length) !== undefined) plain++;
  }
  ok(plain > 20, `${plain} were read by hand`);
});

Deno.test("readDocuments() leaves files that are more than a list to the library", () => {
  for (const text of ["a: b\n", "- a\n...\n- b\n", "  - a: b\n", "- &x a\n- *x\n", "text\n", ""]) {
    const { roots, errors } = readDocuments(text);
    ok(roots.length + errors.length >= 0);
  }
  strictEqual(readDocuments("- a: 1\n---\n- b: 2\n").roots.length, 2);
});
