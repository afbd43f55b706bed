import { deepEqual } from "node:assert/strict";
import { checkDocuments, checkRoomMap } from "./documents.ts";

Deno.test("the map must name every room", () => {
  const tree = new Map([
    ["ARCHITECTURE.md", "| `src/` | `scripts/` | `src/state/` |"],
    ["src/main.ts", ""],
    ["src/state/fd.ts", ""],
    ["src/fields/field.ts", ""],
    ["scripts/run", ""],
  ]);
  deepEqual(checkRoomMap(tree).map(({ message }) => message), [
    "does not tell what `src/fields/` is",
  ]);
});

Deno.test("paths, links and commands of the documents must exist", () => {
  const readme = [
    "Run `scripts/run`, see `src/state/` and `src/old.ts`.",
    "More in [the map](ARCHITECTURE.md), [gone](docs/gone.md), [far](https://example.org).",
    "    scripts/bench live",
  ].join("\n");
  const tree = new Map([
    ["README.md", readme],
    ["ARCHITECTURE.md", ""],
    ["CONTRIBUTING.md", ""],
    ["scripts/run", ""],
    ["src/state/fd.ts", ""],
  ]);
  deepEqual(checkDocuments(tree).map(({ line, message }) => `${line}: ${message}`), [
    "1: names src/old.ts, which does not exist",
    "2: names docs/gone.md, which does not exist",
    "3: names scripts/bench, which does not exist",
  ]);
});

Deno.test("a document that is missing is a breach", () => {
  deepEqual(checkDocuments(new Map()).length, 3);
});
