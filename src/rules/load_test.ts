// Files in, rules out: definitions, appends, overrides, redefinitions, lists, macros, exceptions
// and selections, each as the reference says.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { conditionsOf, errorsOf, loadTexts, ruleText, warningsOf } from "./load_fixture.ts";

function conditionOf(...texts: string[]): string | string[] {
  const loaded = loadTexts(texts);
  const errors = errorsOf(loaded);
  return errors.length > 0 ? errors : conditionsOf(loaded).r ?? "";
}

const RULE = ruleText("r", "evt.type = open");

const CHANGES: readonly (readonly [name: string, second: string, condition: string | string[]])[] =
  [
    [
      "override of the condition by append joins the texts",
      "- rule: r\n  condition: and fd.num = 1\n  override: {condition: append}\n",
      "(evt.type = open and fd.num = 1)",
    ],
    [
      "override of the condition by replace puts another one",
      "- rule: r\n  condition: fd.num = 1\n  override: {condition: replace}\n",
      "fd.num = 1",
    ],
    [
      "append: true joins the texts",
      "- rule: r\n  condition: or fd.num = 1\n  append: true\n",
      "(evt.type = open or fd.num = 1)",
    ],
    [
      "a second definition replaces the rule",
      ruleText("r", "evt.type = close"),
      "evt.type = close",
    ],
    [
      "override and append: true exclude each other",
      "- rule: r\n  condition: or fd.num = 1\n  append: true\n  override: {condition: append}\n",
      [
        "LOAD_ERR_YAML_VALIDATE Keys 'override' and 'append: true' cannot be used together. " +
        "Add an 'append' entry (e.g. 'condition: append') under 'override' instead.",
      ],
    ],
    [
      "a key named under override must be there",
      "- rule: r\n  override: {condition: append}\n",
      [
        "LOAD_ERR_YAML_VALIDATE An append override for 'condition' was specified but " +
        "'condition' is not defined",
        "LOAD_ERR_VALIDATE Appended rule must have exceptions or condition property",
      ],
    ],
    [
      "a key that is there must be named under override",
      "- rule: r\n  condition: and fd.num = 1\n  desc: x\n  override: {condition: append}\n",
      [
        "LOAD_ERR_YAML_VALIDATE Unexpected key 'desc': no corresponding entry under 'override' " +
        "is defined.",
      ],
    ],
    [
      "priority cannot be appended to",
      "- rule: r\n  priority: INFO\n  override: {priority: append}\n",
      [
        "LOAD_ERR_YAML_VALIDATE Key 'priority' cannot be appended to, use 'replace' instead",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'condition'",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'output'",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'desc'",
      ],
    ],
    [
      "the source cannot be replaced",
      "- rule: r\n  condition: fd.num = 1\n  override: {source: replace, condition: replace}\n",
      ["LOAD_ERR_YAML_VALIDATE Key 'source' cannot be replaced"],
    ],
    [
      "an operation is append or replace",
      "- rule: r\n  condition: fd.num = 1\n  override: {condition: prepend}\n",
      [
        "LOAD_ERR_YAML_VALIDATE Invalid override operation for key 'condition': 'prepend'. " +
        "Allowed values are: append replace ",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'output'",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'desc'",
        "LOAD_ERR_YAML_VALIDATE Item has no mapping for key 'priority'",
      ],
    ],
    [
      "another source on the same name is refused",
      ruleText("r", "evt.type = open", { source: "other" }),
      ["LOAD_ERR_VALIDATE Rule has been re-defined with a different source"],
    ],
    [
      "appending to a rule that is not there is refused",
      "- rule: q\n  condition: and a\n  append: true\n",
      [
        "LOAD_ERR_VALIDATE Rule uses 'append' or 'override.<key>: append' but no rule by that " +
        "name already exists",
      ],
    ],
    [
      "replacing in a rule that is not there is refused",
      "- rule: q\n  condition: a\n  override: {condition: replace}\n",
      [
        "LOAD_ERR_VALIDATE An 'override.<key>: replace' to a rule was requested but no rule by " +
        "that name already exists",
      ],
    ],
    [
      "switching a rule that is not there is refused",
      "- rule: q\n  enabled: false\n",
      ["LOAD_ERR_VALIDATE Rule has 'enabled' key but no rule by that name already exists"],
    ],
  ];

