// Small inputs after public reports (../shared/cases, where they are at hand), each with what the
// real Falco makes of it and what saker tells besides.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { problemLine } from "../src/config/problem.ts";
import { readConfig } from "../src/config/read_config.ts";
import { FieldSet } from "../src/fields/field_set.ts";
import { loadRules } from "../src/rules/load.ts";
import { print } from "../src/rules/parse/syntax.ts";
import { contentsOf, resultJson } from "../src/rules/report.ts";
import { UNFILLED } from "../src/events/filled.ts";
import { EVENTS } from "../src/events/table.ts";
import { textOf } from "../src/words/raw_text.ts";

const CASES = new URL("../../shared/cases/", import.meta.url);

function isThere(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, CASES)).isFile;
  } catch {
    return false;
  }
}

/** A test of one file of the cases. */
function onCase(path: string, name: string, check: (url: URL) => void): void {
  Deno.test({
    name: `${path}: ${name}`,
    ignore: !isThere(path),
    fn: () => check(new URL(path, CASES)),
  });
}

function load(url: URL) {
  const file = { name: "rules.yaml", text: textOf(Deno.readFileSync(url)) };
  const loaded = loadRules([file], { fields: new FieldSet({}), live: true });
  const { results } = loaded;
  const codes = results[0]!.warnings.map(({ code }) => code);
  return { loaded, result: results[0]!, codes, json: resultJson(results[0]!, contentsOf(results)) };
}

onCase("rules/bom.yaml", "a byte order mark is no part of the rules", (url) => {
  const { loaded, codes } = load(url);
  deepStrictEqual([loaded.rules.map(({ name }) => name), codes], [["A"], []]);
});

onCase("rules/dup.yaml", "the first of two equal keys holds, and the other is told", (url) => {
  const { loaded, codes, json } = load(url);
  deepStrictEqual(codes, ["LOAD_DUPLICATE_KEY", "LOAD_DUPLICATE_KEY"]);
  strictEqual(print(loaded.rules[0]!.tree), "evt.type = open");
  strictEqual(json["schema_valid"], false);
});

onCase("rules/items.yaml", "items that are nothing are errors at their places", (url) => {
  const { result } = load(url);
  deepStrictEqual(
    result.errors.map(({ message, place }) => [message, place.locations.at(-1)!.position.column]),
    [["sequence value is not scalar", 28], ["sequence value is not scalar", 54]],
  );
});

onCase("rules/dead.yaml", "what cannot match live is told, by the rule", (url) => {
  const { result } = load(url);
  const unfilled = ["mprotect", "process_vm_writev", "pread"].filter((name) =>
    EVENTS.some((event) => event.name === name && UNFILLED.has(event.code))
  );
  const told = result.warnings.filter(({ code }) => code === "LOAD_UNFILLED_CALL");
  deepStrictEqual(told.map(({ message }) => message.split(" ")[0]), unfilled);
  ok(result.successful);
});

onCase("conf/dup.yaml", "the last of two equal keys holds, with a warning", (url) => {
  const { config, problems } = readConfig({
    file: url.pathname,
    options: [],
    environment: () => undefined,
  });
  strictEqual(config.priority, "error");
  deepStrictEqual(problems.map(problemLine).map((line) => line.slice(url.pathname.length)), [
    ":4: priority: the key stands twice: this one holds, the one before is ignored",
  ]);
});

/** Where the rooms have what the tests of the reading import. */
const MOVED: Readonly<Record<string, string>> = {
  "./counters.ts": "src/engine/contract/counters.ts",
  "./engine_thread.ts": "src/engine/thread/engine_thread.ts",
  "./compile_filter.ts": "src/engine/captures/compile_filter.ts",
  "../events/scap/block_buffer.ts": "src/events/scap/block_buffer.ts",
  "../events/scap/state_blocks.ts": "src/events/scap/state_blocks.ts",
  "./scene.ts": "src/state/scene.ts",
};

const REPOSITORY = new URL("../", import.meta.url);
const CAPTURE = new URL("../../shared/captures/p01-sensitive-files.scap", import.meta.url);

for (const name of ["reload_test.ts", "state_test.ts"]) {
  if (!isThere("../captures/p01-sensitive-files.scap")) break;
  onCase(`reading/${name}`, "what a reading of the code found holds no more", (url) => {
    const text = Deno.readTextFileSync(url).replace(/ from "(\.[^"]*)"/g, (_, path: string) => {
      ok(MOVED[path] !== undefined, `${path} has moved`);
      return ` from "${new URL(MOVED[path], REPOSITORY)}"`;
    });
    const copy = Deno.makeTempFileSync({ suffix: "_test.ts" });
    Deno.writeTextFileSync(copy, text);
    try {
      const { code, stdout } = new Deno.Command(Deno.execPath(), {
        args: ["test", "--allow-all", "--no-check", "--config", "deno.json", copy],
        cwd: REPOSITORY,
        env: { CAP: CAPTURE.pathname, NO_COLOR: "1" },
        stderr: "null",
      }).outputSync();
      strictEqual(code, 0, new TextDecoder().decode(stdout));
    } finally {
      Deno.removeSync(copy);
    }
  });
}
