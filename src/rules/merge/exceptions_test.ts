// Exceptions of rules: what they add to the condition, and what is wrong with them.
import { deepStrictEqual, strictEqual } from "node:assert";
import { conditionsOf, errorsOf, loadTexts, ruleText } from "../load_fixture.ts";

function conditionOf(...texts: string[]): string | string[] {
  const loaded = loadTexts(texts);
  const errors = errorsOf(loaded);
  return errors.length > 0 ? errors : conditionsOf(loaded).r ?? "";
}

function excepted(exceptions: string, ...more: string[]): string | string[] {
  return conditionOf(ruleText("r", "evt.type = open") + `  exceptions:\n${exceptions}`, ...more);
}

const EXCEPTIONS: readonly (readonly [name: string, text: string, condition: string | string[]])[] =
  [
    [
      "one field is compared by in",
      "    - {name: e, fields: proc.name, values: [a, b c]}\n",
      '(evt.type = open and not proc.name in (a, "b c"))',
    ],
    [
      "one field takes pmatch and modified operators",
      "    - {name: e, fields: fd.name, comps: startswith anyof, values: [/a]}\n",
      "(evt.type = open and not fd.name startswith anyof (/a))",
    ],
    [
      "several fields are compared by =",
      "    - {name: e, fields: [proc.name, fd.name], values: [[a, /b], [c, /d]]}\n",
      "(evt.type = open and not ((proc.name = a and fd.name = /b) or " +
      "(proc.name = c and fd.name = /d)))",
    ],
    [
      "several fields have their own operators, lists get parentheses",
      "    - {name: e, fields: [proc.name, fd.name], comps: [in, startswith], " +
      "values: [[[a, b], /c]]}\n",
      "(evt.type = open and not (proc.name in (a, b) and fd.name startswith /c))",
    ],
    [
      "a single value for a list operator gets parentheses",
      "    - {name: e, fields: [proc.name, fd.num], comps: [in, '>='], values: [[a, 3]]}\n",
      "(evt.type = open and not (proc.name in (a) and fd.num >= 3))",
    ],
    ["no values add nothing", "    - {name: e, fields: proc.name}\n", "evt.type = open"],
    [
      "fields are needed",
      "    - {name: e, values: [a]}\n",
      [
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'fields'",
        "LOAD_ERR_VALIDATE Rule exception item must have fields property with a list of fields",
      ],
    ],
    [
      "fields and operators have the same number",
      "    - {name: e, fields: [proc.name], comps: [in, =], values: [[a]]}\n",
      ["LOAD_ERR_VALIDATE Fields and comps lists must have equal length"],
    ],
    [
      "fields and values have the same number",
      "    - {name: e, fields: [proc.name, fd.name], values: [[a]]}\n",
      ["LOAD_ERR_VALIDATE Fields and values lists must have equal length"],
    ],
    [
      "a single field takes no list of values",
      "    - {name: e, fields: proc.name, values: [[a]]}\n",
      ["LOAD_ERR_VALIDATE Expected values array to contain a list of strings"],
    ],
    [
      "fields must exist",
      "    - {name: e, fields: proc.nam, values: [a]}\n",
      [
        "LOAD_ERR_VALIDATE 'proc.nam' is not a supported filter field",
        "LOAD_ERR_COMPILE_CONDITION filter_check called with nonexistent field proc.nam",
      ],
    ],
    [
      "operators must exist",
      "    - {name: e, fields: [proc.name], comps: [like], values: [[a]]}\n",
      [
        "LOAD_ERR_VALIDATE 'like' is not a supported comparison operator",
        "LOAD_ERR_COMPILE_CONDITION expected a valid check operator: one of 'exists', '<=', '<', " +
        "'>=', '>', '==', '=', '!=', 'glob', 'iglob', 'contains', 'icontains', 'bcontains', " +
        "'startswith', 'bstartswith', 'endswith', 'regex', 'intersects', 'in', 'pmatch'",
      ],
    ],
  ];

for (const [name, text, condition] of EXCEPTIONS) {
  Deno.test(`loadRules(): exceptions: ${name}`, () => deepStrictEqual(excepted(text), condition));
}

Deno.test("loadRules(): exceptions are appended to by name, or added", () => {
  const first = "    - {name: e, fields: proc.name, values: [a]}\n";
  const append = (exception: string) =>
    `- rule: r\n  exceptions:\n    - ${exception}\n  override: {exceptions: append}\n`;
  strictEqual(
    excepted(first, append("{name: e, values: [b]}")),
    "(evt.type = open and not proc.name in (a, b))",
  );
  strictEqual(
    excepted(first, append("{name: f, fields: fd.name, values: [b]}")),
    "(evt.type = open and not proc.name in (a) and not fd.name in (b))",
  );
  deepStrictEqual(excepted(first, append("{name: e, fields: fd.name, values: [b]}")), [
    "LOAD_ERR_VALIDATE Can not append exception fields to existing exception, only values",
  ]);
  deepStrictEqual(excepted(first, append("{name: f, fields: fd.name}")), [
    "LOAD_ERR_VALIDATE Rule exception must have values property with a list of values",
  ]);
});

Deno.test("loadRules(): fields and operators of different forms are refused", () => {
  const lengths = "LOAD_ERR_VALIDATE Fields and comps lists must have equal length";
  const values = "values: [[a, 3]]";
  for (const comps of ["'='", "like", "[]", "['=']", "['=', '=', '=']"]) {
    deepStrictEqual(
      excepted(`    - {name: e, fields: [proc.name, fd.num], comps: ${comps}, ${values}}\n`),
      [lengths],
      comps,
    );
  }
});
