// docs/bypasses.md against the live tests: each way that it lists names a test, or a step of one,
// that is there.
import { ok } from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;
const ROWS = [
  ...Deno.readTextFileSync(`${ROOT}docs/bypasses.md`)
    .matchAll(/^\| ([^|]*) \| ([^|]*) \| `(\w+\.ts)`: ([^|]*) \|$/gm),
].map(([, way, , file, step]) => ({ way: way!, file: file!, step: step!.trim() }));

Deno.test("docs/bypasses.md: the tests that rows name exist", () => {
  ok(ROWS.length > 30, `${ROWS.length} rows`);
  for (const { way, file, step } of ROWS) {
    const source = Deno.readTextFileSync(`${ROOT}tests/live/${file}`);
    ok(source.includes(`"${step}"`), `${way}: ${file} has no "${step}"`);
  }
});
