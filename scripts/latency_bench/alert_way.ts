// The way of alerts from their system call to the line on standard output, measured by others than
// saker: a saker that is told of numbered files comes up, and how long each of so many alerts took
// goes out, sorted.
import { stormRule } from "../../tests/live/storm.ts";
import { type Place, run } from "../../tests/live/trigger.ts";
import { SAKER } from "../../tests/live/saker.ts";
import { sleep, Watch } from "../live_bench/watchers.ts";

const READER = new URL("timed_lines.py", import.meta.url).pathname;

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

/** Saker with the default rules, as on any host, and one on files that are numbered. */
export async function startTimed(place: Place, more: readonly string[] = []): Promise<Watch> {
  await Deno.mkdir(place.file("n"));
  const rules = place.file("rules.yaml");
  await Deno.writeTextFile(rules, stormRule("Numbered", place));
  const defaults = new URL("../../rules", import.meta.url).pathname;
  const binary = Deno.env.get("SAKER") ?? SAKER;
  return await Watch.start("python3", (port) => [
    ...["-I", "-S", READER, place.marker, binary, "--listen", `127.0.0.1:${port}`],
    ...["-r", defaults, "-r", rules, "-o", "rule_matching=all", "-o", "json_output=true", ...more],
  ], place.marker);
}

export interface Numbered {
  readonly first: number;
  readonly alerts: number;
  /** Alerts a second. */
  readonly rate: number;
}

export interface Took {
  /** Milliseconds, sorted; alerts that never came are missing. */
  readonly ms: readonly number[];
  readonly lost: number;
}

/** Has so many files created; `loading` goes on until that is over. */
export async function timed(
  watch: Watch,
  place: Place,
  { first, alerts, rate }: Numbered,
  loading: (isOver: () => boolean) => Promise<unknown>,
): Promise<Took> {
  const before = await watch.usage();
  let isOver = false;
  const load = loading(() => isOver);
  const { stdout } = await run("python3", [
    ...["-I", "-S", "-c", CALLER, place.marker, place.path],
    ...[first, alerts, rate].map(String),
  ]);
  isOver = true;
  await load;
  await sleep(1_000);
  await watch.settled();
  const after = await watch.usage();
  const arrived = new Map(
    watch.found().map((line) => {
      const [, number, ns] = line.split(" ");
      return [Number(number), BigInt(ns!)];
    }),
  );
  const ms = stdout.trim().split("\n").flatMap((line) => {
    const [number, ns] = line.split(" ");
    const came = arrived.get(Number(number));
    return came === undefined ? [] : [Number(came - BigInt(ns!)) / 1e6];
  }).sort((one, other) => one - other);
  return { ms, lost: after.lost - before.lost };
}

export const HEADS = ["alerts", "p50", "p90", "p99", "max", "told", "lost"];

export function cellsOf({ ms, lost }: Took, alerts: number): string[] {
  const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? NaN;
  const times = [0.5, 0.9, 0.99, 1].map((share) => `${at(share).toFixed(2)} ms`);
  return [`${alerts}`, ...times, `${ms.length}`, `${lost}`];
}

export function row(name: string, cells: readonly string[]): string {
  return name.padEnd(12) + cells.map((cell) => cell.padStart(11)).join("");
}

export function machineLoad(): string {
  return `load of this machine before: ${Deno.loadavg().map((of) => of.toFixed(1)).join(" ")}`;
}