for (const [name, second, condition] of CHANGES) {
  Deno.test(`loadRules(): ${name}`, () => deepStrictEqual(conditionOf(RULE, second), condition));
}

Deno.test("loadRules(): overrides change all parts of a rule, appends before replaces", () => {
  const loaded = loadTexts([
    ruleText("r", "evt.type = open", { tags: "[b]", output: "o %fd.name" }),
    "- rule: r\n  output: p\n  desc: e\n  tags: [a, b]\n  priority: ERROR\n  enabled: false\n" +
    "  capture: true\n  capture_duration: 7\n  override: {output: append, desc: append, " +
    "tags: append, priority: replace, enabled: replace, capture: replace, " +
    "capture_duration: replace}\n",
  ]);
  deepStrictEqual(errorsOf(loaded), []);
  const { output, description, tags, priority, enabled, capture, captureDuration } = loaded
    .rules[0]!;
  deepStrictEqual(
    { output, description, tags, priority, enabled, capture, captureDuration },
    {
      output: "o %fd.name p",
      description: "d e",
      tags: ["a", "b"],
      priority: 3,
      enabled: false,
      capture: true,
      captureDuration: 7,
    },
  );
});

Deno.test("loadRules(): a redefined rule keeps its place, one switched on goes to the end", () => {
  const texts = [
    ruleText("a", "evt.type = open") + ruleText("b", "evt.type = open", { enabled: "false" }) +
    ruleText("c", "evt.type = open"),
    ruleText("a", "evt.type = close"),
  ];
  const plain = loadTexts(texts);
  deepStrictEqual(plain.enabled.map(({ name }) => name), ["a", "c"]);
  const selected = loadTexts(texts, {
    selections: [
      { action: "disable", rule: "c*", tag: "" },
      { action: "enable", rule: "*", tag: "" },
    ],
  });
  deepStrictEqual(selected.enabled.map(({ name }) => name), ["a", "b", "c"]);
  const byTag = loadTexts([ruleText("a", "evt.type = open", { tags: "[x]" })], {
    selections: [{ action: "disable", rule: "", tag: "x" }],
  });
  deepStrictEqual(byTag.enabled, []);
});

Deno.test("loadRules(): selections take a star for anything", () => {
  const enabled = (pattern: string) =>
    loadTexts([ruleText("read a file", "evt.type = open", { enabled: "false" })], {
      selections: [{ action: "enable", rule: pattern, tag: "" }],
    }).enabled.length === 1;
  const patterns = ["*", "read*", "*file", "r*a*e", "read a file", "read", "*x*", "read a file*e"];
  deepStrictEqual(patterns.map(enabled), [true, true, true, true, true, false, false, false]);
});

Deno.test("loadRules(): rules below the least priority are checked but not used", () => {
  const loaded = loadTexts([ruleText("a", "evt.type = open", { priority: "Debug" })], {
    priority: 6,
  });
  strictEqual(loaded.enabled.length, 0);
  strictEqual(loaded.rules.length, 1);
});

Deno.test("loadRules(): required versions are held against ours", () => {
  const errors = (text: string) => errorsOf(loadTexts([text]));
  deepStrictEqual(errors("- required_engine_version: 63\n"), []);
  deepStrictEqual(errors("- required_engine_version: 0.57.0\n"), []);
  deepStrictEqual(errors("- required_engine_version: 64\n"), [
    "LOAD_ERR_VALIDATE Rules require engine version 0.64.0, but engine version is 0.63.0",
  ]);
  ok(errors("- required_engine_version: 1.0.0\n")[0]!.includes("1.0.0"));
  ok(errors("- required_engine_version: x\n")[0]!.includes("semver"));
  const plugin = (version: string, more = "") =>
    loadTexts([
      `- required_plugin_versions:\n    - {name: container, version: ${version}${more}}\n`,
    ])
      .pluginError;
  strictEqual(plugin("0.4.0"), undefined);
  strictEqual(
    plugin("0.9.0"),
    "Plugin requirement not satisfied, must load one of: container (>= 0.9.0)",
  );
  strictEqual(plugin("9.0.0", ", alternatives: [{name: container, version: 0.1.0}]"), undefined);
});

