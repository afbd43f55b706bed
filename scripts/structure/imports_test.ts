import { deepEqual } from "node:assert/strict";
import { checkCycles, checkDeadFiles, checkRoomOrder, importsOf } from "./imports.ts";
import type { Check } from "./tree.ts";

function checkBreaches(check: Check, files: Record<string, string>, expected: string[]): void {
  const breaches = check(new Map(Object.entries(files)));
  deepEqual(breaches.map(({ path, line, message }) => `${path}:${line}: ${message}`), expected);
}

Deno.test("imports are found in every form", () => {
  const text = [
    'import { a } from "./a.ts";',
    "import {",
    "  b,",
    '} from "../state/b.ts";',
    'import type { C } from "./c.ts";',
    'export { d } from "./d.ts";',
    'import table from "../../probe-rs/events.json" with { type: "json" };',
    'const worker = new URL("./engine_worker.ts", import.meta.url);',
    'const late = await import("./late.ts");',
    '// import { gone } from "./gone.ts";',
    'import { parse } from "yaml";',
  ].join("\n");
  const found = importsOf(new Map([["src/events/x.ts", text]]));
  deepEqual(found.map(({ to, line, typeOnly }) => `${line} ${to}${typeOnly ? " type" : ""}`), [
    "1 src/events/a.ts",
    "2 src/state/b.ts",
    "5 src/events/c.ts type",
    "6 src/events/d.ts",
    "7 probe-rs/events.json",
    "9 src/events/late.ts",
    "8 src/events/engine_worker.ts",
  ]);
});

Deno.test("a room may import the rooms above it", () => {
  checkBreaches(checkRoomOrder, {
    "src/server/health.ts": 'import { Alert } from "../engine/alert.ts";',
    "src/rules/match.ts": 'import { Field } from "../fields/field.ts";',
    "src/cli/run.ts": 'import { readConfig } from "../config/read_config.ts";',
    "src/main.ts": 'import { run } from "./cli/run.ts";',
  }, []);
});

Deno.test("a room may not import a room below it, not even a type", () => {
  checkBreaches(checkRoomOrder, {
    "src/state/fd.ts": 'import type { Field } from "../fields/field.ts";',
  }, [
    "src/state/fd.ts:1: imports src/fields/field.ts: state may import only events, audit",
  ]);
});

Deno.test("config stands apart in both directions", () => {
  checkBreaches(checkRoomOrder, {
    "src/config/schema.ts": 'import { PRIORITY_NAMES } from "../rules/priority.ts";',
    "src/engine/loop.ts": 'import { Config } from "../config/schema.ts";',
  }, [
    "src/config/schema.ts:1: imports src/rules/priority.ts: config stands by itself",
    "src/engine/loop.ts:1: imports src/config/schema.ts: " +
    "only cli/ and main.ts see the configuration",
  ]);
});

Deno.test("the program does not import its tests", () => {
  checkBreaches(checkRoomOrder, {
    "src/engine/loop.ts": 'import { sample } from "../../tests/samples.ts";',
  }, [
    "src/engine/loop.ts:1: imports tests/samples.ts: the program does not use its tests",
  ]);
});

Deno.test("an import cycle is shown whole", () => {
  checkBreaches(checkCycles, {
    "src/state/a.ts": 'import { b } from "./b.ts";',
    "src/state/b.ts": 'import { c } from "./c.ts";',
    "src/state/c.ts": 'import { a } from "./a.ts";',
  }, [
    "src/state/c.ts:1: closes an import cycle: " +
    "src/state/a.ts → src/state/b.ts → src/state/c.ts → src/state/a.ts",
  ]);
});

Deno.test("types that refer to each other are a cycle, too", () => {
  checkBreaches(checkCycles, {
    "src/state/a.ts": 'import type { B } from "./b.ts";',
    "src/state/b.ts": 'import { a } from "./a.ts";',
  }, [
    "src/state/b.ts:1: closes an import cycle: src/state/a.ts → src/state/b.ts → src/state/a.ts",
  ]);
});

Deno.test("a floor imports the floors before it, a door all of them", () => {
  checkBreaches(checkRoomOrder, {
    "src/rules/parse/parse.ts": 'import { check } from "../check/check.ts";',
    "src/rules/check/check.ts": 'import { parse } from "../parse/parse.ts";',
    "src/rules/check/check_test.ts": 'import { lint } from "../tools/lint.ts";',
    "src/rules/load.ts": 'import { lint } from "./tools/lint.ts";',
    "src/rules/cellar/wine.ts": 'import { load } from "../load.ts";',
  }, [
    "src/rules/parse/parse.ts:1: imports src/rules/check/check.ts: rules/parse may import only " +
    "what comes before it: nothing",
    "src/rules/cellar/wine.ts:1: is on no known floor of rules: " +
    "parse, read, merge, check, match, tools",
  ]);
});

Deno.test("a file that nothing reaches is dead", () => {
  checkBreaches(checkDeadFiles, {
    "src/main.ts": 'import { a } from "./engine/a.ts";',
    "src/engine/a.ts": 'new Worker(new URL("./engine_worker.ts", import.meta.url));',
    "src/engine/engine_worker.ts": "",
    "src/engine/old.ts": "",
    "src/engine/tried.ts": "",
    "src/engine/tried_test.ts": 'import { tried } from "./tried.ts";',
    "src/events/source_suite.ts": "// What every source passes: a shared test suite.",
    "src/events/live_test.ts": 'import { suite } from "./source_suite.ts";',
  }, [
    "src/engine/old.ts:0: is used by nothing: delete it",
    "src/engine/tried.ts:0: is used by tests alone, and does not say so: delete it",
  ]);
});

Deno.test("every room may use words, which use none", () => {
  checkBreaches(checkRoomOrder, {
    "src/config/read_config.ts": 'import { nearest } from "../words/nearest.ts";',
    "src/events/table.ts": 'import { nearest } from "../words/nearest.ts";',
    "src/words/nearest.ts": 'import { EVENTS } from "../events/table.ts";',
  }, ["src/words/nearest.ts:1: imports src/events/table.ts: words stands by itself"]);
});
