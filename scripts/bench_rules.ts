// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What rules cost: how long they take to load, the memory they hold, and what an event costs by the
// number of rules: in the product, over a capture with the sieve in front (--live), and where it
// reaches the rules. Official files are measured where they are found.
import process from "node:process";
import { FieldSet } from "../src/fields/field_set.ts";
import { loadRules, type RulesText } from "../src/rules/load.ts";
import type { RuleSet } from "../src/rules/rule_set.ts";
import { generatedRules } from "./rules_bench/generated.ts";
import { eventCosts, type RulesCase } from "./rules_bench/growth.ts";
import { EventStream } from "./rules_bench/stream.ts";

const USAGE = `usage: scripts/bench rules [--rules DIR] [--events N] [--rounds N] [--live CAPTURE]
  --rules DIR     where Falco's official files are (../shared/rules); generated ones stand for them
  --events N      events of a round (400000; with --live 2000000)
  --rounds N      rounds of each number of rules (5; with --live 3)
  --live CAPTURE  what an event of it costs the built saker, less the start`;

interface Options {
  rules: string;
  live: string;
  events: number | undefined;
  rounds: number | undefined;
}

function optionsOf(args: readonly string[]): Options {
  const options: Options = {
    rules: "../shared/rules",
    live: "",
    events: undefined,
    rounds: undefined,
  };
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    if (args[at] === "--rules" && value) options.rules = value;
    else if (args[at] === "--live" && value) options.live = value;
    else if (args[at] === "--events" && Number(value) > 0) options.events = Number(value);
    else if (args[at] === "--rounds" && Number(value) > 0) options.rounds = Number(value);
    else throw new Error(USAGE);
  }
  return options;
}

const OFFICIAL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];

function cases(options: Options): RulesCase[] {
  const official = OFFICIAL.map((name) => read(`${options.rules}/${name}`));
  const found = official.every((file) => file !== undefined) ? official as RulesText[] : undefined;
  const generated = (count: number, lists: number): RulesCase => ({
    name: `${count} generated rules`,
    files: [{ name: "generated.yaml", text: generatedRules(count, lists) }],
    isWhole: false,
  });
  return [
    ...found
      ? [
        { name: "falco_rules.yaml", files: found.slice(0, 1), isWhole: false },
        { name: "the three official files", files: found, isWhole: false },
        { name: "all rules of the three", files: found, isWhole: true },
      ]
      : [generated(25, 5), generated(93, 20)],
    generated(25, 5),
    generated(1_000, 100),
    generated(10_000, 1_000),
  ];
}

function read(name: string): RulesText | undefined {
  try {
    return { name, text: Deno.readTextFileSync(name) };
  } catch {
    return undefined;
  }
}

async function main(args: readonly string[]): Promise<void> {
  const options = optionsOf(args);
  if (options.live !== "") return await growth(options);
  for (const { name, files, isWhole } of cases(options)) {
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    const startCpu = cpuMs();
    const loaded = loadRules(files, {
      fields: new FieldSet(),
      selections: isWhole ? [{ action: "enable", rule: "*", tag: "" }] : [],
    });
    const loadMs = performance.now() - start;
    const loadCpuMs = cpuMs() - startCpu;
    const megabytes = (Deno.memoryUsage().rss - before) / 1e6;
    const { ruleSet } = loaded;
    if (ruleSet === undefined) throw new Error(`${name}: the rules have errors`);
    const cost = eventCost(ruleSet, options);
    console.log(
      `${name}: ${ruleSet.rules.length} rules, loaded in ${loadMs.toFixed(0)} ms ` +
        `(${loadCpuMs.toFixed(0)} ms CPU, +${megabytes.toFixed(0)} MB), ${
          cost.ns.toFixed(0)
        } ns an event that reaches them ` +
        `(first round ${cost.firstNs.toFixed(0)}), ${cost.matches} matches`,
    );
  }
}

/** What events cost in the product, and how that grows. */
async function growth(options: Options): Promise<void> {
  const { live, events = 2_000_000, rounds = 3 } = options;
  const sets = cases(options);
  const costs = await eventCosts(sets, { capture: live, events, rounds });
  for (const [at, { name, start, nsAnEvent }] of costs.entries()) {
    const least = costs[isGenerated({ name }) ? costs.findIndex(isGenerated) : 0]!;
    const times = at === 0 ? "" : ` (x${(nsAnEvent / least.nsAnEvent).toFixed(2)})`;
    console.log(
      `${name}: start ${start.toFixed(2)} s, ${nsAnEvent.toFixed(0)} ns an event${times}`,
    );
  }
}

function isGenerated({ name }: { readonly name: string }): boolean {
  return name.includes("generated");
}

/** CPU time of this process, which other processes of the machine do not lengthen. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time of `match` alone: that of the stream itself is taken off. */
function eventCost(
  rules: RuleSet,
  { events = 400_000, rounds = 5 }: Options,
): { ns: number; firstNs: number; matches: number } {
  const matched = new Int32Array(rules.rules.length);
  const stream = new EventStream(7);
  const idle = new EventStream(7);
  let best = Infinity;
  let first = 0;
  let matches = 0;
  for (let round = 0; round < rounds; round++) {
    let start = cpuMs();
    for (let at = 0; at < events; at++) idle.next();
    const idleMs = cpuMs() - start;
    start = cpuMs();
    for (let at = 0; at < events; at++) {
      stream.next();
      if (rules.wanted[stream.context.event.code] === 0) continue;
      matches += rules.match(stream.context, matched);
    }
    const ns = (cpuMs() - start - idleMs) * 1e6 / events;
    if (round === 0) first = ns;
    best = Math.min(best, ns);
  }
  return { ns: best, firstNs: first, matches };
}

if (import.meta.main) await main(Deno.args);
