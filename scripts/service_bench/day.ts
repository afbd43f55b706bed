// A day of a service in short: saker watches while a host works and a storm of numbered files goes
// on; every "minute" its configuration is read anew, with other outputs every second time and a
// broken one every fourth, and the receiver of its alerts is gone for a third of it. In: how long a
// minute is, and how many. Out: what saker held at the end of each, and what became of the alerts.
import { Storm, stormNumber, stormRule } from "../../tests/live/storm.ts";
import type { Place } from "../../tests/live/trigger.ts";
import { sleep, type Usage, Watch } from "../live_bench/watchers.ts";

export interface DayOptions {
  readonly binary: string;
  readonly minutes: number;
  readonly minuteMs: number;
  /** Beside the storm's. */
  readonly rules: readonly string[];
  /** Runs until it is told to end. */
  readonly work?: (isOver: () => boolean) => Promise<void>;
  readonly onMinute: (minute: number, held: Held) => void;
}

export interface Held extends Usage {
  /** Files of its spool that hold alerts, and what it has in its temporary directory. */
  readonly files: number;
  readonly reloads: number;
  readonly refusals: number;
}

export interface Evening {
  /** Numbers of the files that were created and that an output never told of. */
  readonly missing: Readonly<Record<"file" | "http", readonly number[]>>;
  readonly created: number;
  /** Outputs that are not well, or have something waiting. */
  readonly unwell: readonly string[];
  readonly complaints: readonly string[];
}

/** Sixty files a second: what a busy machine can take by far. */
const STORM = { together: 3, pauseMs: 50 };
const PATIENCE_MS = 90_000;

export async function liveDay(place: Place, options: DayOptions): Promise<Evening> {
  const { minutes, minuteMs } = options;
  const web = receiver();
  const config = place.file("saker.yaml");
  const rules = place.file("rules.yaml");
  for (const name of ["spool", "tmp"]) Deno.mkdirSync(place.file(name), { mode: 0o700 });
  const write = (minute: number) => {
    Deno.writeTextFileSync(rules, stormRule(`Numbered ${minute}`, place));
    Deno.writeTextFileSync(config, configOf(place, minute, web.url, [...options.rules, rules]));
  };
  write(0);
  let isOver = false;
  let created: number;
  let unwell: string[];
  try {
    await using watch = await Watch.start(
      options.binary,
      (port) => ["--listen", `127.0.0.1:${port}`, "-c", config],
      place.marker,
      { TMPDIR: place.file("tmp") },
    );
    const look = async () => ({
      ...await watch.usage(),
      files: filesOf(place),
      ...await reloadsOf(watch),
    });
    const working = options.work?.(() => isOver);
    {
      await using storm = Storm.start(place, STORM);
      const begunAt = performance.now();
      options.onMinute(0, await look());
      for (let minute = 1; minute <= minutes; minute++) {
        const until = begunAt + minute * minuteMs;
        await web.cut(minute % 2 === 0 ? 503 : "off");
        await sleep(minuteMs / 3);
        await web.cut(200);
        if (minute % 4 === 0) {
          Deno.writeTextFileSync(rules, "- rule: Broken\n");
          await reload(watch, 422);
        }
        write(minute);
        await reload(watch, 200);
        await sleep(Math.max(0, until - performance.now()));
        options.onMinute(minute, await look());
      }
      created = await storm.end();
    }
    isOver = true;
    await working;
    unwell = await settled(watch, () => web.numbers().has(created));
    // What is left of the last minute has been written when saker has ended.
    options.onMinute(minutes + 1, await look());
  } finally {
    isOver = true;
    await web.close();
  }
  const told = { file: inFile(place, web.complaints), http: web.numbers() };
  const missing = (numbers: ReadonlySet<number>) =>
    Array.from({ length: created }, (_, at) => at + 1).filter((number) => !numbers.has(number));
  return {
    missing: { file: missing(told.file), http: missing(told.http) },
    created,
    unwell,
    complaints: web.complaints,
  };
}

/** Every second one differs in how its outputs write. */
function configOf(place: Place, minute: number, url: string, rules: readonly string[]): string {
  return `
rules_files: [${rules.join(", ")}]
rule_matching: all
watch_config_files: false
json_output: true
time_format_iso_8601: ${minute % 2 === 1}
stdout_output: {enabled: false}
file_output: {enabled: true, keep_alive: ${minute % 3 === 0}, filename: ${place.file("alerts")}}
program_output: {enabled: true, keep_alive: true, program: "cat > /dev/null"}
http_output: {enabled: true, url: "${url}"}
spool: {enabled: true, directory: ${place.file("spool")}, max_mb: 64}
`;
}

