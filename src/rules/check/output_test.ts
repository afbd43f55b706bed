// Output formats: what is parsed of a text, what is refused, and how events are rendered.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Value } from "../../fields/row/field.ts";
import { AUDIT_SOURCE, auditFieldSet } from "../../fields/audit/audit_field_set.ts";
import { errorsOf, FIELDS, loadTexts, ruleText } from "../load_fixture.ts";
import { parseOutput, renderFields, type Rendering, renderText } from "./output.ts";

const AUDIT_RULE = `- {rule: b, desc: d, condition: ka.verb = get, output: o, priority: INFO, ` +
  `source: ${AUDIT_SOURCE}}\n`;

const VALUES = new Map<string, Value>([
  ["proc.name", "cat"],
  ["fd.name", "/etc/passwd"],
  ["proc.aname[2]", "init"],
  ["evt.arg.flags", "O_RDONLY"],
]);

const RENDERING: Rendering = {
  fieldText: (bound) => String(VALUES.get(bound.text) ?? "<NA>"),
  fieldJson: (bound) => VALUES.get(bound.text),
  read: (bound) => VALUES.get(bound.text),
};

function render(text: string): string {
  const parsed = parseOutput(text, FIELDS);
  return "format" in parsed ? renderText(parsed.format, RENDERING) : parsed.error;
}

const OUTPUTS: readonly (readonly [format: string, text: string])[] = [
  ["plain", "plain"],
  ["%proc.name", "cat"],
  ["*a %proc.name b", "a cat b"],
  ["(%proc.name)", "(cat)"],
  ["%proc.name.", "cat."],
  ["%proc.names", "cats"],
  ["%proc.name%fd.name", "cat/etc/passwd"],
  ["%proc.aname[2]!", "init!"],
  ["%evt.arg.flags x", "O_RDONLY x"],
  ["%proc.pname", "<NA>"],
  ["%6proc.name|", "cat   |"],
  ["%2proc.name|", "ca|"],
  ["%06fd.name|", "/etc/p|"],
  ["%toupper(proc.name)", "CAT"],
  ["%8toupper(proc.name)|", "CAT     |"],
  ["%toupper(tolower(proc.name))x", "CATx"],
  ["%len(fd.name)", "11"],
  ["%toupper(proc.pname)", "<NA>"],
  ["%concat(proc.name,':',fd.name)", "cat:/etc/passwd"],
  ["", "empty formatting token"],
  ["100%", "invalid formatting syntax: formatting cannot end with a %"],
  ["%12", "invalid formatting syntax: formatting cannot end with a number"],
];

for (const [format, text] of OUTPUTS) {
  Deno.test(`parseOutput() and renderText(): ${format || "nothing"}`, () => {
    strictEqual(render(format), text);
  });
}

for (const format of ["%%", "100% sure", "%nosuch.field", "%proc.nope", "%tolower(fd.num)"]) {
  Deno.test(`parseOutput() refuses ${format}`, () => {
    strictEqual(render(format).startsWith("unknown filter: "), true, render(format));
  });
}

Deno.test("renderFields() has each field once, under its plain name", () => {
  const parsed = parseOutput("%proc.name %toupper(fd.name) %proc.name %proc.pname", FIELDS);
  if (!("format" in parsed)) throw new Error(parsed.error);
  deepStrictEqual(renderFields(parsed.format, RENDERING), [
    ["proc.name", "cat"],
    ["fd.name", "/etc/passwd"],
    ["proc.pname", undefined],
  ]);
});

Deno.test("append_output adds to the rules that it means", () => {
  const addition = (match: Partial<{ source: string; tags: string[]; rule: string }>) => ({
    match: { source: "", tags: [], rule: "", ...match },
    extraOutput: JSON.stringify(match).replace(/[%"]/g, ""),
    extraFields: [],
    suggestedOutput: false,
  });
  const loaded = loadTexts([
    ruleText("a", "evt.type = open", { tags: "[x, y]" }) + ruleText("b", "evt.type = open"),
  ], {
    appendOutput: [
      addition({}),
      addition({ source: "syscall" }),
      addition({ source: "other" }),
      addition({ tags: ["x"] }),
      addition({ tags: ["x", "z"] }),
      addition({ rule: "b" }),
    ],
  });
  deepStrictEqual(loaded.rules.map(({ output }) => output), [
    "o {} {source:syscall} {tags:[x]}",
    "o {} {source:syscall} {rule:b}",
  ]);
});

Deno.test("an addition for all sources is left out where a source lacks its fields", () => {
  const all = (extraOutput: string, source = "") => ({
    match: { source, tags: [], rule: "" },
    extraOutput,
    extraFields: [],
    suggestedOutput: false,
  });
  const files = [ruleText("a", "evt.type = open") + AUDIT_RULE];
  const load = (...appendOutput: ReturnType<typeof all>[]) =>
    loadTexts(files, { appendOutput, pluginFields: new Map([[AUDIT_SOURCE, auditFieldSet()]]) });
  const loaded = load(all("%container.id"), all("%evt.time"));
  deepStrictEqual(errorsOf(loaded), []);
  deepStrictEqual(loaded.rules.map(({ output }) => output), [
    "o %container.id %evt.time",
    "o %evt.time",
  ]);
  // Whoever names the source means its fields.
  strictEqual(errorsOf(load(all("%container.id", AUDIT_SOURCE))).length, 1);
});

Deno.test("suggested fields are appended with underscores, static ones too", () => {
  const loaded = loadTexts([ruleText("a", "evt.type = open")], {
    appendOutput: [{
      match: { source: "", tags: [], rule: "" },
      extraOutput: "",
      extraFields: [],
      suggestedOutput: true,
    }],
  });
  strictEqual(
    loaded.rules[0]!.output,
    "o container_id=%container.id container_name=%container.name " +
      "container_image_repository=%container.image.repository " +
      "container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name " +
      "k8s_ns_name=%k8s.ns.name",
  );
});
