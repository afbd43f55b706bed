// What the flags about rules print: -V, -L, -l, --list, --list-events and --rule-schema.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { FieldSet } from "../../fields/field_set.ts";
import { loadRules } from "../../rules/load.ts";
import { listEvents } from "./list_events.ts";
import { listFields, type PrintFormat } from "./list_fields.ts";
import { listRules } from "./list_rules.ts";
import { printRuleSchema } from "./rule_schema.ts";
import { validate } from "./validate.ts";

const FIELDS = new FieldSet();
const GOOD =
  "- rule: r\n  desc: a rule\n  condition: evt.type = open\n  output: o\n  priority: INFO\n";
const ODD = `${GOOD}- list: l\n  items: [x]\n`;
const BAD = GOOD.replace("= open", "= opn");

function printed(run: (write: (text: string) => void) => void): string {
  let text = "";
  run((part) => {
    text += part;
  });
  return text;
}

function validated(
  texts: readonly string[],
  options: { json?: boolean; describe?: "all" | { rule: string } } = {},
) {
  const result = { out: "", error: "", log: "", code: 0 };
  result.code = validate({
    files: () => texts.map((text, index) => ({ name: `${index}.yaml`, text })),
    json: options.json ?? false,
    ...options.describe && { describe: options.describe },
    load: { fields: FIELDS },
  }, {
    write: (text) => result.out += text,
    writeError: (text) => result.error += text,
    warn: (text) => result.log += text,
  });
  return result;
}

Deno.test("-V is quiet about what is right and exits with 0", () => {
  deepStrictEqual(validated([GOOD]), { out: "0.yaml: Ok\n", error: "", log: "", code: 0 });
});

Deno.test("-V says that there are warnings, which go to the log", () => {
  const { out, log, code } = validated([GOOD, ODD.replace("rule: r", "rule: s")]);
  strictEqual(out, "0.yaml: Ok\n1.yaml: Ok, with warnings\n");
  ok(log.includes("LOAD_UNUSED_LIST"));
  strictEqual(code, 0);
});

Deno.test("-V tells what is wrong on both outputs and exits with 1", () => {
  const { out, error, code } = validated([GOOD, BAD]);
  ok(out.startsWith("0.yaml: Ok\n1.yaml: Invalid\n1 Errors:\n"), out);
  strictEqual(error, `Error: ${out}`);
  strictEqual(code, 1);
});

Deno.test("-V reads files into one set, in order", () => {
  const macro = "- macro: m\n  condition: evt.type = open\n";
  const rule = GOOD.replace("evt.type = open", "m");
  strictEqual(validated([macro, rule]).code, 0);
  strictEqual(validated([rule, macro]).code, 1);
});

Deno.test("-V in JSON is one line with every file's result", () => {
  const { out, code } = validated([GOOD, BAD], { json: true, describe: "all" });
  strictEqual(out.trimEnd().includes("\n"), false);
  const json = JSON.parse(out);
  deepStrictEqual(Object.keys(json), ["falco_load_results"]);
  deepStrictEqual(
    json.falco_load_results.map((result: { successful: boolean }) => result.successful),
    [true, false],
  );
  strictEqual(code, 1);
  const good = JSON.parse(validated([GOOD], { json: true, describe: "all" }).out);
  deepStrictEqual(Object.keys(good), ["falco_describe_results", "falco_load_results"]);
  strictEqual(good.falco_describe_results.rules.length, 1);
});

Deno.test("-V of what cannot be read is an error of one line", () => {
  let error = "";
  const files = () => {
    throw new Error("Cannot read it");
  };
  const code = validate(
    { files, json: false, load: { fields: FIELDS } },
    { write: () => {}, writeError: (text) => error += text, warn: () => {} },
  );
  strictEqual(error, "Error: Cannot read it\n");
  strictEqual(code, 1);
});

