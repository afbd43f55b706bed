// Alerts that wait for an output: which ones go next where sources compete.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { Waiting } from "./waiting.ts";

function alert(sequence: number, source: string): Alert {
  return {
    hostname: "",
    message: "",
    outputFields: [],
    priority: 4,
    rule: `of ${source}`,
    source,
    tags: [],
    time: 0n,
    sequence,
    degraded: false,
  };
}

function waiting(...sources: readonly string[]): Waiting {
  const made = new Waiting(1_000, () => {});
  for (const [at, source] of sources.entries()) made.offer(alert(at + 1, source));
  return made;
}

function taken(from: Waiting, count: number): number[] {
  return from.take(count).map(({ sequence }) => sequence);
}

Deno.test("what goes in one go keeps its order, whatever sources it is of", () => {
  deepStrictEqual(taken(waiting("a", "b", "a", "b"), 4), [1, 2, 3, 4]);
  deepStrictEqual(taken(waiting("a", "a", "a"), 2), [1, 2]);
});

Deno.test("an alert behind a flood of another source goes with the next ones", () => {
  const flood = waiting(...Array(500).fill("k8s_audit"), "syscall", "internal");
  deepStrictEqual(taken(flood, 10), [1, 2, 3, 4, 5, 6, 7, 8, 501, 502]);
  deepStrictEqual(taken(flood, 3), [9, 10, 11]);
  strictEqual(flood.length, 489);
});

Deno.test("two floods share what can go, each in its order", () => {
  const both = waiting(...Array(50).fill("a"), ...Array(50).fill("b"));
  deepStrictEqual(taken(both, 4), [1, 2, 51, 52]);
  deepStrictEqual(taken(both, 4), [3, 4, 53, 54]);
  strictEqual(taken(both, 100).length, 92);
  strictEqual(both.length, 0);
});