/** Waits until all outputs are well and nothing waits; those that are not, after a while. */
async function settled(watch: Watch, isComplete: () => boolean): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const outputs = (await watch.ask("/status") as { outputs: OutputStatus[] }).outputs;
    const unwell = outputs.filter(({ state, waiting }) => state !== "ok" || waiting > 0);
    if (unwell.length === 0 && isComplete()) return [];
    if (performance.now() > until) {
      return unwell.map(({ name, state, waiting }) => `${name} is ${state}, ${waiting} wait`);
    }
    await sleep(200);
  }
}

interface OutputStatus {
  readonly name: string;
  readonly state: string;
  readonly waiting: number;
}

/** Asks for a reload and waits for what comes of it: it is taken (200), or refused (422). */
async function reload(watch: Watch, wanted: 200 | 422): Promise<void> {
  const counted = async () => {
    const { reloads, refusals } = await reloadsOf(watch);
    return wanted === 200 ? reloads : refusals;
  };
  const before = await counted();
  const until = performance.now() + PATIENCE_MS;
  const url = `http://127.0.0.1:${watch.port}/reload`;
  const response = await fetch(url, { method: "POST" });
  const text = await response.text();
  // 202: a busy machine takes longer than an answer waits.
  if (response.status !== wanted && response.status !== 202) {
    throw new Error(`POST /reload is answered ${response.status}, not ${wanted}: ${text}`);
  }
  while (await counted() === before) {
    if (performance.now() > until) throw new Error(`no reload comes to its end: ${text}`);
    await sleep(100);
  }
}

async function reloadsOf(watch: Watch): Promise<{ reloads: number; refusals: number }> {
  const { reload } = await watch.ask("/status") as {
    reload: { generation: number; refusals: number };
  };
  return { reloads: reload.generation - 1, refusals: reload.refusals };
}

function filesOf(place: Place): number {
  const walk = (directory: string): number =>
    [...Deno.readDirSync(directory)].reduce((sum, { name, isDirectory }) => {
      const path = `${directory}/${name}`;
      return sum + (isDirectory ? walk(path) : name.endsWith(".seg") ? 1 : 0);
    }, 0);
  return walk(place.file("spool")) + [...Deno.readDirSync(place.file("tmp"))].length;
}

/** Numbers that whole lines of the file tell of; every line is whole. */
function inFile(place: Place, complaints: string[]): Set<number> {
  const lines = Deno.readTextFileSync(place.file("alerts")).split("\n");
  if (lines.pop() !== "") complaints.push("the last line of the file is cut off");
  return new Set(lines.flatMap((line) => numbered(line, complaints)));
}

function numbered(line: string, complaints: string[]): number[] {
  try {
    const alert = JSON.parse(line) as { rule: string; output: string };
    return alert.rule.startsWith("Numbered") ? [stormNumber(alert)] : [];
  } catch (error) {
    if (complaints.length < 10) complaints.push(`${(error as Error).message}: ${line}`);
    return [];
  }
}

/** A receiver that can be told to refuse, or to be gone, with its connections. */
function receiver() {
  const taken = new Set<number>();
  const complaints: string[] = [];
  let answer: number | "off" = 200;
  const where = { hostname: "127.0.0.1", onListen() {} };
  const take = async (request: Request) => {
    const text = await request.text().catch(() => undefined);
    const status = answer === "off" ? 503 : answer;
    if (status === 200 && text !== undefined) {
      for (const number of numbered(text, complaints)) taken.add(number);
    }
    return new Response(null, { status: text === undefined ? 400 : status });
  };
  let stop = new AbortController();
  let server = Deno.serve({ ...where, port: 0, signal: stop.signal }, take);
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}/`,
    complaints,
    numbers: (): ReadonlySet<number> => taken,
    async cut(next: number | "off"): Promise<void> {
      const before = answer;
      answer = next;
      if (next === "off") {
        stop.abort();
        await server.finished;
      } else if (before === "off") {
        stop = new AbortController();
        server = Deno.serve({ ...where, port, signal: stop.signal }, take);
      }
    },
    async close(): Promise<void> {
      stop.abort();
      await server.finished;
    },
  };
}
