// The needle: one read of /etc/shadow in the midst of a flood. In how many trials is it told, and
// what was lost meanwhile?
import { mustRun } from "./workloads.ts";
import { sleep, type Watch } from "./watchers.ts";

export interface Flood {
  readonly name: string;
  /** Arguments of bench_load, a process each. */
  readonly processes: readonly (readonly string[])[];
}

const opener = ["open", "/etc/hostname", "300000"];
const starter = ["spawn", "1500"];

export const FLOODS: readonly Flood[] = [
  { name: "2 openers", processes: [opener, opener] },
  { name: "4 openers", processes: [opener, opener, opener, opener] },
  { name: "process starts", processes: [starter, starter] },
];

/** The needle is thrown in while the flood is under way. */
const EARLIEST_MS = 100;
const LATEST_MS = 400;

/** One trial; whether the needle was told. */
export async function findsNeedle(
  watch: Watch,
  load: string,
  flood: Flood,
  marker: string,
): Promise<boolean> {
  const flooding = Promise.all(flood.processes.map((args) => mustRun(load, args)));
  await sleep(EARLIEST_MS + Math.random() * (LATEST_MS - EARLIEST_MS));
  await mustRun(load, ["visit", "/etc/shadow", marker]);
  await flooding;
  await watch.settled();
  return watch.hasAlert(marker);
}
