// What comes of rules files, as a table that is read and compared: diagnostics with their places,
// conditions with everything in them, what lint and describe say. UPDATE=1 writes results.json
// anew; its changes are to be read like code.
import { deepStrictEqual } from "node:assert";
import { codesOf } from "./check/event_types.ts";
import { loadTexts } from "./load_fixture.ts";
import { EVENTS } from "../events/table.ts";
import { print } from "./parse/syntax.ts";
import { contentsOf, resultJson, summaryText, verboseText } from "./report.ts";
import { RULES_FILES } from "./results_fixture.ts";
import { describeAll } from "./tools/describe.ts";
import { lint } from "./tools/lint.ts";

const FILE = new URL("./results.json", import.meta.url);
/** A rule of more events is one of all. */
const NAMED_MAX = 20;

function resultsOf(texts: readonly string[]) {
  const loaded = loadTexts(texts, { eachFile: texts.length > 1 });
  const contents = contentsOf(loaded.results);
  const rules = loaded.rules.map((rule) => {
    const codes = codesOf(rule.events);
    const events = codes.length > NAMED_MAX ? codes.length : codes.map((code) => EVENTS[code]!.id);
    return { rule: rule.name, condition: print(rule.tree), events: `${events}`, tags: rule.tags };
  });
  const described = describeAll(loaded);
  return {
    text: loaded.results.flatMap((
      result,
    ) => [summaryText(result), ...verboseText(result, contents).split("\n")]),
    offsets: loaded.results.flatMap((result) =>
      JSON.stringify(resultJson(result, contents)).match(/"position":\{[^}]*\}/g) ?? []
    ).map((position) => position.replaceAll('"', "")),
    rules,
    lint: lint(loaded).map(({ kind, rule, reason }) => `${kind} ${rule ?? "-"}: ${reason}`),
    described: Object.values(described).flatMap((items) =>
      (Array.isArray(items) ? items : [items]).map((item) => JSON.stringify(item))
    ),
  };
}

Deno.test("what comes of rules files is what results.json says", () => {
  const made = Object.fromEntries(
    Object.entries(RULES_FILES).map(([name, texts]) => [name, resultsOf(texts)]),
  );
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(FILE, text);
  deepStrictEqual(JSON.parse(text), JSON.parse(Deno.readTextFileSync(FILE)));
});
