// The texts and the JSON of `-V`: Falco's shape to the key.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import {
  ERRORS,
  ERRORS_MAX,
  filePlace,
  inCondition,
  WARNINGS,
  WARNINGS_MAX,
  within,
} from "./diagnostic.ts";
import { loadTexts, ruleText } from "./load_fixture.ts";
import { contentsOf, resultJson, snippetOf, summaryText, verboseText } from "./report.ts";

const BAD = ruleText("bad", "evt.type = open and proc.nam = x");

Deno.test("resultJson() has Falco's keys for errors, in Falco's order", () => {
  const { results } = loadTexts([BAD]);
  const json = resultJson(results[0]!, contentsOf(results));
  deepStrictEqual(Object.keys(json), [
    "errors",
    "name",
    "schema_valid",
    "schema_warnings",
    "successful",
    "warnings",
  ]);
  deepStrictEqual(json.errors, [{
    code: "LOAD_ERR_COMPILE_CONDITION",
    codedesc: "Error compiling condition",
    context: {
      locations: [
        {
          item_name: "",
          item_type: "rules content",
          position: { column: 0, line: 0, name: "f1.yaml", offset: 0 },
        },
        {
          item_name: "bad",
          item_type: "rule",
          position: { column: 2, line: 0, name: "f1.yaml", offset: 2 },
        },
        {
          item_name: "",
          item_type: "rule condition",
          position: { column: 13, line: 2, name: "f1.yaml", offset: 35 },
        },
        {
          item_name: "",
          item_type: "condition expression",
          position: { column: 34, line: 3, name: '"evt.type = open a..."', offset: 55 },
        },
      ],
      snippet: "evt.type = open and proc.nam = x\n                    ^\n",
    },
    message: "filter_check called with nonexistent field proc.nam",
  }]);
});

Deno.test("resultJson() has the long text of warnings and names deprecated fields", () => {
  const { results } = loadTexts([
    ruleText("r", "evt.type = open and evt.dir = '<'") + "- list: l\n  items: [a]\n",
  ]);
  const json = resultJson(results[0]!, contentsOf(results));
  const warnings = json.warnings as Record<string, unknown>[];
  deepStrictEqual(warnings.map((warning) => Object.keys(warning)), [
    ["code", "codedesc", "context", "deprecated_field", "message"],
    ["code", "codedesc", "context", "message"],
  ]);
  strictEqual(warnings[0]!.deprecated_field, "evt.dir");
  strictEqual(warnings[1]!.codedesc, WARNINGS.LOAD_UNUSED_LIST[1]);
  strictEqual(json.successful, true);
});

Deno.test("resultJson() leaves the schema's keys out where the YAML cannot be read", () => {
  const { results } = loadTexts(["- rule: [\n"]);
  const json = resultJson(results[0]!, contentsOf(results));
  deepStrictEqual(Object.keys(json), ["errors", "name", "successful", "warnings"]);
  strictEqual((json.errors as { code: string }[])[0]!.code, "LOAD_ERR_YAML_PARSE");
});

Deno.test("schema warnings tell the path and what is wrong there", () => {
  const { results } = loadTexts([
    ruleText("r", "evt.type = open", { priority: "Info", enabled: "maybe", extra: "1" }) +
    "- list: l\n  items: x\n",
  ]);
  const property = (name: string) =>
    `Failed to validate against schema associated with property name '${name}'.`;
  deepStrictEqual(results[0]!.schemaWarnings, [
    "failed for <root>[0][enabled]: Value type not permitted by 'type' constraint.",
    `failed for <root>[0]: ${property("enabled")}`,
    "failed for <root>[0][priority]: Failed to match against any enum values.",
    `failed for <root>[0]: ${property("priority")}`,
    "failed for <root>[0]: Object contains a property that could not be validated using " +
    "'properties' or 'additionalProperties' constraints: 'extra'.",
    "failed for <root>: Failed to validate item #0 in array.",
    "failed for <root>[1][items]: Value type not permitted by 'type' constraint.",
    `failed for <root>[1]: ${property("items")}`,
    "failed for <root>: Failed to validate item #1 in array.",
  ]);
});