Deno.test("loadRules(): what is odd but not wrong is a warning", () => {
  const loaded = loadTexts([
    "- list: 'a,b'\n  items: [x]\n- macro: 1x\n  condition: fd.num = 1\n- hello: world\n" +
    ruleText("r", "proc.name = x and evt.dir = '<'", { colour: "red" }) +
    ruleText("q", "evt.type = open", { source: "k8s" }) +
    ruleText("s", "fd.nam = x and evt.type = open", { "skip-if-unknown-filter": "true" }) +
    ruleText("t", "evt.type = open and proc.name regex ab.*", {
      output: "'%container.info %evt.dir'",
    }) +
    ruleText("u", "evt.type = open and proc.name = fd.name") +
    "- rule: r\n  enabled: true\n",
  ]);
  deepStrictEqual(errorsOf(loaded), []);
  deepStrictEqual(warningsOf(loaded).map((warning) => warning.split(" ")[0]).toSorted(), [
    "LOAD_COMPILE_CONDITION",
    "LOAD_COMPILE_CONDITION",
    "LOAD_DEPRECATED_ITEM",
    "LOAD_DEPRECATED_ITEM",
    "LOAD_DEPRECATED_ITEM",
    "LOAD_DEPRECATED_ITEM",
    "LOAD_INVALID_LIST_NAME",
    "LOAD_INVALID_MACRO_NAME",
    "LOAD_NO_EVTTYPE",
    "LOAD_UNKNOWN_FILTER",
    "LOAD_UNKNOWN_ITEM",
    "LOAD_UNKNOWN_KEY",
    "LOAD_UNKNOWN_SOURCE",
    "LOAD_UNUSED_LIST",
    "LOAD_UNUSED_MACRO",
  ]);
  deepStrictEqual(loaded.rules.map(({ name }) => name), ["r", "t", "u"]);
});

Deno.test("loadRules(): all errors of all files are told at once", () => {
  const loaded = loadTexts([
    ruleText("a", "proc.nam = x and fd.num contains 3") + ruleText("b", "x y") + "- [1]\n",
    "a: b\n",
    ruleText("c", "evt.type = opn", { output: "'%proc.nope'", priority: "hig" }),
  ]);
  deepStrictEqual(errorsOf(loaded), [
    "LOAD_ERR_YAML_VALIDATE Unexpected element type. Each element should be a yaml associative " +
    "array.",
    "LOAD_ERR_COMPILE_CONDITION filter_check called with nonexistent field proc.nam",
    "LOAD_ERR_COMPILE_CONDITION filter error: 'contains' operator not supported for numeric " +
    "filters",
    "LOAD_ERR_COMPILE_CONDITION unexpected token after 'x', expecting 'or', 'and'",
    "LOAD_ERR_YAML_VALIDATE Rules content is not yaml array of objects",
    "LOAD_ERR_YAML_VALIDATE Invalid priority",
    "LOAD_ERR_COMPILE_OUTPUT unknown filter: filter_check called with nonexistent field proc.nope",
    "LOAD_ERR_COMPILE_CONDITION unknown event type opn",
  ]);
  strictEqual(loaded.ruleSet, undefined);
});

Deno.test("loadRules(): each file's own result holds what was wrong up to it, where asked", () => {
  const texts = [
    "- list: l\n  items: [a]\n",
    ruleText("r", "proc.name in (l) and evt.type = open"),
  ];
  deepStrictEqual(
    loadTexts(texts, { eachFile: true }).results.map(({ warnings }) => warnings.length),
    [1, 0],
  );
  deepStrictEqual(loadTexts(texts).results.map(({ warnings }) => warnings.length), [0, 0]);
});
