// The JSON of `-L` and `-l`: Falco's keys and what stands under them.
import { deepStrictEqual, strictEqual } from "node:assert";
import { describeAll, describeOne } from "./describe.ts";
import { loadTexts, ruleText } from "../load_fixture.ts";

const TEXT = "- required_engine_version: 0.50.0\n" +
  "- required_plugin_versions:\n    - {name: container, version: 0.4.0, alternatives: " +
  "[{name: other, version: 1.0.0}]}\n" +
  "- list: inner\n  items: [b]\n- list: outer\n  items: [a, inner]\n" +
  "- macro: opens\n  condition: evt.type in (open, openat)\n" +
  ruleText("r", "opens and proc.name in (outer) and not tolower(fd.name) = x", {
    output: "'%proc.name %toupper(fd.name)'",
    tags: "[z, a]",
  }) +
  "  exceptions:\n    - {name: e, fields: [proc.pname], values: [[sh]]}\n";

function loaded() {
  return loadTexts([TEXT], {
    appendOutput: [{
      match: { source: "", tags: [], rule: "" },
      extraOutput: "at %evt.time",
      extraFields: ["proc.pid", { who: "by %user.name" }],
      suggestedOutput: false,
    }],
  });
}

Deno.test("describeAll() describes a rule", () => {
  const rules = describeAll(loaded()).rules as unknown[];
  deepStrictEqual(rules, [{
    details: {
      condition_compiled:
        "((evt.type in (open, openat) and proc.name in (a, b) and not tolower(fd.name) = x) and " +
        "not proc.pname = sh)",
      condition_fields: ["evt.type", "fd.name", "proc.name", "proc.pname"],
      condition_operators: ["=", "in"],
      events: ["asyncevent", "open", "openat"],
      exception_fields: ["proc.pname"],
      exception_names: ["e"],
      exception_operators: ["="],
      extra_output_formatted_fields: { who: "by %user.name" },
      lists: ["outer"],
      macros: ["opens"],
      output_compiled: "%proc.name %toupper(fd.name) at %evt.time",
      output_fields: [
        "%proc.pid",
        "by %user.name",
        "proc.name",
        "fd.name",
        "toupper(fd.name)",
        "evt.time",
      ],
      plugins: [],
    },
    info: {
      capture: false,
      capture_duration: 0,
      condition: "opens and proc.name in (outer) and not tolower(fd.name) = x",
      description: "d",
      enabled: true,
      name: "r",
      output: "%proc.name %toupper(fd.name)",
      priority: "Informational",
      source: "syscall",
      tags: ["a", "z"],
    },
  }]);
});

Deno.test("describeAll() describes macros, lists and requirements", () => {
  const { macros, lists, required_engine_version, required_plugin_versions } = describeAll(
    loaded(),
  );
  deepStrictEqual(macros, [{
    details: {
      condition_compiled: "evt.type in (open, openat)",
      condition_fields: ["evt.type"],
      condition_operators: ["in"],
      events: ["asyncevent", "open", "openat"],
      lists: [],
      macros: [],
      plugins: [],
      used: true,
    },
    info: { condition: "evt.type in (open, openat)", name: "opens" },
  }]);
  deepStrictEqual(lists, [
    {
      details: { items_compiled: ["b"], lists: [], plugins: [], used: true },
      info: { items: ["b"], name: "inner" },
    },
    {
      details: { items_compiled: ["a", "b"], lists: ["inner"], plugins: [], used: true },
      info: { items: ["a"], name: "outer" },
    },
  ]);
  strictEqual(required_engine_version, "0.50.0");
  deepStrictEqual(required_plugin_versions, [{
    alternatives: [{ name: "other", version: "1.0.0" }],
    name: "container",
    version: "0.4.0",
  }]);
});

Deno.test("describeOne() gives one rule alone, or nothing", () => {
  deepStrictEqual(Object.keys(describeOne("r", loaded()) ?? {}), ["rules"]);
  strictEqual(describeOne("q", loaded()), undefined);
});
