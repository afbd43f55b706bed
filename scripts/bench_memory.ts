// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What a watching saker holds while a host works: started live with the default rules, alerts into
// a file, beside work of its own at a steady rate. Out: a row a minute, and whether the last half
// is flat.
import { SAKER } from "../tests/live/saker.ts";
import { Place } from "../tests/live/trigger.ts";
import { sleep, Watch } from "./live_bench/watchers.ts";
import { flatness } from "./memory_bench/flatness.ts";
import { parseMinutes, row } from "./memory_bench/minutes.ts";
import { work } from "./memory_bench/mixed_work.ts";

const USAGE = `usage: scripts/bench memory [options]
  --minutes N     how long (60)
  --share P       percent of a core that the work takes (15)
  SAKER=PATH      another executable than the one that is built`;

/** What the line through the last half may rise by in it and still be called flat, in MB. Single
 * minutes differ by more: garbage is there until it is collected. */
const FLAT_MB = 5;

async function main(args: readonly string[]): Promise<number> {
  const options = parseMinutes(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench memory needs root");
    return 1;
  }
  await using place = new Place();
  const alerts = place.file("alerts");
  const outputs = ["stdout_output.enabled=false", "file_output.enabled=true"]
    .concat(`file_output.filename=${alerts}`).flatMap((option) => ["-o", option]);
  const binary = Deno.env.get("SAKER") ?? SAKER;
  await using watch = await Watch.start(
    binary,
    (port) => ["--listen", `127.0.0.1:${port}`, ...outputs],
    place.marker,
  );

  console.log(row(["minute", "RSS MB", "anon MB", "events", "lost", "fds", "CPU s", "alerts"]));
  let isOver = false;
  const working = work(place.path, options.share, () => isOver);
  const [resident, anonymous]: number[][] = [[], []];
  const startedAt = performance.now();
  for (let minute = 0; minute <= options.minutes; minute++) {
    await sleep(Math.max(0, startedAt + minute * 60_000 - performance.now()));
    const { residentMb, anonymousMb, events, lost, cpuSeconds, descriptors } = await watch.usage();
    resident!.push(residentMb);
    anonymous!.push(anonymousMb);
    const { size } = await Deno.stat(alerts);
    console.log(row([
      `${minute}`,
      residentMb.toFixed(1),
      anonymousMb.toFixed(1),
      `${events}`,
      `${lost}`,
      `${descriptors}`,
      cpuSeconds.toFixed(1),
      `${Math.round(size / 1024)} kB`,
    ]));
  }
  isOver = true;
  await working;
  const isFlat = tell("resident", resident!);
  tell("anonymous", anonymous!);
  return isFlat ? 0 : 1;
}

function tell(name: string, byMinute: readonly number[]): boolean {
  const { first, greatest, risePerHour } = flatness(byMinute);
  const isFlat = risePerHour / 60 * (byMinute.length >> 1) <= FLAT_MB;
  console.log(
    `${name}, last half: ${first.toFixed(1)} MB at its begin, at most ${greatest.toFixed(1)} ` +
      `(+${(greatest - first).toFixed(1)}), ${risePerHour.toFixed(1)} MB an hour: ` +
      (isFlat ? "flat" : "not flat"),
  );
  return isFlat;
}

Deno.exit(await main(Deno.args));
