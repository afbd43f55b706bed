// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// How long an alert takes, from the return of its system call to its line on standard output: both
// moments taken by others than saker, the first by who made the call, the second by who reads. Out:
// percentiles, idle and while two processes open files and a third starts programs.
import { SAKER } from "../tests/live/saker.ts";
import { stormRule } from "../tests/live/storm.ts";
import { Place, run } from "../tests/live/trigger.ts";
import { sleep, Watch } from "./live_bench/watchers.ts";
import { mustRun } from "./live_bench/workloads.ts";

const USAGE = `usage: scripts/bench latency [options]
  --alerts N    alerts in each part (1000)
  --rate N      alerts a second (50)
  SAKER=PATH    another executable than the one that is built`;

const READER = new URL("latency_bench/timed_lines.py", import.meta.url).pathname;
const LOAD_SOURCE = new URL("bench_load.c", import.meta.url).pathname;

/** Creates numbered files at a rate; says when each call had returned, in ns since the epoch. */
const CALLER = `
import os, sys, time
place, first, count, rate = sys.argv[2], *map(int, sys.argv[3:])
for number in range(first, first + count):
    name = "%s/n/%d" % (place, number)
    fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600)
    print(number, time.time_ns())
    os.close(fd)
    os.unlink(name)
    time.sleep(1 / rate)
`;

/** What a watcher does beside the alerts; loops that are ended by their process. */
const LOADS: readonly { readonly name: string; readonly loops: readonly string[] }[] = [
  { name: "idle", loops: [] },
  {
    name: "under load",
    loops: [
      ...["open /etc/hostname 100000", "open /etc/hostname 100000"],
      "spawn 200",
    ],
  },
];

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench latency needs root");
    return 1;
  }
  await using place = new Place();
  const load = place.file("load");
  await mustRun("cc", ["-O2", "-o", load, LOAD_SOURCE]);
  await Deno.mkdir(place.file("n"));
  // Beside the default rules: what a host runs with.
  const rules = place.file("rules.yaml");
  await Deno.writeTextFile(rules, stormRule("Numbered", place));
  const defaults = new URL("../rules", import.meta.url).pathname;
  const binary = Deno.env.get("SAKER") ?? SAKER;
  await using watch = await Watch.start("python3", (port) => [
    ...["-I", "-S", READER, place.marker, binary, "--listen", `127.0.0.1:${port}`],
    ...["-r", defaults, "-r", rules, "-o", "rule_matching=all", "-o", "json_output=true"],
  ], place.marker);

  console.log(
    `load of this machine before: ${Deno.loadavg().map((of) => of.toFixed(1)).join(" ")}`,
  );
  console.log(row("", ["alerts", "p50", "p90", "p99", "max", "told", "lost"]));
  let first = 1;
  for (const { name, loops } of LOADS) {
    const before = await watch.usage();
    let isOver = false;
    const loading = loops.map(async (loop) => {
      while (!isOver) await mustRun(load, loop.split(" "));
    });
    const { stdout } = await run("python3", [
      ...["-I", "-S", "-c", CALLER, place.marker, place.path],
      ...[first, options.alerts, options.rate].map(String),
    ]);
    isOver = true;
    await Promise.all(loading);
    await sleep(1_000);
    await watch.settled();
    const after = await watch.usage();
    const arrived = new Map(
      watch.found().map((line) => {
        const [, number, ns] = line.split(" ");
        return [Number(number), BigInt(ns!)];
      }),
    );
    const took = stdout.trim().split("\n").flatMap((line) => {
      const [number, ns] = line.split(" ");
      const came = arrived.get(Number(number));
      return came === undefined ? [] : [Number(came - BigInt(ns!)) / 1e6];
    }).sort((one, other) => one - other);
    first += options.alerts;
    console.log(row(name, [
      `${options.alerts}`,
      ...[0.5, 0.9, 0.99, 1].map((share) => `${at(took, share).toFixed(2)} ms`),
      `${took.length}`,
      `${after.lost - before.lost}`,
    ]));
  }
  console.log(`as saker tells: ${JSON.stringify(await told(watch))}`);
  return 0;
}

/** What /status says of the same way, of all its alerts. */
async function told(watch: Watch): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${watch.port}/status`);
  const { latency_ms } = await response.json() as { latency_ms: Record<string, unknown> };
  return latency_ms["alert_to_output"];
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(12) + cells.map((cell) => cell.padStart(11)).join("");
}

function parse(args: readonly string[]): { alerts: number; rate: number } | undefined {
  const options = { alerts: 1000, rate: 50 };
  for (let at = 0; at < args.length; at += 2) {
    const value = Number(args[at + 1]);
    if (args[at] === "--alerts" && value >= 1) options.alerts = value;
    else if (args[at] === "--rate" && value >= 1) options.rate = value;
    else return undefined;
  }
  return options;
}

Deno.exit(await main(Deno.args));
