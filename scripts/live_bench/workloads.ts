// What is done while somebody watches, and how long it took by the clock and in CPU time.
import { type Place, run } from "../../tests/live/trigger.ts";

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly run: (load: string, place: Place) => Promise<Times>;
}

/** Seconds by the clock, and of CPU, user's and kernel's together. */
export interface Times {
  readonly wall: number;
  readonly cpu: number;
}

const OPENS = 300_000;
const STARTS = 3_000;

export const WORKLOADS: readonly Workload[] = [
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

/** Starts a second whose cost to the watcher is measured, and for how long. */
export const RATES: readonly number[] = [100, 400, 1_600];
export const RATE_SECONDS = 5;

/** Runs a program under the shell's stopwatch. */
export async function timed(program: string, args: readonly string[]): Promise<Times> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$0" "$@" > /dev/null 2>&1';
  const { code, stderr } = await run("/bin/bash", ["-c", script, program, ...args]);
  if (code !== 0) throw new Error(`${program} failed`);
  const [wall, user, kernel] = stderr.trim().split(" ").map(Number);
  return { wall: wall!, cpu: user! + kernel! };
}

export async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} failed: ${stderr}`);
}
