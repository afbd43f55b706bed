// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What watching costs: each workload alone and watched, in turn, by the built saker and, where the
// environment names them, an older saker (BASE) and the real Falco (FALCO); medians of the rounds'
// own ratios. Whether a needle in a flood is told; what it takes while nothing happens; how soon
// after its start it sees.
import { lines, SAKER } from "../tests/live/saker.ts";
import { Place } from "../tests/live/trigger.ts";
import { findsNeedle, FLOODS } from "./live_bench/needle.ts";
import { sleep, type Watcher, watchersOf } from "./live_bench/watchers.ts";
import {
  mustRun,
  RATE_SECONDS,
  RATES,
  type Times,
  type Workload,
  WORKLOADS,
} from "./live_bench/workloads.ts";

interface Options {
  rounds: number;
  trials: number;
  idleSeconds: number;
  rules: string[];
  /** What to measure; all where empty. */
  only: string[];
}

const USAGE = `usage: scripts/bench live [options] [open|dd|spawn|rate|needle|idle|start ...]
  --rounds N      runs of each workload alone and watched, in turn (5)
  --trials N      needles in each flood (20)
  --idle SECONDS  how long the idle cost is measured (20)
  -r FILE         rules for all who watch (saker's own; Falco needs some)
  BASE=PATH       another saker, FALCO=PATH the real Falco: measured in turn with the built one`;

const SUBJECTS = [...WORKLOADS.map(({ name }) => name), "rate", "needle", "start", "idle"];

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench live needs root");
    return 1;
  }
  await using place = new Place();
  await Deno.writeTextFile(place.file("file"), "x");
  const load = place.file("load");
  await mustRun("cc", ["-O2", "-o", load, new URL("bench_load.c", import.meta.url).pathname]);
  const wanted = (name: string) => options.only.length === 0 || options.only.includes(name);
  const watchers = watchersOf(options.rules);

  const workloads = WORKLOADS.filter(({ name }) => wanted(name));
  if (workloads.length > 0) await costs(workloads, watchers, load, place, options.rounds);
  if (wanted("rate")) await rates(watchers, load, place, options.rounds);
  if (wanted("needle")) await needles(watchers, load, place, options.trials);
  if (wanted("start")) await timeToSee(load, options.rounds);
  if (wanted("idle")) await idle(watchers, place, options.idleSeconds);
  return 0;
}

/** What one watcher made of a workload, round by round. */
class Column {
  readonly wallRatios: number[] = [];
  readonly cpuRatios: number[] = [];
  readonly added: number[] = [];
  readonly own: number[] = [];
  readonly events: number[] = [];
  lost = 0;

  add(alone: Times, watched: Times): void {
    this.wallRatios.push(watched.wall / alone.wall);
    this.cpuRatios.push(watched.cpu / alone.cpu);
    this.added.push(watched.cpu - alone.cpu);
  }
}

/** Runs each workload alone and watched, in turn, and prints the medians. */
async function costs(
  workloads: readonly Workload[],
  watchers: readonly Watcher[],
  load: string,
  place: Place,
  rounds: number,
): Promise<void> {
  const heads = ["watched", "alone", "wall", "CPU", "added", "own", "events", "lost"];
  console.log(row("workload", heads));
  for (const workload of workloads) {
    const columns = watchers.map(() => new Column());
    const alone: number[] = [];
    // The first run warms caches and does not count.
    await workload.run(load, place);
    for (let round = 0; round < rounds; round++) {
      for (const [at, watcher] of watchers.entries()) {
        const unwatched = await workload.run(load, place);
        alone.push(unwatched.cpu);
        await using watch = await watcher.start(place.marker);
        const before = await watch.usage();
        columns[at]!.add(unwatched, await workload.run(load, place));
        await watch.settled();
        const after = await watch.usage();
        columns[at]!.own.push(after.cpuSeconds - before.cpuSeconds);
        columns[at]!.events.push(after.events - before.events);
        columns[at]!.lost += after.lost - before.lost;
      }
    }
    for (const [at, { name }] of watchers.entries()) {
      const { wallRatios, cpuRatios, added, own, events, lost } = columns[at]!;
      console.log(row(workload.what, [
        name,
        `${median(alone).toFixed(2)} s`,
        `x${median(wallRatios).toFixed(2)}`,
        `x${median(cpuRatios).toFixed(2)}`,
        `${median(added).toFixed(2)} s`,
        `${median(own).toFixed(2)} s`,
        count(median(events)),
        count(lost),
      ]));
    }
  }
  console.log(
    "alone: CPU of the workload alone; wall, CPU: ratio watched to alone; added: its CPU more " +
      "than alone; own: CPU of who watches; lost: in all rounds",
  );
}

