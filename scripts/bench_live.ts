// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What watching costs: each workload without and with saker, in turn, medians and their ratio;
// saker's own CPU; what it takes while nothing happens; how soon after its start it sees.
import { lines, SAKER, Saker } from "../tests/live/saker.ts";
import { Place, run } from "../tests/live/trigger.ts";

interface Options {
  rounds: number;
  idleSeconds: number;
  /** Workloads to run; all where empty. */
  only: string[];
}

const USAGE =
  `usage: scripts/bench live [--rounds N] [--idle SECONDS] [open|dd|spawn|idle|start ...]
  --rounds N      runs of each workload without and with saker (5)
  --idle SECONDS  how long the idle cost is measured (20)`;

interface Workload {
  readonly name: string;
  readonly what: string;
  readonly run: (load: string, place: Place) => Promise<Times>;
}

/** Seconds by the clock, and of CPU, user's and kernel's together. */
interface Times {
  readonly wall: number;
  readonly cpu: number;
}

const OPENS = 300_000;
const STARTS = 3_000;

const WORKLOADS: readonly Workload[] = [
  {
    name: "open",
    what: `open+close, 2 x ${OPENS}`,
    async run(load, place) {
      const open = () => timed(load, ["open", place.file("file"), `${OPENS}`]);
      const [one, other] = await Promise.all([open(), open()]);
      return { wall: Math.max(one.wall, other.wall), cpu: one.cpu + other.cpu };
    },
  },
  {
    name: "dd",
    what: "dd, 2,000,000 x 500 bytes",
    run: () => timed("dd", ["if=/dev/zero", "of=/dev/null", "bs=500", "count=2000000"]),
  },
  {
    name: "spawn",
    what: `process starts, ${STARTS}`,
    run: (load) => timed(load, ["spawn", `${STARTS}`]),
  },
];

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
  const wanted = ({ name }: { name: string }) =>
    options.only.length === 0 || options.only.includes(name);

  const workloads = WORKLOADS.filter(wanted);
  if (workloads.length > 0) await costs(workloads, load, place, options.rounds);
  if (wanted({ name: "start" })) await timeToSee(load, options.rounds);
  if (wanted({ name: "idle" })) await idle(place, options.idleSeconds);
  return 0;
}

/** Runs each workload alone and watched, in turn, and prints the medians. */
async function costs(
  workloads: readonly Workload[],
  load: string,
  place: Place,
  rounds: number,
): Promise<void> {
  console.log(
    row("workload", ["alone", "watched", "ratio", "CPU", "ratio", "saker", "events", "lost"]),
  );
  for (const workload of workloads) {
    const alone: Times[] = [];
    const watched: Times[] = [];
    const own: number[] = [];
    const events: number[] = [];
    let lost = 0;
    // The first run warms caches and does not count.
    await workload.run(load, place);
    for (let round = 0; round < rounds; round++) {
      alone.push(await workload.run(load, place));
      await using saker = await Saker.start([place.marker]);
      await settled(saker);
      const before = await usage(saker);
      watched.push(await workload.run(load, place));
      await settled(saker);
      const after = await usage(saker);
      own.push(after.cpuSeconds - before.cpuSeconds);
      events.push(after.events - before.events);
      lost += after.lost - before.lost;
    }
    const [wall, cpu] = (["wall", "cpu"] as const).map((which) => [
      median(alone.map((times) => times[which])),
      median(watched.map((times) => times[which])),
    ]);
    console.log(row(workload.what, [
      `${wall![0]!.toFixed(2)} s`,
      `${wall![1]!.toFixed(2)} s`,
      (wall![1]! / wall![0]!).toFixed(2),
      `${cpu![0]!.toFixed(2)} s`,
      (cpu![1]! / cpu![0]!).toFixed(2),
      `${median(own).toFixed(2)} s`,
      `${Math.round(median(events))}`,
      `${lost}`,
    ]));
  }
  console.log(
    "alone, watched: by the clock; CPU: what the workload itself took alone, and its ratio; " +
      "saker: its own CPU",
  );
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(26) + cells.map((cell) => cell.padStart(9)).join("");
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

async function idle(place: Place, idleSeconds: number): Promise<void> {
  await using saker = await Saker.start([place.marker]);
  await settled(saker);
  const before = await usage(saker);
  await sleep(idleSeconds * 1000);
  const after = await usage(saker);
  const perMinute = (after.cpuSeconds - before.cpuSeconds) * 60 / idleSeconds;
  console.log(
    `\nidle for ${idleSeconds} s (${after.events - before.events} events of the machine's own): ` +
      `${perMinute.toFixed(2)} CPU seconds a minute, ${after.residentMb.toFixed(0)} MB resident`,
  );
}

interface Usage {
  readonly cpuSeconds: number;
  readonly residentMb: number;
  readonly events: number;
  readonly lost: number;
}

async function usage(saker: Saker): Promise<Usage> {
  const stat = await Deno.readTextFile(`/proc/${saker.pid}/stat`);
  // Behind the name: state is the first field, user and system time the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = await Deno.readTextFile(`/proc/${saker.pid}/status`);
  const { body } = (await saker.health())!;
  const lost = body.lost as { critical: number; bulk: number };
  return {
    cpuSeconds: ticks / 100,
    residentMb: Number(/VmRSS:\s*(\d+)/.exec(status)![1]) / 1024,
    events: body.events as number,
    lost: lost.critical + lost.bulk,
  };
}

/** Waits until saker has worked off what happened: it takes next to no CPU for a while. */
async function settled(saker: Saker): Promise<void> {
  for (let quiet = 0; quiet < 2;) {
    const before = (await usage(saker)).cpuSeconds;
    await sleep(250);
    quiet = (await usage(saker)).cpuSeconds - before <= 0.02 ? quiet + 1 : 0;
  }
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} failed: ${stderr}`);
}

/** Runs a program under the shell's stopwatch. */
async function timed(program: string, args: readonly string[]): Promise<Times> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$0" "$@" > /dev/null 2>&1';
  const { code, stderr } = await run("/bin/bash", ["-c", script, program, ...args]);
  if (code !== 0) throw new Error(`${program} failed`);
  const [wall, user, kernel] = stderr.trim().split(" ").map(Number);
  return { wall: wall!, cpu: user! + kernel! };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = { rounds: 5, idleSeconds: 20, only: [] };
  const known = [...WORKLOADS.map(({ name }) => name), "start", "idle"];
  for (let at = 0; at < args.length; at++) {
    const value = Number(args[at + 1]);
    if (args[at] === "--rounds" && value >= 1) options.rounds = value;
    else if (args[at] === "--idle" && value >= 1) options.idleSeconds = value;
    else if (known.includes(args[at]!)) options.only.push(args[at]!);
    else return undefined;
    if (args[at]!.startsWith("--")) at++;
  }
  return options;
}

Deno.exit(await main(Deno.args));
