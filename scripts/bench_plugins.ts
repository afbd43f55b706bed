// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Events a second and CPU of the same audit events through saker's own source, through a plugin in
// C and one in TypeScript, each in saker's process and in one of its own, and through given ones.
// In: a file of audit events, one a line. Out: one line for each way, in turn, with its share of
// the first.
import { SAKER } from "../tests/live/saker.ts";
import { cPlugin } from "../tests/plugins/build.ts";
import { timed, type Times } from "./live_bench/workloads.ts";

const USAGE = `usage: scripts/bench plugins [options]
  --log FILE     audit events, one a line, .gz or plain (../shared/audit/public.jsonl.gz)
  --times N      the file so often (200)
  --rounds N     runs of each, in turn (3)
  --rules FILE   rules on them (default: three on their fields, one of which matches)
  SAKER_TEST_PLUGINS=DIR  besides: Falco's own libk8saudit.so and libjson.so of that directory`;

const TYPESCRIPT = new URL("./plugins_bench/audit_lines.ts", import.meta.url).pathname;

/** Asked of every event: two fields by column, a third where those hold. */
const RULES = `
- rule: Deleted
  desc: d
  condition: ka.verb = delete and ka.stage = ResponseComplete
  output: Deleted (user=%ka.user.name name=%ka.target.name)
  priority: NOTICE
  source: k8s_audit
- rule: Exec
  desc: d
  condition: ka.target.subresource = exec and ka.user.name startswith nobody
  output: Exec (user=%ka.user.name name=%ka.target.name)
  priority: NOTICE
  source: k8s_audit
- rule: Path
  desc: d
  condition: ka.uri startswith /nowhere
  output: Path (uri=%ka.uri)
  priority: NOTICE
  source: k8s_audit
`;

interface Options {
  readonly log: string;
  readonly times: number;
  readonly rounds: number;
  readonly rules: string | undefined;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "saker-bench-" });
  try {
    const text = await textOf(options.log);
    const log = `${directory}/audit.jsonl`;
    await write(log, text, options.times);
    const events = text.split("\n").filter((line) => line !== "").length * options.times;
    const bytes = (await Deno.stat(log)).size;
    console.log(`${events} events, ${Math.round(bytes / 1e6)} MB, rounds: ${options.rounds}`);
    const rules = options.rules ?? `${directory}/rules.yaml`;
    if (options.rules === undefined) await Deno.writeTextFile(rules, RULES);
    const ways = await waysOf(directory, log);
    const runs = ways.map((): Times[] => []);
    for (let round = 0; round < options.rounds; round++) {
      for (const [at, [, config]] of ways.entries()) {
        const given = ["-c", config, "-r", rules, "--enable-source=k8s_audit"];
        const quiet = ["-o", "stdout_output.enabled=false", "-o", "file_output.enabled=true"];
        const output = ["-o", "file_output.filename=/dev/null", "-o", "webserver.enabled=false"];
        runs[at]!.push(await timed(SAKER, [...given, ...quiet, ...output]));
      }
    }
    for (const [at, [name]] of ways.entries()) tell(name, events, runs[at]!, runs[0]!);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return 0;
}

/** Ways through saker, and the configuration of each. */
async function waysOf(directory: string, log: string): Promise<[name: string, config: string][]> {
  const library = await cPlugin("audit_lines");
  const entries: [string, string[]][] = [
    ["built in", [`{name: k8saudit, open_params: ${log}}`]],
    ["C, in saker's process", [entry(library, log, "builtin: false, in_process: true")]],
    ["C, in its own process", [entry(library, log, "builtin: false")]],
    ["TypeScript, in a thread of its own", [
      entry(TYPESCRIPT, log, `builtin: false, permissions: {read: ["${log}"]}`),
    ]],
    ["TypeScript, in its own process", [
      entry(
        TYPESCRIPT,
        log,
        `builtin: false, in_process: false, permissions: {read: ["${log}"]}`,
      ),
    ]],
  ];
  const given = Deno.env.get("SAKER_TEST_PLUGINS") ?? "";
  if (given !== "") {
    const json = `{name: json, library_path: ${given}/libjson.so, builtin: false}`;
    const falcos = entry(`${given}/libk8saudit.so`, log, "builtin: false");
    entries.push(["Falco's k8saudit and json, in their own processes", [falcos, json]]);
    const here = [falcos, json].map((one) => one.replace("false", "false, in_process: true"));
    entries.push(["Falco's k8saudit and json, in saker's process", here]);
  }
  return entries.map(([name, plugins], at) => {
    const config = `${directory}/falco${at}.yaml`;
    Deno.writeTextFileSync(config, `plugins:\n${plugins.map((one) => `  - ${one}\n`).join("")}`);
    return [name, config];
  });
}

function entry(library: string, log: string, more: string): string {
  return `{name: k8saudit, library_path: ${library}, open_params: ${log}, ${more}}`;
}

function tell(name: string, events: number, runs: readonly Times[], first: readonly Times[]) {
  const cpu = median(runs.map((one) => one.cpu));
  const wall = median(runs.map((one) => one.wall));
  const ratio = median(runs.map((one, round) => one.cpu / first[round]!.cpu));
  console.log(
    `${name.padEnd(50)} ${Math.round(events / wall)} events/s, CPU ${cpu.toFixed(2)} s ` +
      `(x${ratio.toFixed(2)})`,
  );
}

async function textOf(path: string): Promise<string> {
  const { readable } = await Deno.open(path);
  const plain = path.endsWith(".gz")
    ? readable.pipeThrough(new DecompressionStream("gzip"))
    : readable;
  const text = await new Response(plain).text();
  return text.endsWith("\n") ? text : `${text}\n`;
}

async function write(path: string, text: string, times: number): Promise<void> {
  using file = await Deno.create(path);
  const bytes = new TextEncoder().encode(text);
  for (let time = 0; time < times; time++) {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!;
}

function parse(args: readonly string[]): Options | undefined {
  const given: Record<string, string> = {};
  for (let at = 0; at < args.length; at += 2) {
    const name = /^--(log|times|rounds|rules)$/.exec(args[at]!)?.[1];
    if (name === undefined || args[at + 1] === undefined) return undefined;
    given[name] = args[at + 1]!;
  }
  const log = given["log"] ?? "../shared/audit/public.jsonl.gz";
  const [times, rounds] = [Number(given["times"] ?? 200), Number(given["rounds"] ?? 3)];
  if (!(times >= 1 && rounds >= 1)) return undefined;
  return { log, times, rounds, rules: given["rules"] };
}

Deno.exit(await main(Deno.args));
