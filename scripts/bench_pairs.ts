// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Replays by whole programs: the built saker and, where the environment names them, an older one
// (BASE) and the real Falco (FALCO), in turn over the same captures and rules. CPU of the whole
// process, and the ratio of each to the built saker in the same round.
import { SAKER } from "../tests/live/saker.ts";
import { timed, type Times } from "./live_bench/workloads.ts";
import { writeLiveSet } from "./replay_bench/live_set.ts";

const USAGE = `usage: scripts/bench pairs [--rounds N] [--rules DIR] [--live CAPTURE] CAPTURE ...
  --rounds N      replays of each, in turn (3)
  --rules DIR     where Falco's official files are (../shared/rules)
  --live CAPTURE  besides: what Falco would record live of this capture, over and over, until there
                  are 7.3 million events
  BASE=PATH       another saker, FALCO=PATH the real Falco: run in turn with the built one`;

const LIVE_EVENTS = 7_300_000;
const OFFICIAL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];

/** Makes every event be asked for and none match. */
const NEVER = `- rule: never
  desc: no event is of this process
  condition: evt.type in (open, openat, execve, connect) and proc.name = "no such process"
  output: never
  priority: DEBUG
`;

async function main(args: readonly string[]): Promise<number> {
  const options = { rounds: 3, rules: "../shared/rules", live: "" };
  const captures: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] === "--rounds") options.rounds = Number(args[++at]);
    else if (args[at] === "--rules") options.rules = args[++at] ?? "";
    else if (args[at] === "--live") options.live = args[++at] ?? "";
    else captures.push(args[at]!);
  }
  const none = captures.length === 0 && options.live === "";
  if (none || !(options.rounds >= 1) || captures[0]?.startsWith("-")) {
    console.error(USAGE);
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "saker-bench-" });
  const never = `${directory}/never.yaml`;
  try {
    await Deno.writeTextFile(never, NEVER);
    if (options.live !== "") {
      captures.unshift(`${directory}/live.scap`);
      console.log(`live.scap: ${writeLiveSet(options.live, captures[0]!, LIVE_EVENTS)} events`);
    }
    const official = OFFICIAL.map((name) => `${options.rules}/${name}`);
    const every = [...official.flatMap(withRules), "-o", "rules[].enable.rule=*"];
    const sets: [string, string[]][] = [
      ["one rule that never matches", withRules(never)],
      ["falco_rules.yaml", withRules(official[0]!)],
      ["all three official files", official.flatMap(withRules)],
      ["all their rules", every],
    ];
    for (const capture of captures) {
      for (const [name, rules] of sets) {
        const title = `${capture.split("/").at(-1)}, ${name}`;
        await measure(title, capture, rules, options.rounds);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return 0;
}

function withRules(file: string): string[] {
  return ["-r", file];
}

async function measure(
  name: string,
  capture: string,
  rules: readonly string[],
  rounds: number,
): Promise<void> {
  const { BASE, FALCO } = Deno.env.toObject();
  const replay = ["-o", "engine.kind=replay", "-o", `engine.replay.capture_file=${capture}`];
  const args = [...replay, ...rules];
  const programs: [string, string][] = [["saker", SAKER]];
  if (BASE) programs.push(["base", BASE]);
  if (FALCO) programs.push(["falco", FALCO]);
  const runs = programs.map((): Times[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, [, program]] of programs.entries()) runs[at]!.push(await timed(program, args));
  }
  const told = programs.map(([program], at) => {
    const seconds = median(runs[at]!.map(({ cpu }) => cpu));
    const ratio = median(runs[at]!.map(({ cpu }, round) => cpu / runs[0]![round]!.cpu));
    return `${program} ${seconds.toFixed(2)} s${at === 0 ? "" : ` (x${ratio.toFixed(2)})`}`;
  });
  console.log(`${name.padEnd(56)} ${told.join(", ")}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

Deno.exit(await main(Deno.args));
