// The list of filled events is the probe's.
import { deepStrictEqual, ok } from "node:assert";
import { UNFILLED } from "./filled.ts";
import { codeOf } from "./table.ts";

const LIST = new URL("../../probe-rs/fillers.json", import.meta.url);
const FILLERS = new URL("../../probe-rs/src/fillers.rs", import.meta.url);

Deno.test("fillers.json names the events of fillers.rs; UPDATE=1 writes it anew", () => {
  // Short ones are other forms of those.
  const rows = /^ +(?!short_)\w+ ([A-Z0-9_]+) \$crate/gm;
  const filled = [...Deno.readTextFileSync(FILLERS).matchAll(rows)]
    .map((found) => found[1]!);
  ok(filled.length > 90);
  const text = `${JSON.stringify({ filled }, null, 2)}\n`;
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(LIST, text);
  deepStrictEqual(Deno.readTextFileSync(LIST), text);
});

Deno.test("each event of fillers.json is in the event table", () => {
  const { filled } = JSON.parse(Deno.readTextFileSync(LIST)) as { filled: string[] };
  for (const id of filled) ok(!UNFILLED.has(codeOf(id)), id);
});
