import { deepEqual } from "node:assert/strict";
import { checkHabits, checkNames, checkOpenings, checkSizes } from "./text.ts";
import type { Check } from "./tree.ts";

function checkBreaches(check: Check, path: string, text: string, expected: string[]): void {
  const breaches = check(new Map([[path, text]]));
  deepEqual(breaches.map(({ line, message }) => `${line}: ${message}`), expected);
}

Deno.test("a file of 400 lines of 100 characters is within the limits", () => {
  checkBreaches(checkSizes, "src/state/fd.ts", `${"x".repeat(100)}\n`.repeat(400), []);
});

Deno.test("one line and one character more are not", () => {
  const text = "x\n".repeat(400) + `${"é".repeat(101)}\n`;
  checkBreaches(checkSizes, "src/state/fd.ts", text, [
    "0: has 401 lines, 400 at the most",
    "401: has 101 characters, 100 at the most",
  ]);
});

Deno.test("tables and prose have no size", () => {
  checkBreaches(checkSizes, "probe-rs/events.json", "x".repeat(500), []);
  checkBreaches(checkSizes, "README.md", "x".repeat(500), []);
});

Deno.test("empty names are refused in paths and declarations", () => {
  const refused = (word: string) => [`0: is called "${word}": name what it holds`];
  checkBreaches(checkNames, "src/state/path_utils.ts", "", refused("utils"));
  checkBreaches(checkNames, "bindings-rs/src/common/mod.rs", "", refused("common"));
  checkBreaches(checkNames, "src/state/fd.ts", "\nclass FdManager {}", [
    '2: declares "FdManager": name what it does',
  ]);
  checkBreaches(checkNames, "src/state/commons.ts", "const commonPrefix = 1;", []);
});

Deno.test("a file opens with a comment", () => {
  checkBreaches(checkOpenings, "src/state/fd.ts", "// What a descriptor is.\n", []);
  checkBreaches(checkOpenings, "probe-rs/src/lib.rs", "//! Fillers.\n", []);
  checkBreaches(checkOpenings, "src/state/fd.ts", "export const a = 1;\n", [
    "1: opens without a comment that says what it is for",
  ]);
});

Deno.test("habits that are not ours are seen", () => {
  const text = [
    "export default 1;",
    "let state = 0;",
    'console.log("x");',
    'new Function("a", "return a");',
    "Deno.exit(1);",
    'export * from "./a.ts";',
  ].join("\n");
  const breaches = checkHabits(new Map([["src/state/fd.ts", text]]));
  deepEqual(breaches.map(({ line }) => line).sort(), [1, 2, 3, 4, 5, 6]);
});

Deno.test("habits are judged by code, not by comments and texts", () => {
  const text = 'const a = "new Function(b)"; // console.log(a)\n/* eval(a) */\n';
  const breaches = checkHabits(new Map([["src/state/fd.ts", text]]));
  deepEqual(breaches.map(({ message }) => message), ["makes code from text: only src/rules does"]);
});

Deno.test("src/rules may compile and cli may print", () => {
  checkBreaches(checkHabits, "src/rules/compile.ts", 'new Function("a");', []);
  checkBreaches(checkHabits, "src/cli/run.ts", "Deno.exit(0);", []);
});
