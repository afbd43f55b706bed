// Lists put in as text, macros as trees, each in the order that the reference gives.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Lists } from "./lists.ts";
import type { ListInfo } from "./merge.ts";
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

/** A text, and the same with the lists l (a and "b c"), e (nothing) and w l (z) put in. */
const EXPANDED: readonly (readonly [text: string, expanded: string])[] = [
  ["", ""],
  ["l", 'a, "b c" '],
  ["in l", 'in a, "b c" '],
  ["l x", 'a, "b c" x'],
  ["x  l\ty", 'x a, "b c" y'],
  ["l\n", 'a, "b c" '],
  ["\r\nl", 'a, "b c" '],
  ["(l)", '( a, "b c" )'],
  ["( l )", '( a, "b c" )'],
  ["=l=", '= a, "b c" ='],
  ["l,l", 'a, "b c" , a, "b c" '],
  ["l l", 'a, "b c"  a, "b c" '],
  ["(x,l)", '(x, a, "b c" )'],
  ["(l,x)", '( a, "b c" ,x)'],
  ["(x , l , y)", '(x , a, "b c" , y)'],
  ["in (l) or in(l)", 'in ( a, "b c" ) or in( a, "b c" )'],
  ["xl lx l.x l-x lll 'l' \"l\"", "xl lx l.x l-x lll 'l' \"l\""],
  ["e", " "],
  ["x e", "x  "],
  ["e x", " x"],
  ["e,", " "],
  [",e", " "],
  ["(e)", "(  )"],
  ["(e, x)", "(   x)"],
  ["(x, e)", "(x  )"],
  ["(x ,e, y)", "(x   , y)"],
  ["(x,e,y)", "(x  ,y)"],
  ["(e,e)", "(    )"],
  ["(x, e, e)", "(x    )"],
  ["(w l)", "( z )"],
  ["w l", "z "],
];

Deno.test("Lists: a list stands where its name is a word, for the blanks and commas too", () => {
  const infos = { l: ["a", "b c"], e: [], "w l": ["z"] };
  const inOrder = ["w l", "l", "e"] as const;
  const place = { locations: [] };
  const lists = new Lists(
    new Map(inOrder.map((name, index): [string, ListInfo] => {
      return [name, { name, items: infos[name], index, visibility: index, place }];
    })),
  );
  for (const [text, expanded] of EXPANDED) strictEqual(lists.expand(text), expanded, text);
  deepStrictEqual([...lists.used].sort(), ["e", "l", "w l"]);
});
