// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What alerts cost with their dossiers and without: a process reads /etc/shadow at a rate, then as
// fast as it can, under the default rules, by turns. Out: CPU of the process and of the engine's
// thread, what the dossiers took of it, memory, losses.
import { SAKER } from "../tests/live/saker.ts";
import { Place, run } from "../tests/live/trigger.ts";
import { engineSeconds, sleep, Watch } from "./live_bench/watchers.ts";

const USAGE = `usage: scripts/bench alerts [options]
  --rate N      alerts a second (100)
  --seconds N   so long (20)
  --flood N     then so many at once (20000)
  --rounds N    times (3)
  SAKER=PATH    another executable than the one that is built`;

/** Reads the file at a rate; 0: without a pause. */
const READS = `
import os, sys, time
count, rate = int(sys.argv[2]), int(sys.argv[3])
begun = time.monotonic()
for number in range(count):
    os.close(os.open("/etc/shadow", os.O_RDONLY))
    if rate > 0: time.sleep(max(0, begun + (number + 1) / rate - time.monotonic()))
`;
const SIDES = [true, false] as const;

interface Options {
  readonly rate: number;
  readonly seconds: number;
  readonly flood: number;
  readonly rounds: number;
}

const HEADS = [
  ...["part", "dossiers", "alerts", "CPU s", "engine s", "made", "left out", "their ms"],
  ...["resident MB", "lost", "load"],
];

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined || Deno.uid() !== 0) {
    console.error(options === undefined ? USAGE : "saker: bench alerts needs root");
    return 1;
  }
  console.log(HEADS.map((head) => head.padStart(11)).join(" "));
  for (let round = 0; round < options.rounds; round++) {
    for (const isOn of SIDES) await measure(isOn, options);
  }
  return 0;
}

async function measure(isOn: boolean, options: Options): Promise<void> {
  const { rate, seconds, flood } = options;
  await using place = new Place();
  const args = (port: number) => [
    ...["--listen", `127.0.0.1:${port}`, "-o", `webserver.dossiers=${isOn}`],
    ...["-o", "json_output=true"],
  ];
  await using watch = await Watch.start(Deno.env.get("SAKER") ?? SAKER, args, place.marker);
  for (
    const [part, count, pace] of [["rate", rate * seconds, rate], ["flood", flood, 0]] as const
  ) {
    const before = await stateOf(watch);
    await run("python3", [
      ...["-I", "-S", "-c", READS, place.marker],
      ...[count, pace].map(String),
    ]);
    await sleep(500);
    await watch.settled();
    const after = await stateOf(watch);
    const cells = [
      part,
      isOn ? "on" : "off",
      after.alerts - before.alerts,
      (after.cpuSeconds - before.cpuSeconds).toFixed(2),
      (after.engineSeconds - before.engineSeconds).toFixed(2),
      after.made - before.made,
      after.leftOut - before.leftOut,
      (after.ms - before.ms).toFixed(1),
      after.residentMb.toFixed(0),
      after.lost - before.lost,
      Deno.loadavg()[0]!.toFixed(1),
    ];
    console.log(cells.map((cell) => `${cell}`.padStart(11)).join(" "));
  }
}

interface Status {
  readonly alerts: { readonly raised: number };
  readonly dossiers: { readonly made: number; readonly left_out: number; readonly ms: number };
}

async function stateOf(watch: Watch) {
  const usage = await watch.usage();
  const { alerts, dossiers } = await watch.ask("/status") as unknown as Status;
  return {
    ...usage,
    engineSeconds: await engineSeconds(watch.pid),
    alerts: alerts.raised,
    made: dossiers.made,
    leftOut: dossiers.left_out,
    ms: dossiers.ms,
  };
}

function parse(args: readonly string[]): Options | undefined {
  const options: Record<string, number> = { rate: 100, seconds: 20, flood: 20_000, rounds: 3 };
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at]!.replace(/^--/, "");
    const value = Number(args[at + 1]);
    if (!(name in options) || !(value >= 1)) return undefined;
    options[name] = value;
  }
  return options as unknown as Options;
}

Deno.exit(await main(Deno.args));
