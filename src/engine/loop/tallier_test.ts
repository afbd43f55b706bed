// Counts by rule, CPU and program: where they are told to be, and that a change of rules keeps what
// is known under the same names.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { EventSource } from "../../events/source.ts";
import { RuleCosts } from "../../rules/rule_costs.ts";
import type { CompiledRule, RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { Counter, Counters } from "../contract/counters.ts";
import { Tallies, type TalliesTold } from "../contract/tallies.ts";
import { Tallier } from "./tallier.ts";

const CONTEXT = {} as Context;

function ruleSet(...names: string[]): RuleSet {
  const rules = names.map((name, index): CompiledRule => ({
    index,
    name,
    priority: 4,
    tags: ["t"],
    source: "syscall",
    capture: false,
    captureDurationMs: 0,
    render: () => ({ message: "", fields: [] }),
  }));
  return {
    rules,
    wanted: new Uint8Array(0),
    seen: 0,
    eventNames: new Set(),
    costs: new RuleCosts(names.length),
    match: () => 0,
  };
}

/** A source of two CPUs and a program. */
const SOURCE = {
  cpus: () => Float64Array.of(10, 1, 3, 20, 2, 4),
  runs: () => [{ name: "open", runs: 5, ns: 700 }],
} as unknown as EventSource;

function started(rules: RuleSet) {
  const told: Tallies[] = [];
  const counters = new Counters();
  let now = 0;
  const tallier = new Tallier(rules, {
    source: SOURCE,
    counters,
    stopwatch: () => now += 0.5,
    programRuns: true,
    told: (tallies: TalliesTold) => told.push(new Tallies(tallies)),
  });
  tallier.tell();
  return { tallier, told, counters };
}

Deno.test("alerts, times, CPUs and programs are in the memory", () => {
  const rules = ruleSet("one", "two");
  const { tallier, told } = started(rules);
  tallier.render(rules.rules[1]!, CONTEXT, 3_000_000n);
  tallier.render(rules.rules[1]!, CONTEXT, 3_000_000n);
  const [tallies] = told;
  deepStrictEqual(tallies!.rules.map(({ name }) => name), ["one", "two"]);
  deepStrictEqual([...tallies!.matches], [0, 2]);
  deepStrictEqual([...tallies!.lastMs], [0, 3]);
  deepStrictEqual([...tallies!.outputNs], [0, 1_000_000]);
  deepStrictEqual([...tallies!.cpuEvents], [10, 20]);
  deepStrictEqual([...tallies!.cpuLostCritical], [1, 2]);
  deepStrictEqual([...tallies!.cpuLostBulk], [3, 4]);
  deepStrictEqual([tallies!.programs, [...tallies!.runs], [...tallies!.runNs]], [["open"], [5], [
    700,
  ]]);
});

Deno.test("what conditions cost is told of each rule and of all", () => {
  const rules = ruleSet("one", "two");
  const { tallier, told, counters } = started(rules);
  rules.costs!.addOwn(0, 1);
  rules.costs!.addShared(2);
  rules.costs!.samples++;
  tallier.update();
  const { conditionNs } = told[0]!;
  ok(conditionNs[0]! > 0 && conditionNs[1] === 0);
  strictEqual(counters.get(Counter.MatchNs), 2 * conditionNs[0]!);
  strictEqual(counters.get(Counter.MatchSamples), 1);
});

Deno.test("other rules go on with what is known under their names, in any order", () => {
  const before = ruleSet("gone", "kept");
  const { tallier, told, counters } = started(before);
  tallier.render(before.rules[1]!, CONTEXT, 3_000_000n);
  before.costs!.addOwn(1, 1);
  before.costs!.addShared(1);
  const next = ruleSet("kept", "new");
  tallier.exchange(next);
  next.costs!.addOwn(0, 1);
  tallier.render(next.rules[0]!, CONTEXT, 3_000_000n);
  tallier.update();
  const [first, second] = told;
  deepStrictEqual([...second!.matches], [2, 0]);
  strictEqual(second!.conditionNs[0], 2 * first!.conditionNs[1]!);
  strictEqual(second!.conditionNs[1], 0);
  strictEqual(counters.get(Counter.MatchNs), first!.conditionNs[1]);
  deepStrictEqual(tallier.alertsByRule(), [["kept", 4, 2], ["new", 4, 0]]);
});

Deno.test("windows of busy processes are short while somebody asks for them, and else long", () => {
  const told: number[] = [];
  let nowMs = 100_000;
  const counters = new Counters();
  const machine = createMachine({ paths: "caller", threadsMax: 9, fdsMax: 9, hostname: "here" });
  const tallier = new Tallier(ruleSet(), {
    source: SOURCE,
    ...{ counters, machine, clock: () => nowMs, onBusy: ({ ms }) => told.push(ms) },
  });
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      nowMs += 1_000;
      tallier.update();
    }
  };
  pass(10);
  deepStrictEqual(told.splice(0), [5_000, 5_000]);
  counters.set(Counter.BusyAskedMs, nowMs);
  pass(4);
  deepStrictEqual(told.splice(0), [2_000, 2_000]);
  pass(40);
  strictEqual(told.at(-1), 5_000);
});
