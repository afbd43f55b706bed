// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What an output in trouble costs the others and detection: saker watches a storm of numbered files
// with alerts to a file, a program and a web server that is well, refuses, or is stuck, in turn in
// one run. Out: CPU, the age of events when they were judged, losses, and when the file had all.
import { SAKER } from "../tests/live/saker.ts";
import { Place, run } from "../tests/live/trigger.ts";
import { type Trouble, TroubledServer } from "../tests/outputs/trouble.ts";
import { sleep, Watch } from "./live_bench/watchers.ts";

const USAGE = `usage: scripts/bench outputs [options]
  --alerts N    alerts in each part (10000)
  --rate N      alerts a second (1000)
  --rounds N    times (3)
  SAKER=PATH    another executable than the one that is built`;

/** Creates numbered files at a rate, twenty at a time. */
const STORM = `
import os, sys, time
place, count, rate = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
begun = time.monotonic()
for number in range(count):
    name = "%s/n/%d" % (place, number)
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
    os.unlink(name)
    if number % 20 == 19: time.sleep(max(0, begun + number / rate - time.monotonic()))
`;

const SIDES: readonly Trouble[] = ["well", "refuses", "is stuck"];
const PATIENCE_MS = 120_000;

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined || Deno.uid() !== 0) {
    console.error(options === undefined ? USAGE : "saker: bench outputs needs root");
    return 1;
  }
  console.log(row(["web server", "CPU s", "lag p50", "lag p99", "lost", "in file", "all after"]));
  for (let round = 0; round < options.rounds; round++) {
    for (const side of SIDES) await measure(side, options);
  }
  return 0;
}

async function measure(side: Trouble, { alerts, rate }: Options): Promise<void> {
  await using place = new Place();
  await using server = new TroubledServer(side, 0);
  for (const name of ["n", "spool"]) Deno.mkdirSync(place.file(name), { mode: 0o700 });
  const rules = place.file("rules.yaml");
  Deno.writeTextFileSync(
    rules,
    "- {rule: Opened, desc: d, priority: NOTICE, output: Created %fd.name, " +
      `condition: evt.is_open_create=true and fd.name startswith ${place.path}/n/}\n`,
  );
  const file = place.file("alerts");
  const given = [
    "json_output=true",
    "stdout_output.enabled=false",
    `file_output={enabled: true, keep_alive: true, filename: ${file}}`,
    "program_output={enabled: true, keep_alive: true, program: cat > /dev/null}",
    `http_output={enabled: true, url: "http://127.0.0.1:${server.port}/"}`,
    `spool={enabled: true, directory: ${place.file("spool")}, max_mb: 256}`,
  ];
  await using watch = await Watch.start(
    Deno.env.get("SAKER") ?? SAKER,
    (port) => [
      ...["--listen", `127.0.0.1:${port}`, "-r", rules],
      ...given.flatMap((option) => ["-o", option]),
    ],
    place.marker,
  );
  const before = await watch.usage();
  await run("python3", [
    ...["-I", "-S", "-c", STORM, place.marker, place.path],
    ...[alerts, rate].map(String),
  ]);
  const begun = performance.now();
  while (linesOf(file) < alerts && performance.now() - begun < PATIENCE_MS) await sleep(20);
  const after = performance.now() - begun;
  const used = await watch.usage();
  const { latency_ms } = await watch.ask("/status") as { latency_ms: Record<string, Lag> };
  const lag = latency_ms["event_to_engine"]!;
  console.log(row([
    side,
    (used.cpuSeconds - before.cpuSeconds).toFixed(2),
    `${lag.p50.toFixed(1)} ms`,
    `${lag.p99.toFixed(1)} ms`,
    `${used.lost - before.lost}`,
    `${linesOf(file)}`,
    `${Math.round(after)} ms`,
  ]));
}

interface Lag {
  readonly p50: number;
  readonly p99: number;
}

function linesOf(path: string): number {
  try {
    return Deno.readTextFileSync(path).split("\n").length - 1;
  } catch {
    return 0;
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(11)).join("");
}

interface Options {
  readonly alerts: number;
  readonly rate: number;
  readonly rounds: number;
}

function parse(args: readonly string[]): Options | undefined {
  const options = { alerts: 10_000, rate: 1_000, rounds: 3 };
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at]?.slice(2) as keyof Options;
    const value = Number(args[at + 1]);
    if (!args[at]!.startsWith("--") || !(name in options) || !(value >= 1)) return undefined;
    options[name] = value;
  }
  return options;
}

Deno.exit(await main(Deno.args));