/** What a watcher takes of a core while programs start at a steady rate. */
async function rates(
  watchers: readonly Watcher[],
  load: string,
  place: Place,
  rounds: number,
): Promise<void> {
  for (const rate of RATES) {
    const shares = watchers.map((): number[] => []);
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      for (const [at, watcher] of watchers.entries()) {
        await using watch = await watcher.start(place.marker);
        const before = await watch.usage();
        const startedAt = performance.now();
        await mustRun(load, ["rate", `${rate}`, `${RATE_SECONDS}`]);
        const seconds = (performance.now() - startedAt) / 1000;
        const own = (await watch.usage()).cpuSeconds - before.cpuSeconds;
        shares[at]!.push(own / seconds * 100);
      }
    }
    const told = watchers.map(({ name }, at) => `${name} ${median(shares[at]!).toFixed(1)} %`);
    console.log(`${rate} starts a second, own CPU of a core: ${told.join(", ")}`);
  }
}

async function needles(
  watchers: readonly Watcher[],
  load: string,
  place: Place,
  trials: number,
): Promise<void> {
  for (const flood of FLOODS) {
    for (const watcher of watchers) {
      await using watch = await watcher.start(place.marker);
      const before = await watch.usage();
      let found = 0;
      for (let trial = 0; trial < trials; trial++) {
        if (await findsNeedle(watch, load, flood, place.mark(`needle${trial}-`))) found++;
      }
      const after = await watch.usage();
      const [events, lost] = [after.events - before.events, after.lost - before.lost];
      console.log(
        `needle, ${flood.name}: ${watcher.name} told ${found} of ${trials}; ` +
          `${count(events)} events, ${count(lost)} lost`,
      );
    }
  }
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(26) + cells.map((cell) => cell.padStart(9)).join("");
}

function count(value: number): string {
  return Number.isNaN(value) ? "-" : `${Math.round(value)}`;
}

/** Alerts whose way from the kernel to the line is timed, in each round. */
const SAMPLES = 200;

/** From the start of the process to the first event that raised an alert, and from an event to
 * its line. */
async function timeToSee(load: string, rounds: number): Promise<void> {
  const times: number[] = [];
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const tick = new Deno.Command(load, {
      args: ["tick", "/etc/shadow", "2"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const startedAt = Date.now();
    const saker = new Deno.Command(SAKER, {
      args: ["--listen", "127.0.0.1:0"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let seen = 0;
    for await (const line of lines(saker.stdout)) {
      const { output_fields, time } = JSON.parse(line);
      if (output_fields["proc.pid"] !== tick.pid) continue;
      const happenedAt = Date.parse(time);
      if (seen++ === 0) times.push((happenedAt - startedAt) / 1000);
      else delays.push(Date.now() - happenedAt);
      if (seen > SAMPLES) break;
    }
    tick.kill();
    saker.kill();
    await Promise.all([tick.status, saker.status]);
  }
  console.log(`\nstart to first detection: ${median(times).toFixed(2)} s`);
  console.log(`event to alert line: ${median(delays).toFixed(0)} ms`);
}

async function idle(
  watchers: readonly Watcher[],
  place: Place,
  idleSeconds: number,
): Promise<void> {
  for (const watcher of watchers) {
    await using watch = await watcher.start(place.marker);
    const before = await watch.usage();
    await sleep(idleSeconds * 1000);
    const after = await watch.usage();
    const perMinute = (after.cpuSeconds - before.cpuSeconds) * 60 / idleSeconds;
    console.log(
      `${watcher.name}, idle for ${idleSeconds} s (${count(after.events - before.events)} events ` +
        `of the machine's own): ${perMinute.toFixed(2)} CPU seconds a minute, ` +
        `${after.residentMb.toFixed(0)} MB resident`,
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = { rounds: 5, trials: 20, idleSeconds: 20, rules: [], only: [] };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (SUBJECTS.includes(word)) {
      options.only.push(word);
      continue;
    }
    const value = args[++at];
    if (value === undefined) return undefined;
    if (word === "-r") options.rules.push(value);
    else if (!(Number(value) >= 1)) return undefined;
    else if (word === "--rounds") options.rounds = Number(value);
    else if (word === "--trials") options.trials = Number(value);
    else if (word === "--idle") options.idleSeconds = Number(value);
    else return undefined;
  }
  return options;
}

Deno.exit(await main(Deno.args));
