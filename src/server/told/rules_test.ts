// Rules as JSON: what their texts say beside the engine's numbers, and which a query picks.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { Tallies } from "../../engine/contract/tallies.ts";
import type { RulesAnswer } from "./answers.ts";
import { pickedRules, rulesAnswer, type RulesParts, rulesQuery, type ToldRules } from "./rules.ts";

function rule(name: string, events: string[] | null, enabled = true): ToldRules["rules"][number] {
  return {
    name,
    source: "syscall",
    priority: "Warning",
    tags: [],
    description: "d",
    file: "r.yaml",
    line: 1,
    text: `- rule: ${name}`,
    also_at: [],
    condition: "c",
    output: "o",
    enabled,
    events,
  };
}

const TOLD: ToldRules = {
  rules: [rule("a", ["open", "close"]), rule("b", ["mkdir"]), rule("c", null, false)],
  sieve: { open: ["open: kept"], mkdir: ["mkdir: dropped unless"] },
};

function answer(more: Partial<RulesParts> = {}): RulesAnswer {
  const row = (name: string) => ({ name, priority: 4, source: "syscall", tags: ["t"] });
  const tallies = new Tallies({ rules: [row("a"), row("b")], programs: [], cpus: 0 });
  tallies.matches.set([3]);
  tallies.conditionNs.set([2e6]);
  tallies.lastMs.set([1_000]);
  return rulesAnswer({
    told: TOLD,
    tallies,
    dead: [{ rule: "b", reason: "no such call" }, { rule: "b", reason: "nor that" }],
    reload: { generation: 2, atMs: 0, refusals: 0, restart: [] },
    hidden: new Set(),
    ...more,
  });
}

function picked(query: string): RulesAnswer {
  const asked = rulesQuery(new URLSearchParams(query));
  if ("error" in asked) throw new Error(asked.error);
  return pickedRules(answer(), asked);
}

Deno.test("rules are told with their text and the engine's numbers", () => {
  const { rules, generation, since, sieve } = answer();
  deepStrictEqual([generation, since, sieve], [2, "1970-01-01T00:00:00.000Z", TOLD.sieve]);
  deepStrictEqual(
    rules.map((
      { name, text, enabled, matches, condition_ms, last_fired, dead },
    ) => [name, text, enabled, matches, condition_ms, last_fired, dead]),
    [
      ["a", "- rule: a", true, 3, 2, "1970-01-01T00:00:01.000Z", []],
      ["b", "- rule: b", true, 0, 0, null, ["no such call", "nor that"]],
      ["c", "- rule: c", false, 0, 0, null, []],
    ],
  );
  deepStrictEqual(answer({ hidden: new Set(["a", "b"]) }).rules.map(({ name }) => name), ["c"]);
});

Deno.test("rules whose texts cannot be told have their names and numbers, and why", () => {
  const { rules, error, total } = answer({ told: { error: "they are still being read" } });
  deepStrictEqual([error, total], ["they are still being read", 2]);
  deepStrictEqual(
    rules.map(({ name, priority, matches, text }) => [name, priority, matches, text]),
    [["a", "Warning", 3, ""], ["b", "Warning", 0, ""]],
  );
});

Deno.test("a query picks rules, with what the sieve does for these", () => {
  const names = (query: string) => picked(query).rules.map(({ name }) => name);
  deepStrictEqual(names(""), ["a", "b", "c"]);
  deepStrictEqual(names("from=1&limit=1"), ["b"]);
  strictEqual(picked("from=1&limit=1").total, 3);
  deepStrictEqual(names("rule=c&rule=a&from="), ["a", "c"]);
  deepStrictEqual(picked("rule=a").sieve, { open: ["open: kept"] });
  deepStrictEqual(picked("rule=c").sieve, TOLD.sieve);
  deepStrictEqual(names("rule=none"), []);
  for (const query of ["limit=0", "limit=1001", "from=-1", "rul=a", "limit=x"]) {
    const wrong = rulesQuery(new URLSearchParams(query));
    ok("error" in wrong, query);
    match(wrong.error, /expected a number|did you mean rule\?/);
  }
});
