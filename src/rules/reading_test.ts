// Rules files as yaml-cpp takes them, which Falco reads them with: what is lost is told.
import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert";
import type { Loaded } from "./load.ts";
import { conditionsOf, errorsOf, loadTexts, ruleText, warningsOf } from "./load_fixture.ts";
import { textOf } from "../words/raw_text.ts";
import { contentsOf, resultJson } from "./report.ts";
import { lint } from "./tools/lint.ts";

const RULE = ruleText("r", "evt.type = open");
const OTHER = ruleText("s", "evt.type = close");

const codesOf = (loaded: Loaded) => warningsOf(loaded).map((text) => text.split(" ")[0]);
const namesOf = (loaded: Loaded) => loaded.rules.map(({ name }) => name);

interface Json {
  readonly errors: readonly {
    readonly message: string;
    readonly context: {
      readonly locations: readonly {
        readonly item_type: string;
        readonly position: { line: number; column: number; offset: number };
      }[];
      readonly snippet: string;
    };
  }[];
  readonly schema_valid?: boolean;
  readonly schema_warnings?: readonly string[];
}

function jsonOf(text: string): Json {
  const { results } = loadTexts([text]);
  return resultJson(results[0]!, contentsOf(results)) as unknown as Json;
}

Deno.test("a byte order mark is no part of the text, nor of its offsets", () => {
  const bytes = new TextEncoder().encode(`\ufeff${RULE}`);
  deepStrictEqual(errorsOf(loadTexts([textOf(bytes)])), []);
  deepStrictEqual(namesOf(loadTexts([`\ufeff${RULE}`])), ["r"]);
  const { column, offset } = jsonOf("\ufeff- [1]\n").errors[0]!.context.locations.at(-1)!.position;
  deepStrictEqual([column, offset], [2, 2]);
});

Deno.test("an item of a list that is nothing is an error at the item", () => {
  for (const nothing of ["~", "null", "Null", "NULL", ""]) {
    const { errors } = jsonOf(`- list: l\n  items:\n    - a\n    - ${nothing}\n    - b\n`);
    strictEqual(errors[0]?.message, "sequence value is not scalar", nothing);
    strictEqual(errors[0].context.locations.at(-1)!.position.line, 3);
  }
  for (const [items, column] of [["[a, , b]", 13], ["[,a]", 10]]) {
    const { errors } = jsonOf(`- list: l\n  items: ${items}\n`);
    strictEqual(errors[0]?.message, "sequence value is not scalar");
    strictEqual(errors[0].context.locations.at(-1)!.position.column, column);
  }
  deepStrictEqual(errorsOf(loadTexts(["- list: l\n  items: ['~', \"null\", '', nul]\n"])), []);
});

Deno.test("of a key that stands twice the first holds, and the other is told", () => {
  const loaded = loadTexts([`${RULE}  condition: evt.type = close\n`]);
  deepStrictEqual(conditionsOf(loaded), { r: "evt.type = open" });
  deepStrictEqual(codesOf(loaded), ["LOAD_DUPLICATE_KEY"]);
  const { schema_valid, schema_warnings } = jsonOf(`${RULE}  condition: evt.type = close\n`);
  strictEqual(schema_valid, false);
  match(schema_warnings![0]!, /could not be validated using .* constraints: ''\.$/);
  strictEqual(lint(loaded)[0]?.kind, "lost-text");
});

Deno.test("a key that stands twice deep in an item is told as well", () => {
  const exceptions =
    "  exceptions:\n    - {name: e, fields: proc.name, values: [a], values: [b]}\n";
  const loaded = loadTexts([RULE + exceptions]);
  deepStrictEqual(codesOf(loaded), ["LOAD_DUPLICATE_KEY"]);
  match(conditionsOf(loaded)["r"]!, /proc\.name in \(a\)/);
});

