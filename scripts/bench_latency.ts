// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// How long an alert takes, from the return of its system call to its line on standard output: both
// moments taken by others than saker, the first by who made the call, the second by who reads. Out:
// percentiles, idle and while two processes open files and a third starts programs.
import { Place } from "../tests/live/trigger.ts";
import { cellsOf, HEADS, machineLoad, row, startTimed, timed } from "./latency_bench/alert_way.ts";
import type { Watch } from "./live_bench/watchers.ts";
import { mustRun } from "./live_bench/workloads.ts";

const USAGE = `usage: scripts/bench latency [options]
  --alerts N    alerts in each part (1000)
  --rate N      alerts a second (50)
  SAKER=PATH    another executable than the one that is built`;

const LOAD_SOURCE = new URL("bench_load.c", import.meta.url).pathname;

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
  await using watch = await startTimed(place);
  console.log(machineLoad());
  console.log(row("", HEADS));
  let first = 1;
  for (const { name, loops } of LOADS) {
    const took = await timed(
      watch,
      place,
      { first, ...options },
      (isOver) =>
        Promise.all(loops.map(async (loop) => {
          while (!isOver()) await mustRun(load, loop.split(" "));
        })),
    );
    first += options.alerts;
    console.log(row(name, cellsOf(took, options.alerts)));
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