Deno.test("verboseText() tells the place in Falco's form, and the one in the file", () => {
  const text = "- rule: bad\n  desc: d\n  condition: >\n    evt.type = open\n" +
    "      and proc.nam = x\n  output: o\n  priority: INFO\n";
  const { results } = loadTexts([text]);
  strictEqual(
    verboseText(results[0]!, contentsOf(results)),
    `f1.yaml: Invalid
1 Errors:
In rules content: (f1.yaml:0:0)
    rule 'bad': (f1.yaml:0:2)
    rule condition: (f1.yaml:2:13)
    condition expression: ("evt.type = open
 ...":4:20)
------
  and proc.nam = x
      ^
------
LOAD_ERR_COMPILE_CONDITION (Error compiling condition): \
filter_check called with nonexistent field proc.nam
  at f1.yaml:5:11
  did you mean proc.name?
`.replace("open\n ...", "open  ..."),
  );
});

Deno.test("summaryText() is one line and the codes", () => {
  const { results } = loadTexts([BAD, "- list: l\n  items: [a]\n", ""]);
  deepStrictEqual(results.map(summaryText), [
    "f1.yaml: Invalid\n 1 errors: [LOAD_ERR_COMPILE_CONDITION (Error compiling condition)]",
    "f2.yaml: Ok, with warnings\n 1 warnings: [LOAD_UNUSED_LIST (Unused list)]",
    "f3.yaml: Ok",
  ]);
});

Deno.test("snippetOf() shows the line with a caret, long ones cut", () => {
  const text = `first\n${"x".repeat(200)}here${"y".repeat(200)}\nlast`;
  const contents = new Map([["f", text]]);
  const at = (offset: number) =>
    snippetOf(within(filePlace("f"), "rule", "r", { line: 0, column: 0, offset }), contents);
  strictEqual(at(0), "first\n^\n");
  strictEqual(at(3), "first\n   ^\n");
  const [line, caret] = at(206).split("\n");
  strictEqual(line, `...${"x".repeat(77)}here${"y".repeat(74)}...`);
  strictEqual(caret, `${" ".repeat(80)}^`);
  strictEqual(at(text.length + 5), "last\n   ^\n");
  strictEqual(snippetOf(filePlace("g"), contents), "<No context for file + g>\n");
  strictEqual(snippetOf(filePlace("f"), new Map([["f", ""]])), "<No context available>\n");
});

Deno.test("inCondition() adds the condition's place, lines and columns from 1", () => {
  const parent = within(filePlace("f"), "rule condition", "", { line: 7, column: 4, offset: 90 });
  const { position, name } = inCondition(parent, "a and\n  b c", 8).locations.at(-1)!;
  deepStrictEqual(position, { line: 9, column: 7, offset: 98 });
  strictEqual(name, '"a and   b c"');
});

Deno.test("every code has its texts", () => {
  ok(Object.values(ERRORS).every((text) => text.length > 0));
  ok(Object.values(WARNINGS).every(([short, long]) => short.length > 0 && long.length > 0));
});

Deno.test("a file's errors and warnings are kept up to a bound, the rest is counted", () => {
  const rules = Array.from({ length: 150 }, (_, index) => ruleText(`r${index}`, "fd.nam = x"));
  const lists = Array.from({ length: 1_200 }, (_, index) => `- list: l${index}\n  items: [a]\n`);
  const { results } = loadTexts([[...rules, ...lists].join("")]);
  const { errors, errorsCut, warnings, warningsCut } = results[0]!;
  deepStrictEqual([errors.length, errorsCut], [ERRORS_MAX, 50]);
  deepStrictEqual([warnings.length, warningsCut], [WARNINGS_MAX, 200]);
  const text = verboseText(results[0]!, contentsOf(results));
  ok(text.includes("\n150 Errors:\n") && text.includes("\nand 50 more errors\n"));
  ok(text.includes("\n1200 Warnings:\n") && text.includes("\nand 200 more warnings\n"));
});