Deno.test("documents behind an empty one are not read, and told, also by lint", () => {
  for (
    const between of ["---\n---\n", "---\n# nothing\n---\n", "---\n~\n---\n", "...\n---\n---\n"]
  ) {
    const loaded = loadTexts([`${RULE}${between}${OTHER}`]);
    deepStrictEqual(namesOf(loaded), ["r"], between);
    deepStrictEqual(codesOf(loaded), ["LOAD_UNREAD_DOCUMENTS"], between);
    const [finding] = lint(loaded);
    strictEqual(finding?.kind, "lost-text");
    ok(finding.place.locations.at(-1)!.position.line > 4);
  }
  deepStrictEqual(namesOf(loadTexts([`---\n---\n${RULE}`])), []);
});

Deno.test("documents that follow each other are all read", () => {
  for (
    const text of [`${RULE}---\n${OTHER}`, `# first\n---\n${RULE}...\n...\n---\n${OTHER}---\n`]
  ) {
    const loaded = loadTexts([text]);
    deepStrictEqual(namesOf(loaded), ["r", "s"]);
    deepStrictEqual(codesOf(loaded), []);
  }
});

Deno.test("a large file is cut between items without losing one, with marks at the cuts", () => {
  const many = Array.from({ length: 1500 }, (_, at) => ruleText(`r${at}`, "evt.type = open"));
  const text = many.map((rule, at) => at % 7 === 0 && at > 0 ? `---\n${rule}` : rule).join("");
  const loaded = loadTexts([text]);
  deepStrictEqual(warningsOf(loaded), []);
  strictEqual(loaded.rules.length, many.length);
  deepStrictEqual(loaded.results[0]!.schemaWarnings, []);
});

