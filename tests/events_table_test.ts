// docs/events.md against what the probe fills: every event has its row with its calls, and the live
// tests that rows name exist.
import { deepEqual, ok } from "node:assert/strict";
import source from "../probe-rs/fillers.json" with { type: "json" };
import { EVENTS, SYSCALLS } from "../src/events/table.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const ROWS = [
  ...Deno.readTextFileSync(`${ROOT}docs/events.md`).matchAll(
    /^\| `([A-Z0-9_]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*)\|$/gm,
  ),
].map(([, id, calls, lane, test]) => ({
  id: id!,
  calls: [...calls!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  lane: lane!,
  test: test!.replaceAll("`", "").trim(),
}));

Deno.test("docs/events.md: every event that the probe fills has a row with its calls", () => {
  deepEqual(ROWS.map(({ id }) => id), source.filled);
  for (const { id, calls } of ROWS) {
    const { code } = EVENTS.find((event) => event.id === id)!;
    const own = SYSCALLS.filter(({ exit }) => exit === code).map(({ name }) => name);
    ok(own.every((name) => calls.includes(name)), `${id}: ${own.join()}`);
  }
});

Deno.test("docs/events.md: the live tests that rows name exist", () => {
  const sources = [...Deno.readDirSync(`${ROOT}bindings-rs/src/live_test`)]
    .map(({ name }) => Deno.readTextFileSync(`${ROOT}bindings-rs/src/live_test/${name}`))
    .join("\n");
  for (const { id, test } of ROWS) {
    ok(test === "" || sources.includes(`fn ${test}()`), `${id}: there is no test ${test}`);
  }
  ok(ROWS.filter(({ test }) => test === "").length <= 1);
});
