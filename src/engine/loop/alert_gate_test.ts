// The gate before the main thread: open, full, and what passes a full one.
import { deepStrictEqual } from "node:assert";
import type { Alert } from "../contract/alert.ts";
import { AlertGate } from "./alert_gate.ts";

function alerts(rule: string, count: number): Alert[] {
  return Array.from({ length: count }, (_, sequence) => ({
    hostname: "",
    message: "",
    outputFields: [],
    priority: 4,
    rule,
    source: "syscall",
    tags: [],
    time: 0n,
    sequence,
    degraded: false,
  }));
}

function gate() {
  return new AlertGate({ limit: 100, rarePerSecond: 3 });
}

Deno.test("an open gate lets everything pass, whatever the rule", () => {
  deepStrictEqual(gate().admit(alerts("noisy", 64), 99, 1_000).length, 64);
});

Deno.test("a full gate lets a few alerts of each rule pass in a second", () => {
  const full = gate();
  const mixed = [...alerts("noisy", 50), ...alerts("rare", 2)];
  deepStrictEqual(full.admit(mixed, 100, 1_000).map(({ rule }) => rule), [
    "noisy",
    "noisy",
    "noisy",
    "rare",
    "rare",
  ]);
  deepStrictEqual(full.admit(mixed, 105, 1_500).map(({ rule }) => rule), ["rare"]);
  deepStrictEqual(full.admit(mixed, 106, 2_000).length, 5);
});

Deno.test("what passed an open gate counts when it is full", () => {
  const filling = gate();
  filling.admit(alerts("noisy", 60), 0, 1_000);
  deepStrictEqual(filling.admit(alerts("noisy", 5), 100, 1_100), []);
});

Deno.test("nothing passes beyond twice the limit", () => {
  deepStrictEqual(gate().admit(alerts("rare", 1), 200, 1_000), []);
});