Deno.test("a quote that is open at the end of the file is closed there, and told", () => {
  for (const quote of ['"', "'"]) {
    const loaded = loadTexts([`${RULE}${ruleText("s", `${quote}evt.type = close`)}`.replace(
      /(condition: ['"].*)\n[^]*$/,
      "$1\n",
    )]);
    // Whatever else the item lacks, its text was read.
    deepStrictEqual(codesOf(loaded), ["LOAD_UNCLOSED_QUOTE"]);
    doesNotMatch(errorsOf(loaded).join(), /YAML_PARSE/);
  }
});

Deno.test("mistakes of YAML are told in words for people, one for each document", () => {
  const texts = [
    "- rule: a: b\n",
    "- rule: [a\n",
    "- list: l\n\titems: x\n",
    "- rule: r\nmacro: m\n",
    "- rule: @x\n",
    "- rule: *x\n",
    '- rule: "\\q"\n',
    "- a: {b: c}}\n",
    "- a: {b: 1,, c: 2}\n",
    "- a: &\n",
    `- a: ${"[".repeat(3000)}\n`,
  ];
  for (const text of texts) {
    const errors = errorsOf(loadTexts([text]));
    strictEqual(errors.length, 1, text);
    match(errors[0]!, /^LOAD_ERR_YAML_PARSE /);
    doesNotMatch(
      errors[0]!,
      /token|implicit|stack|parseAll|collection|scalar|indicator|node|flow|report|at most.*1024/i,
      text,
    );
  }
});

Deno.test("columns and offsets count bytes, as marks of YAML do", () => {
  const position = (text: string) => jsonOf(text).errors[0]!.context.locations.at(-1)!.position;
  deepStrictEqual(
    position("# \u00e4\u20ac\u{1f600}\n- list: l\n  items: [\u00e4, \u20ac, ~]\n"),
    { column: 19, line: 2, offset: 41, name: "f1.yaml" },
  );
  match(
    jsonOf("- list: l\n  items: [\u00e4, \u20ac, ~]\n").errors[0]!.context.snippet,
    /^ {2}items: \[\u00e4, \u20ac, ~\]\n {16}\^\n$/,
  );
});

Deno.test("what is wrong in a check is told at the check's start, with the spot beside it", () => {
  const text = ruleText("r", "evt.type = open and fd.num = x and proc.name = y");
  const { errors } = jsonOf(text);
  const { position } = errors[0]!.context.locations.at(-1)!;
  // Counted from 1 and added to where the condition stands.
  deepStrictEqual([position.line, position.column], [3, 13 + 21]);
});

Deno.test("exceptions take transformers as fields, with blanks and in both forms", () => {
  const forms: [string, string][] = [
    ["fields: [tolower(proc.name)], comps: [=], values: [[x]]", "tolower(proc.name) = x"],
    ["fields: ['tolower( proc.name)'], comps: [=], values: [[x]]", "tolower(proc.name) = x"],
    ['fields: "toupper(proc.name)", values: [x]', "toupper(proc.name) in (x)"],
    ["fields: ['len(proc.args)'], comps: ['>'], values: [[3]]", "len(proc.args) > 3"],
  ];
  for (const [form, check] of forms) {
    const loaded = loadTexts([`${RULE}  exceptions:\n    - {name: e, ${form}}\n`]);
    deepStrictEqual(errorsOf(loaded), [], form);
    deepStrictEqual(conditionsOf(loaded)["r"], `(evt.type = open and not ${check})`);
  }
  for (
    const field of ["tolower(proc.nam)", "tolwer(proc.name)", "tolower(proc.name", "a(b) or c"]
  ) {
    const loaded = loadTexts([`${RULE}  exceptions:\n    - {name: e, fields: ["${field}"]}\n`]);
    deepStrictEqual(errorsOf(loaded), [
      `LOAD_ERR_VALIDATE '${field}' is not a supported filter field`,
    ]);
  }
});

Deno.test("types of the schema are taken as Falco's validator takes them", () => {
  const valid = (more: Record<string, string>) =>
    jsonOf(ruleText("r", "evt.type = open", more)).schema_valid;
  strictEqual(valid({ capture: "true" }), true);
  strictEqual(valid({ capture: "'false'" }), true);
  strictEqual(valid({ capture: '"yes"' }), false);
  strictEqual(valid({ enabled: "on" }), false);
  strictEqual(valid({ capture_duration: "5000" }), true);
  strictEqual(valid({ capture_duration: "0x10" }), false);
  strictEqual(valid({ source: "" }), false);
  deepStrictEqual(
    errorsOf(loadTexts([ruleText("r", "evt.type = open", { capture: '"yes"' })])),
    [],
  );
});

Deno.test("the first document alone says whether a file keeps the schema", () => {
  strictEqual(jsonOf(`${RULE}---\n${OTHER}  colour: red\n`).schema_valid, true);
  const second = jsonOf(`${RULE}  colour: red\n---\n${OTHER}`);
  strictEqual(second.schema_valid, false);
  strictEqual(second.schema_warnings!.at(-1), "ok");
  ok(!("schema_valid" in jsonOf("# nothing\n")));
});

Deno.test("a comparison with <NA> is told also where its field is unknown", () => {
  const unsafe = (condition: string) =>
    codesOf(loadTexts([ruleText("r", `evt.type = open and ${condition}`)])).includes(
      "LOAD_UNSAFE_NA_CHECK",
    );
  const told = ["= <NA>", "== <NA>", "!= <NA>", "in (<NA>)", "in (x, <NA>)", "pmatch (x, <NA>)"];
  for (const check of told) {
    ok(unsafe(`ka.field ${check}`), check);
    ok(unsafe(`jevt.field ${check}`), check);
    ok(unsafe(`tolower(ka.field) ${check}`), check);
    ok(unsafe(`concat(some.field, ka.field) ${check}`), check);
    ok(!unsafe(`some.field ${check}`), check);
    ok(!unsafe(`concat(ka.field, some.field) ${check}`), check);
  }
  for (const check of ["exists", "contains <NA>", "= val(some.field)"]) {
    ok(!unsafe(`ka.field ${check}`), check);
  }
});

Deno.test("a condition that no event can meet is told as Falco 0.44 does, and by lint", () => {
  for (const condition of ["evt.num = 0", "evt.type = open and evt.num = 0", "(evt.num < 1)"]) {
    const loaded = loadTexts([ruleText("r", condition)]);
    deepStrictEqual(codesOf(loaded), ["LOAD_NO_EVTTYPE"], condition);
    deepStrictEqual(lint(loaded).map(({ kind }) => kind), ["never-matches"], condition);
  }
  const placeholder = "- macro: never_true\n  condition: (evt.num=0)\n" +
    ruleText("r", "evt.type = open and not never_true");
  deepStrictEqual(codesOf(loadTexts([placeholder])), []);
});
