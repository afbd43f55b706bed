// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// A day of a service in short (service_bench/day.ts), beside mixed work: a row a minute of what
// saker holds, and at the end whether that stayed flat and every alert arrived.
import { SAKER } from "../tests/live/saker.ts";
import { Place } from "../tests/live/trigger.ts";
import { flatness } from "./memory_bench/flatness.ts";
import { parseMinutes, row } from "./memory_bench/minutes.ts";
import { work } from "./memory_bench/mixed_work.ts";
import { type Held, liveDay } from "./service_bench/day.ts";

const USAGE = `usage: scripts/bench service [options]
  --minutes N     how long (60)
  --share P       percent of a core that the work takes (15)
  SAKER=PATH      another executable than the one that is built`;

const DEFAULT_RULES = new URL("../rules", import.meta.url).pathname;

async function main(args: readonly string[]): Promise<number> {
  const options = parseMinutes(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench service needs root");
    return 1;
  }
  await using place = new Place();
  const rows: Held[] = [];
  const heads = ["minute", "RSS MB", "anon MB", "fds", "threads", "files", "events", "lost"];
  console.log(row([...heads, "reloads", "refused", "CPU s"]));
  const { missing, created, unwell, complaints } = await liveDay(place, {
    binary: Deno.env.get("SAKER") ?? SAKER,
    minutes: options.minutes,
    minuteMs: 60_000,
    rules: [DEFAULT_RULES],
    work: (isOver) => work(place.path, options.share, isOver),
    onMinute(minute, held): void {
      rows.push(held);
      console.log(row([
        `${minute}`,
        held.residentMb.toFixed(1),
        held.anonymousMb.toFixed(1),
        `${held.descriptors}`,
        `${held.threads}`,
        `${held.files}`,
        `${held.events}`,
        `${held.lost}`,
        `${held.reloads}`,
        `${held.refusals}`,
        held.cpuSeconds.toFixed(1),
      ]));
    },
  });
  for (const name of ["residentMb", "anonymousMb", "descriptors", "threads"] as const) {
    const { first, greatest, risePerHour } = flatness(rows.map((held) => held[name]));
    console.log(
      `${name}, last half: ${first.toFixed(1)} at its begin, at most ${greatest.toFixed(1)}, ` +
        `the line through it rises by ${risePerHour.toFixed(1)} an hour`,
    );
  }
  const lacking = missing.file.length + missing.http.length;
  console.log(
    `${created} alerts; missing in the file ${missing.file.length}, at the receiver ` +
      `${missing.http.length}; ${unwell.join(", ") || "all outputs are well, nothing waits"}`,
  );
  for (const complaint of complaints) console.log(complaint);
  return lacking + unwell.length + complaints.length === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
