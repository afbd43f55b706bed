// What an alert costs at the host: a real saker, with the output to NATS, with JSON to a file, and
// with the same events and no alert, by turns.
import { writeCapture } from "../../tests/capture_file.ts";
import { Place, run } from "../../tests/live/trigger.ts";
import { NatsServer } from "../../tests/nats_fixture.ts";
import { engineSeconds, sleep, Watch } from "../live_bench/watchers.ts";
import { median } from "./processes.ts";
import { BINARY, storedBytes, streamOf } from "./stage.ts";

const ROUNDS = 3;
const REPLAYED = 40_000;
const [RATE, SECONDS] = [200, 20];
const SIDES = ["none", "file", "nats"] as const;
type Side = typeof SIDES[number];

const RULES = `
- rule: Sensitive file read by an untrusted program
  desc: A file was opened.
  condition: evt.type = openat and fd.name contains shadow
  output: >
    Sensitive file read by an untrusted program | file=%fd.name process=%proc.name
    parent=%proc.pname user=%user.name command=%proc.cmdline container=%container.id
    type=%evt.type tid=%thread.tid
  priority: WARNING
  tags: [filesystem, mitre_credential_access]
`;

export async function atHost(print: (line: string) => void): Promise<void> {
  const costs = new Map<Side, number[]>(SIDES.map((side) => [side, []]));
  let [fileBytes, streamBytes] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of SIDES) {
      const { cpuSeconds, bytes } = await replayed(side);
      costs.get(side)!.push(cpuSeconds);
      if (side === "file") fileBytes = bytes;
      if (side === "nats") streamBytes = bytes;
    }
  }
  const none = median(costs.get("none")!);
  for (const side of SIDES) {
    const cpu = median(costs.get(side)!);
    const each = (cpu - none) / REPLAYED * 1e6;
    print(
      `replay of ${REPLAYED} alerts, ${side}: ${cpu.toFixed(2)} s of CPU (${
        costs.get(side)!.map((one) => one.toFixed(2)).join(", ")
      }), ${each.toFixed(1)} µs an alert beyond none`,
    );
  }
  print(
    `bytes an alert: ${(fileBytes / REPLAYED).toFixed(0)} in the file, ${
      (streamBytes / REPLAYED).toFixed(0)
    } in the stream`,
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of SIDES) print(await live(side));
  }
}

/** Options of a side, with the server that it needs. */
async function optionsOf(side: Side, file: string) {
  const server = side === "nats" ? await NatsServer.start() : undefined;
  const output = server === undefined
    ? `file_output={enabled: true, filename: ${file}}`
    : `nats_output={enabled: true, url: "${server.url}"}`;
  const options = ["json_output=true", "stdout_output.enabled=false", output];
  return { server, args: options.flatMap((option) => ["-o", option]) };
}

async function replayed(side: Side): Promise<{ cpuSeconds: number; bytes: number }> {
  await using place = new Place();
  const [rules, capture, file] = ["rules.yaml", "a.scap", "out"].map((name) => place.file(name));
  await Deno.writeTextFile(rules!, side === "none" ? RULES.replace("shadow", "nothing") : RULES);
  writeCapture(
    capture!,
    Array.from({ length: REPLAYED }, (_, at) => ({ path: `/etc/shadow-${at}` })),
  );
  const { server, args } = await optionsOf(side, file!);
  try {
    const { code, stderr } = await new Deno.Command("bash", {
      args: [
        ...["-c", 'TIMEFORMAT="%U %S"; time "$@"', "-", BINARY],
        ...["-r", rules!, ...args, "replay", capture!],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const told = new TextDecoder().decode(stderr);
    if (code !== 0) throw new Error(`it ended with ${code}: ${told}`);
    const [user, system] = told.trim().split("\n").at(-1)!.split(" ").map(Number);
    const bytes = server !== undefined
      ? await storedWhole(server)
      : side === "file"
      ? (await Deno.stat(file!)).size
      : 0;
    return { cpuSeconds: user! + system!, bytes };
  } finally {
    await server?.[Symbol.asyncDispose]();
  }
}

async function storedWhole(server: NatsServer): Promise<number> {
  const { messages } = await streamOf(server);
  if (messages !== REPLAYED) throw new Error(`${messages} alerts came`);
  return storedBytes(server);
}

/** Reads the file at a rate. */
const READS = `
import os, sys, time
count, rate = int(sys.argv[2]), int(sys.argv[3])
begun = time.monotonic()
for number in range(count):
    os.close(os.open(sys.argv[1], os.O_RDONLY))
    time.sleep(max(0, begun + (number + 1) / rate - time.monotonic()))
`;

/** A live saker; of its CPU that of all threads but the engine's, which is the same everywhere. */
async function live(side: Side): Promise<string> {
  await using place = new Place();
  const rules = place.file("rules.yaml");
  const path = place.file("shadow");
  const own = RULES.replace("contains shadow", `= ${side === "none" ? "/nothing" : path}`);
  await Deno.writeTextFile(rules, own);
  await Deno.writeTextFile(path, "");
  const { server, args } = await optionsOf(side, place.file("out"));
  try {
    await using watch = await Watch.start(
      BINARY,
      (port) => ["--listen", `127.0.0.1:${port}`, "-r", rules, ...args],
      place.marker,
    );
    const before = await stateOf(watch);
    await run("python3", [
      ...["-I", "-S", "-c", READS, path],
      ...[RATE * SECONDS, RATE].map(String),
    ]);
    await sleep(1000);
    const after = await stateOf(watch);
    const alerts = side === "none" ? RATE * SECONDS : after.alerts - before.alerts;
    const cpu = after.cpu - before.cpu;
    return `live, ${RATE} a second for ${SECONDS} s, ${side}: ${alerts} alerts, ${
      cpu.toFixed(2)
    } s of CPU besides the engine's, ${(cpu / alerts * 1e6).toFixed(0)} µs an alert (or event), ${
      after.megabytes.toFixed(0)
    } MB resident`;
  } finally {
    await server?.[Symbol.asyncDispose]();
  }
}

async function stateOf(watch: Watch) {
  const { cpuSeconds, residentMb } = await watch.usage();
  const { alerts } = await watch.ask("/status") as unknown as {
    readonly alerts: { readonly raised: number };
  };
  return {
    alerts: alerts.raised,
    cpu: cpuSeconds - await engineSeconds(watch.pid),
    megabytes: residentMb,
  };
}
