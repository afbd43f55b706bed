// Lists put in as text, macros as trees, each in the order that the reference gives.
import { deepStrictEqual, strictEqual } from "node:assert";
import { conditionsOf, errorsOf, loadTexts, ruleText } from "../load_fixture.ts";

function conditionOf(...texts: string[]): string | string[] {
  const loaded = loadTexts(texts);
  const errors = errorsOf(loaded);
  return errors.length > 0 ? errors : conditionsOf(loaded).r ?? "";
}

const LISTS: readonly (readonly [name: string, text: string, condition: string])[] = [
  [
    "lists are put in as text, those with a blank in quotes",
    "- list: l\n  items: [a, 'b c', \"'d e'\"]\n" + ruleText("r", "proc.name in (l, x)"),
    'proc.name in (a, "b c", "d e", x)',
  ],
  [
    "a list in a list is put in where it came before",
    "- list: l\n  items: [a]\n- list: m\n  items: [l, b]\n" + ruleText("r", "proc.name in (m)"),
    "proc.name in (a, b)",
  ],
  [
    "a list in a list that comes later is put in by its name in the condition",
    "- list: m\n  items: [l, b]\n- list: l\n  items: [a]\n" + ruleText("r", "proc.name in (m)"),
    "proc.name in (a, b)",
  ],
  [
    "an earlier list that a later one names in the condition stays",
    "- list: l\n  items: [a]\n" + ruleText("r", "proc.name in (m)") +
    "- list: m\n  items: ['x l']\n",
    'proc.name in ("x l")',
  ],
  [
    "an empty list takes a comma with it",
    "- list: l\n  items: []\n" + ruleText("r", "proc.name in (a, l) or proc.name in (l, b)"),
    "(proc.name in (a) or proc.name in (b))",
  ],
  [
    "a list appended to has both items",
    "- list: l\n  items: [a]\n- list: l\n  items: [b]\n  override: {items: append}\n" +
    ruleText("r", "proc.name in (l)"),
    "proc.name in (a, b)",
  ],
  [
    "a list stands for itself behind in without parentheses",
    "- list: l\n  items: [(a)]\n" + ruleText("r", "proc.name in l"),
    "proc.name in (a)",
  ],
  [
    "a list's name inside of quotes with blanks around is replaced, too",
    "- list: l\n  items: [a]\n" + ruleText("r", "'fd.name = \"x l y\"'"),
    'fd.name = "x a y"',
  ],
];

for (const [name, text, condition] of LISTS) {
  Deno.test(`loadRules(): ${name}`, () => strictEqual(conditionOf(text), condition));
}

Deno.test("loadRules(): macros see those before them, rules see all", () => {
  strictEqual(
    conditionOf(
      "- macro: a\n  condition: fd.num = 1\n- macro: b\n  condition: a or fd.num = 2\n" +
        ruleText("r", "b and c") + "- macro: c\n  condition: not a\n",
    ),
    "((fd.num = 1 or fd.num = 2) and not fd.num = 1)",
  );
  deepStrictEqual(
    conditionOf(
      "- macro: b\n  condition: a\n- macro: a\n  condition: fd.num = 1\n" + ruleText("r", "b"),
    ),
    ["LOAD_ERR_VALIDATE Undefined macro 'a' used in filter."],
  );
  strictEqual(
    conditionOf(
      "- macro: a\n  condition: fd.num = 1\n- macro: b\n  condition: a\n" + ruleText("r", "b") +
        "- macro: a\n  condition: fd.num = 2\n",
    ),
    "fd.num = 2",
  );
  deepStrictEqual(
    conditionOf(
      "- macro: a\n  condition: fd.num = 1\n- macro: a\n  condition: a or fd.num = 2\n" +
        ruleText("r", "a"),
    ),
    ["LOAD_ERR_VALIDATE reference loop in macro 'a'"],
  );
  strictEqual(
    conditionOf(
      "- macro: a\n  condition: fd.num = 1\n" +
        "- macro: a\n  condition: or fd.num = 2\n  append: true\n" + ruleText("r", "not a"),
    ),
    "not (fd.num = 1 or fd.num = 2)",
  );
});
