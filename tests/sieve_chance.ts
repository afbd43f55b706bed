// For tests: captures and rules by chance, each replayed with the sieve over captures and without.
import { ok } from "node:assert";
import { Chance } from "../src/rules/check/condition_fixture.ts";
import { loadTexts } from "../src/rules/load_fixture.ts";
import { type Besides, captureByChance } from "./sieve_captures.ts";
import { compare, rulesStart } from "./sieve_runs.ts";

/** So many seeds: the same alerts both ways, and many events passed over. */
export function byChance(
  from: number,
  seeds: number,
  rules: (chance: Chance) => string,
  besides?: Besides,
): void {
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  const events = 150;
  let passed = 0;
  let runs = 0;
  try {
    for (let seed = from; seed < from + seeds; seed++) {
      const chance = new Chance(seed);
      Deno.writeFileSync(file, captureByChance(chance, events, besides));
      const text = rules(chance);
      if (loadTexts([text]).ruleSet === undefined) continue;
      runs++;
      passed += compare([file], rulesStart(text), `seed ${seed} under\n${text}`);
    }
  } finally {
    Deno.removeSync(file);
  }
  ok(runs > seeds / 2, `${runs} sound sets of rules`);
  ok(passed > runs * events / 10, `${passed} of ${runs * events} events were passed over`);
}
