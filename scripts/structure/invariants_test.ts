import { deepEqual } from "node:assert/strict";
import { checkByteReaders, checkStateWriters } from "./invariants.ts";

Deno.test("bytes of events are read in events and state only", () => {
  const text = "const code = event.view.getUint16(20, true);\n";
  const tree = new Map([
    ["src/events/event.ts", text],
    ["src/state/load.ts", text],
    ["src/rules/match.ts", text],
  ]);
  deepEqual(checkByteReaders(tree).map(({ path }) => path), ["src/rules/match.ts"]);
});

const TABLES: [string, string][] = [
  ["src/state/tables/thread.ts", "export class Thread {\n  comm = 0;\n  rulePlace = -1;\n}\n"],
  ["src/state/tables/fd.ts", "export class Fd {\n  name: number;\n  flags = 0;\n}\n"],
];

function checkWriters(path: string, text: string, expected: string[]): void {
  const breaches = checkStateWriters(new Map([...TABLES, [path, text]]));
  deepEqual(breaches.map(({ line, message }) => `${line}: ${message}`), expected);
}

Deno.test("a write to a thread or descriptor outside of state is seen", () => {
  checkWriters("src/fields/proc.ts", "thread.comm = 1;\ncontext.fd!.flags |= 2;\nparent.comm++;", [
    "1: changes thread.comm: only src/state changes the tables",
    "2: changes context.fd.flags: only src/state changes the tables",
    "3: changes parent.comm: only src/state changes the tables",
  ]);
});

Deno.test("reading and comparing them is free", () => {
  checkWriters(
    "src/fields/proc.ts",
    "if (thread.comm === 1 || fd.name == 2) f(() => fd.flags);",
    [],
  );
});

Deno.test("rules keep what they learnt on the thread", () => {
  checkWriters("src/rules/match.ts", "thread.rulePlace = 7;", []);
  checkWriters("src/fields/proc.ts", "thread.rulePlace = 7;", [
    "1: changes thread.rulePlace: only src/state changes the tables",
  ]);
});

Deno.test("state changes its own tables", () => {
  checkWriters("src/state/apply.ts", "thread.comm = 1;", []);
});
