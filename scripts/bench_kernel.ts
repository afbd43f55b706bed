// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What saker's programs in the kernel take for a call, in nanoseconds, by the kernel's own run-time
// statistics (BPF_ENABLE_STATS, for as long as this runs): calls of one kind, again and again, by
// the built saker and by an older one (BASE=PATH), with the default rules and with rules that ask
// for all of these calls. Out: a line for each kind, with the least of the rounds.
import { parseExposition } from "../src/metrics/parse_exposition_fixture.ts";
import { SAKER } from "../tests/live/saker.ts";
import { Place, PYTHON } from "../tests/live/trigger.ts";
import { sleep, Watch } from "./live_bench/watchers.ts";
import { mustRun } from "./live_bench/workloads.ts";

const USAGE = `usage: scripts/bench kernel [--rounds N] [--calls N] [KIND ...]
  --rounds N      runs of each kind, of which the least counts (5)
  --calls N       calls of a run (100000; of forks and executions a fiftieth)
  BASE=PATH       another saker, measured in turn with the built one`;

const KINDS: readonly (readonly [kind: string, what: string, calls: number])[] = [
  ["getppid", "a call that nobody asks for", 1],
  ["open", "open to read, close", 1],
  ["open-write", "open to write, close", 1],
  ["open-fails", "an open that fails", 1],
  ["read", "pread64, 4 bytes", 1],
  ["write", "pwrite64, 4 bytes", 1],
  ["writev", "pwritev, 2 buffers", 1],
  ["fcntl", "fcntl(F_GETFD)", 1],
  ["dup", "dup, close", 1],
  ["chmod", "chmod", 1],
  ["mkdir", "mkdir, rmdir", 1],
  ["mmap", "mmap of a file, munmap", 1],
  ["connect", "connect, UDP", 1],
  ["sendto", "sendto, UDP", 1],
  ["fork", "fork, exit, wait", 1 / 50],
  ["execve", "posix_spawn of true, wait", 1 / 50],
];

const ASKED = "open openat close pread pwrite pwritev fcntl dup chmod mkdir rmdir mmap munmap " +
  "connect sendto fork vfork clone clone3 execve procexit";

const NUMBERS = ["enabled", "libbpf_stats_enabled"].map((key) => `metrics.${key}=true`)
  .concat("webserver.prometheus_metrics_enabled=true").flatMap((option) => ["-o", option]);

/** Longer than the engine takes to read the kernel's numbers. */
const READ_MS = 1_300;

async function main(args: readonly string[]): Promise<number> {
  const options = { rounds: 5, calls: 100_000 };
  const only: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const name = args[at]!;
    if (name === "--rounds") options.rounds = Number(args[++at]);
    else if (name === "--calls") options.calls = Number(args[++at]);
    else if (KINDS.some(([kind]) => kind === name)) only.push(name);
    else {
      console.error(USAGE);
      return 1;
    }
  }
  if (Deno.uid() !== 0) {
    console.error("saker: bench kernel needs root");
    return 1;
  }
  await using place = new Place();
  await Deno.writeTextFile(place.file("file"), "contents");
  const load = place.file("load");
  await mustRun("cc", ["-O2", "-o", load, new URL("bench_load.c", import.meta.url).pathname]);
  const rules = place.file("rules.yaml");
  await Deno.writeTextFile(rules, ruleOf());
  await using _counting = await countRuns();
  const kinds = KINDS.filter(([kind]) => only.length === 0 || only.includes(kind));
  const { BASE } = Deno.env.toObject();
  const sakers = [["saker", SAKER], ...(BASE ? [["base", BASE]] : [])] as [string, string][];
  const columns: { readonly head: string; readonly ns: number[] }[] = [];
  for (const [head, asked] of [["default rules", []], ["all asked for", ["-r", rules]]] as const) {
    for (const [name, binary] of sakers) {
      columns.push({
        head: `${name}, ${head}`,
        ns: await measured(binary, asked, kinds, { load, place, ...options }),
      });
    }
  }
  console.log(`| nanoseconds for | ${columns.map(({ head }) => head).join(" | ")} |`);
  console.log(`|---|${columns.map(() => "---|").join("")}`);
  for (const [at, [, what]] of kinds.entries()) {
    console.log(`| ${what} | ${columns.map(({ ns }) => Math.round(ns[at]!)).join(" | ")} |`);
  }
  const load1 = Deno.loadavg()[0]!.toFixed(1);
  console.log(`Linux ${Deno.osRelease()}, load ${load1}, ${new Date().toISOString()}`);
  return 0;
}

function ruleOf(): string {
  const list = ASKED.split(" ").join(", ");
  const condition = `evt.type in (${list}) and proc.name = nobody-here`;
  // JSON is YAML.
  return JSON.stringify([{
    ...{ rule: "Never", desc: "d", condition, output: "o", priority: "NOTICE" },
  }]);
}

async function measured(
  binary: string,
  asked: readonly string[],
  kinds: typeof KINDS,
  options: {
    readonly load: string;
    readonly place: Place;
    readonly rounds: number;
    readonly calls: number;
  },
): Promise<number[]> {
  const { load, place, rounds, calls } = options;
  await using watch = await Watch.start(
    binary,
    (port) => ["--listen", `127.0.0.1:${port}`, ...NUMBERS, ...asked],
    place.marker,
  );
  const least = kinds.map(() => Infinity);
  let before = await nanoseconds(watch.port);
  for (let round = 0; round < rounds; round++) {
    for (const [at, [kind, , share]] of kinds.entries()) {
      const times = Math.max(1, Math.round(calls * share));
      await mustRun(load, ["calls", kind, place.file("file"), `${times}`]);
      const after = await nanoseconds(watch.port);
      least[at] = Math.min(least[at]!, (after - before) / times);
      before = after;
    }
  }
  return least;
}

/** Of all programs together. */
async function nanoseconds(port: number): Promise<number> {
  await sleep(READ_MS);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const samples = [...parseExposition(text)].filter(([name]) => /_run_time_/.test(name))
    .flatMap(([, { samples }]) => samples);
  if (samples.length === 0) throw new Error("saker tells no run-time of its programs");
  return samples.reduce((sum, { value }) => sum + value, 0);
}

/** Has the kernel count for as long as it is held, and not a moment longer. */
async function countRuns(): Promise<AsyncDisposable> {
  const script = "import ctypes, sys\n" +
    "fd = ctypes.CDLL(None).syscall(321, 32, ctypes.byref(ctypes.c_uint(0)), 4)\n" +
    "print(fd, flush=True)\nsys.stdin.read()";
  const child = new Deno.Command(PYTHON, {
    args: ["-I", "-S", "-c", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (Number(new TextDecoder().decode(value)) < 0) throw new Error("the kernel does not count");
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
