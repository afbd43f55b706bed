// When the rights are given up: not before the time, and not before all programs are loaded.
import { deepStrictEqual } from "node:assert";
import { shrinking } from "./privileges.ts";

function shrunk(left: number, fails = false) {
  const did: string[] = [];
  let nowMs = 0;
  const step = shrinking({
    driver: { loadSpare: () => did.push("load") >= left },
    keepCapabilities(kept): number {
      did.push(`keep ${kept}`);
      if (fails) throw new Error("no answer");
      return 1;
    },
    rights: { afterSeconds: 10, kept: 5n, names: ["A", "B"] },
    clock: () => nowMs,
    told: (line) => did.push(line),
  });
  return { did, at: (seconds: number) => ((nowMs = seconds * 1000), step()) };
}

Deno.test("rights are given up once all programs are loaded, and once", () => {
  const { did, at } = shrunk(2);
  at(9);
  deepStrictEqual(did, []);
  at(10);
  deepStrictEqual(did, ["load"]);
  at(11);
  at(12);
  deepStrictEqual(did.slice(1), [
    "load",
    "keep 5",
    "Capabilities were given up; A, B are kept",
  ]);
});

Deno.test("what cannot be given up is told once", () => {
  const { did, at } = shrunk(1, true);
  at(10);
  at(11);
  deepStrictEqual(did, ["load", "keep 5", "Warning: engine.drop_privileges_after: no answer"]);
});
