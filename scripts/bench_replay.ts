// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// How fast captures go through source, tables and rules, and what memory that takes: ten million
// events without rules and with them, tables of growing size, and more than the tables may hold.
import { measure, type Measured } from "./replay_bench/measure.ts";
import { profile } from "./replay_bench/profile.ts";
import { Workload } from "./replay_bench/workload.ts";

const USAGE = `usage: scripts/bench replay [--events N] [--rules DIR] [--only WHAT] [capture ...]
  --events N    events of the capture that is made (10000000)
  --rules DIR   where Falco's official files are (../shared/rules)
  --only WHAT   speed, growth, bound or profile
  capture ...   captures to measure instead of the one that is made`;

interface Options {
  events: number;
  rules: string;
  only: string | undefined;
  captures: string[];
}

const OFFICIAL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
/** Events of the mix that are made; the capture repeats them. */
const ROUND = 250_000;
const RUNS = 3;
const MIB = 1 << 20;

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "--one") return one(args.slice(1));
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  const directory = Deno.makeTempDirSync({ prefix: "saker-bench-" });
  try {
    const wants = (what: string) => options.only === undefined || options.only === what;
    if (wants("speed")) await speed(options, directory);
    if (wants("growth")) await growth(directory);
    if (wants("bound")) await bound(directory);
    if (wants("profile")) await hot(options, directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  return 0;
}

/** The measurement itself, in a process of its own, so that memory is its alone. */
function one(args: readonly string[]): number {
  const hold = args[0] === "--hold";
  const [capture, ...rules] = hold ? args.slice(1) : args;
  const measured = measure(capture!, rules);
  if (hold) {
    console.log("DONE");
    setTimeout(() => {}, 60_000);
  } else console.log(JSON.stringify(measured));
  return 0;
}

async function speed(options: Options, directory: string): Promise<void> {
  const captures = options.captures.length > 0
    ? options.captures
    : [mixedCapture(`${directory}/mixed.scap`, options.events)];
  const official = OFFICIAL.map((name) => `${options.rules}/${name}`).filter(exists);
  const own = [...Deno.readDirSync("rules")].map(({ name }) => `rules/${name}`)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("_test.yaml")).sort();
  const sets: [name: string, files: string[]][] = [["no rules", []], ["our rules", own]];
  if (official.length > 0) sets.push(["falco_rules.yaml", official.slice(0, 1)]);
  if (official.length > 1) sets.push(["all three official files", official]);
  for (const capture of captures) {
    for (const [name, files] of sets) {
      row(`${capture.split("/").at(-1)}, ${name}`, await best(capture, files));
    }
  }
}

async function growth(directory: string): Promise<void> {
  const path = `${directory}/tables.scap`;
  for (const [processes, descriptors] of [[100, 10], [10_000, 10], [100_000, 10], [100, 1000]]) {
    const workload = new Workload();
    workload.begin();
    workload.tables(processes!, descriptors!);
    write(path, workload);
    const before = await best(path, [], 1);
    workload.spread(processes!, 500_000);
    write(path, workload);
    const after = await best(path, []);
    const bytes = after.residentBytes - after.startBytes;
    row(`${processes} processes x ${descriptors} descriptors`, {
      ...after,
      events: after.events - before.events,
      seconds: after.seconds - before.seconds,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    });
    console.log(`    the tables take ${(bytes / processes!).toFixed(0)} bytes a process`);
  }
}

const MILLION = 1_000_000;
const CHUNK = 10_000;

/** More processes than the tables may hold, and a million descriptors, few or many in a process. */
async function bound(directory: string): Promise<void> {
  const path = `${directory}/million.scap`;
  await boundRow(path, "a million processes x 3 descriptors", (workload, index) => {
    const tid = 100_000 + index;
    workload.born(tid, 1);
    for (let fd = 3; fd < 6; fd++) workload.open(tid, fd, -100, `/srv/${tid}/${fd}`, 1);
  });
  await boundRow(path, "one process x a million descriptors", (workload, index) => {
    workload.open(101, index, -100, `/srv/${index}`, 1);
  });
}

async function boundRow(
  path: string,
  name: string,
  put: (workload: Workload, index: number) => void,
): Promise<void> {
  const workload = new Workload();
  workload.begin();
  workload.born(101, 1);
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  for (let begun = 0; begun < MILLION; begun += CHUNK) {
    for (let index = 0; index < CHUNK; index++) put(workload, begun + index);
    putAll(file, workload.out.bytes);
    workload.out.clear();
  }
  file.close();
  const measured = await best(path, [], 1);
  row(name, measured);
  const { threads, threadsRefused, fds, fdsRefused, strings, stringsFreed } = measured.stats;
  console.log(
    `    ${threads} threads held, ${threadsRefused} refused; ${fds} descriptors held, ` +
      `${fdsRefused} refused; ${strings} strings held, ${stringsFreed} freed`,
  );
}

async function hot(options: Options, directory: string): Promise<void> {
  const capture = options.captures[0] ??
    mixedCapture(`${directory}/mixed.scap`, Math.min(options.events, 5_000_000));
  console.log("Where the time goes, without rules:");
  const script = new URL(import.meta.url).pathname;
  for (const line of await profile([script, "--one", "--hold", capture], 9379)) console.log(line);
}

function mixedCapture(path: string, events: number): string {
  const workload = new Workload();
  workload.begin();
  const head = workload.out.bytes.slice();
  workload.out.clear();
  workload.mixed(ROUND);
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  putAll(file, head);
  for (let written = 0; written < events; written += workload.events) {
    putAll(file, workload.out.bytes);
  }
  file.close();
  return path;
}

function write(path: string, workload: Workload): void {
  Deno.writeFileSync(path, workload.out.bytes);
}

function putAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** The run with the least CPU of several. */
async function best(capture: string, rules: readonly string[], runs = RUNS): Promise<Measured> {
  let found: Measured | undefined;
  for (let run = 0; run < runs; run++) {
    const script = new URL(import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", script, "--one", capture, ...rules],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const measured: Measured = JSON.parse(new TextDecoder().decode(stdout));
    if (found === undefined || measured.cpuSeconds < found.cpuSeconds) found = measured;
  }
  return found!;
}

function row(
  name: string,
  { events, seconds, cpuSeconds, residentBytes, matches }: Measured,
): void {
  console.log(
    `${name.padEnd(48)} ${(events / seconds / 1e6).toFixed(2).padStart(6)} M events/s  ` +
      `${(cpuSeconds / events * 1e6).toFixed(3)} us CPU an event  ` +
      `${(residentBytes / MIB).toFixed(0).padStart(5)} MiB  ${matches} matches`,
  );
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = {
    events: 10_000_000,
    rules: "../shared/rules",
    only: undefined,
    captures: [],
  };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith("--")) {
      options.captures.push(word);
      continue;
    }
    const value = args[++at];
    if (value === undefined) return undefined;
    if (word === "--events" && Number(value) > 0) options.events = Number(value);
    else if (word === "--rules") options.rules = value;
    else if (word === "--only" && ["speed", "growth", "bound", "profile"].includes(value)) {
      options.only = value;
    } else return undefined;
  }
  return options;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