Deno.test("-L has two columns, -l one rule, and JSON is one line", () => {
  const text = GOOD.replace("a rule", "a rule of many words ".repeat(8).trim());
  const loaded = loadRules([{ name: "f", text }], { fields: FIELDS });
  const lines = printed((write) => listRules(loaded, { json: false, rule: undefined }, write))
    .split("\n");
  strictEqual(lines[0], `${"Rule".padEnd(50)} Description`);
  strictEqual(lines[1], `${"----".padEnd(50)} -----------`);
  ok(lines[2]!.startsWith(`${"r".padEnd(50)} a rule of many words`));
  ok(lines.every((line) => line.length <= 110), "lines are wrapped");
  const json = printed((write) => listRules(loaded, { json: true, rule: "r" }, write));
  deepStrictEqual(Object.keys(JSON.parse(json)), ["rules"]);
  ok(listRules(loaded, { json: true, rule: "q" }, () => {})?.includes('"q"'));
});

function fieldList(format: PrintFormat, more: { namesOnly?: boolean; verbose?: boolean } = {}) {
  const options = { format, namesOnly: false, verbose: false, ...more };
  return printed((write) =>
    listFields([{ source: "syscall", fields: FIELDS.fields }], options, write)
  );
}

Deno.test("--list shows fields by class, with their tags and types", () => {
  const text = fieldList("text");
  ok(text.startsWith("-------------------------------\nField Class:                  evt\n"));
  ok(text.includes("\nEvent Sources:                syscall \n"));
  ok(/\nproc\.aname +\(ARG_ALLOWED,EPF_NO_RHS,EPF_NO_TRANSFORMER\) /.test(text));
  ok(!text.includes("\nevt.dir "), "deprecated fields are left out");
  ok(text.split("\n").every((line) => line.length <= 122));
  ok(/\nproc\.pid +\(Type: INT64\) /.test(fieldList("text", { verbose: true })));
});

Deno.test("--list in Markdown is a table, in JSON Falco's keys, with -N names alone", () => {
  ok(fieldList("markdown").includes("\nName | Type | Description\n:----|:-----|:-----------\n"));
  ok(fieldList("markdown").includes("\n`fd.types` | LIST(CHARBUF) | "));
  const { fieldclasses } = JSON.parse(fieldList("json"));
  deepStrictEqual(Object.keys(fieldclasses[0]), ["desc", "event_sources", "fields", "name"]);
  deepStrictEqual(Object.keys(fieldclasses[0].fields[0]), [
    "argument",
    "desc",
    "is_list",
    "name",
    "type",
  ]);
  const names = fieldList("text", { namesOnly: true }).trimEnd().split("\n");
  deepStrictEqual(JSON.parse(fieldList("json", { namesOnly: true })).fieldnames, names);
  ok(names.includes("proc.name") && !names.includes("evt.dir"));
});

Deno.test("--list-events shows the four kinds of events", () => {
  const events = (format: PrintFormat) =>
    printed((write) => listEvents(format, "4.5.1", new Set(["read"]), write));
  const text = events("text");
  ok(text.startsWith("The events below are valid for Falco *Schema Version*: 4.5.1\n"));
  deepStrictEqual(text.match(/^## .*$/gm), [
    "## Syscall events",
    "## Tracepoint events",
    "## Plugin events",
    "## Metaevents",
  ]);
  ok(/^< openat\(FD \*\*fd\*\*, FD \*\*dirfd\*\*, /m.test(text));
  ok(/^< acct\(/m.test(text), "generic calls are listed by name");
  ok(events("markdown").includes("\nNo | `<` | `read` | "));
  const json = JSON.parse(events("json"));
  strictEqual(json.schema_version, "4.5.1");
  deepStrictEqual(Object.keys(json["Syscall events"][0]), ["available", "dir", "name", "params"]);
});

Deno.test("--rule-schema is a JSON schema of a list of items", () => {
  const schema = JSON.parse(printed(printRuleSchema));
  strictEqual(schema.type, "array");
  strictEqual(schema.items.$ref, "#/definitions/FalcoRule");
  ok("skip-if-unknown-filter" in schema.definitions.FalcoRule.properties);
});
