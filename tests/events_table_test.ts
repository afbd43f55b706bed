// docs/events.md against what the probe fills: every event has its row with its calls, and the live
// tests that rows name exist.
import { deepEqual, ok } from "node:assert/strict";
import source from "../probe-rs/fillers.json" with { type: "json" };
import { EVENTS, SYSCALLS } from "../src/events/table.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const ROWS = [
  ...Deno.readTextFileSync(`${ROOT}docs/events.md`).matchAll(
    /^\| `([A-Z0-9_]+)` \| ([^|]*) \| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*)\|$/gm,
  ),
].map(([, id, calls, program, kernel, lane, test]) => ({
  id: id!,
  calls: [...calls!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  program: program!,
  kernel: kernel!,
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

Deno.test("docs/events.md: rows name the program that fills the event, and its kernel", () => {
  const fillers = Deno.readTextFileSync(`${ROOT}probe-rs/src/fillers.rs`);
  const programs = new Map(
    // Behind the first of an event stands another for kernels that cannot run that one.
    [...fillers.matchAll(/^\s+(\w+) ([A-Z0-9_]+) \$crate/gm)].reverse()
      .map(([, name, id]) => [id, name]),
  );
  for (const { id, program, kernel } of ROWS) {
    deepEqual([id, program], [id, programs.get(id)]);
    ok(/^5\.11(; path 5\.17)?$/.test(kernel), `${id}: ${kernel}`);
  }
});

Deno.test("docs/events.md: the live tests that rows name exist", () => {
  const text = Deno.readTextFileSync(`${ROOT}docs/events.md`);
  const others = [...text.matchAll(/^\| .* \| `sched_\w+` \| `(\w+)` \| `(\w+)` \|$/gm)];
  const sources = [...Deno.readDirSync(`${ROOT}bindings-rs/src/live_test`)]
    .map(({ name }) => Deno.readTextFileSync(`${ROOT}bindings-rs/src/live_test/${name}`))
    .join("\n");
  for (const { id, test } of ROWS) {
    ok(test === "" || sources.includes(`fn ${test}()`), `${id}: there is no test ${test}`);
  }
  ok(ROWS.filter(({ test }) => test === "").length <= 1);
  ok(others.length >= 3);
  for (const [, program, test] of others) {
    ok(sources.includes(`fn ${test}()`), `${program}: there is no test ${test}`);
  }
});
