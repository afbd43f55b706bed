// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What rules cost: how long they take to load, the memory they hold, and the time an event takes
// against the number of rules. Official files are measured where they are found.
import process from "node:process";
import { FieldSet } from "../src/fields/field_set.ts";
import { loadRules, type RulesText } from "../src/rules/load.ts";
import type { RuleSet } from "../src/rules/rule_set.ts";
import { generatedRules } from "./rules_bench/generated.ts";
import { EventStream } from "./rules_bench/stream.ts";

const USAGE = `usage: scripts/bench rules [--rules DIR] [--events N] [--rounds N]
  --rules DIR   where Falco's official files are (../shared/rules); generated ones stand for them
  --events N    events of a round (400000)
  --rounds N    rounds of each number of rules, of which the fastest counts (5)`;

interface Options {
  rules: string;
  events: number;
  rounds: number;
}

function optionsOf(args: readonly string[]): Options {
  const options: Options = { rules: "../shared/rules", events: 400_000, rounds: 5 };
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    if (args[at] === "--rules" && value) options.rules = value;
    else if (args[at] === "--events" && Number(value) > 0) options.events = Number(value);
    else if (args[at] === "--rounds" && Number(value) > 0) options.rounds = Number(value);
    else throw new Error(USAGE);
  }
  return options;
}

const OFFICIAL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];

interface Case {
  readonly name: string;
  readonly files: readonly RulesText[];
}

function cases(options: Options): Case[] {
  const official = OFFICIAL.map((name) => read(`${options.rules}/${name}`));
  const found = official.every((file) => file !== undefined) ? official as RulesText[] : undefined;
  const generated = (count: number, lists: number): Case => ({
    name: `${count} generated rules`,
    files: [{ name: "generated.yaml", text: generatedRules(count, lists) }],
  });
  return [
    ...found
      ? [
        { name: "falco_rules.yaml", files: found.slice(0, 1) },
        { name: "the three official files", files: found },
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

function main(args: readonly string[]): void {
  const options = optionsOf(args);
  for (const { name, files } of cases(options)) {
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    const startCpu = cpuMs();
    const loaded = loadRules(files, {
      fields: new FieldSet(),
      selections: [{ action: "enable", rule: "*", tag: "" }],
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
        } ns an event ` +
        `(first round ${cost.firstNs.toFixed(0)}), ${cost.matches} matches`,
    );
  }
}

/** CPU time of this process, which other processes of the machine do not lengthen. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time of `match` alone: that of the stream itself is taken off. */
function eventCost(
  rules: RuleSet,
  { events, rounds }: Options,
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

if (import.meta.main) main(Deno.args);
