// Who watches while a workload runs: the saker that was built, an older one (BASE=path) and the
// real Falco (FALCO=path). In: their paths and rules files. Out: a running watch that tells its
// CPU time and hands on the alerts that carry a marker.
import { freePort, lines, SAKER } from "../../tests/live/saker.ts";

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMb: number;
  /** Of the resident memory, what no file stands behind. */
  readonly anonymousMb: number;
  readonly descriptors: number;
  readonly threads: number;
  /** What saker alone tells. */
  readonly events: number;
  readonly lost: number;
}

export interface Watcher {
  readonly name: string;
  start(marker: string): Promise<Watch>;
}

/** How long a watcher may take until it sees. */
const PATIENCE_MS = 60_000;

/** Watchers that the environment names, the built saker first. */
export function watchersOf(rules: readonly string[]): Watcher[] {
  const { BASE, FALCO } = Deno.env.toObject();
  const given = rules.flatMap((file) => ["-r", file]);
  const saker = (name: string, binary: string): Watcher => ({
    name,
    start: (marker) =>
      Watch.start(binary, (port) => ["--listen", `127.0.0.1:${port}`, ...given], marker),
  });
  const watchers = [saker("saker", SAKER)];
  if (BASE) watchers.push(saker("base", BASE));
  if (FALCO) {
    const options = (port: number) =>
      ["engine.kind=modern_ebpf", "json_output=true", "webserver.enabled=true"]
        .concat(`webserver.listen_address=127.0.0.1`, `webserver.listen_port=${port}`)
        .flatMap((option) => ["-o", option]);
    watchers.push({
      name: "falco",
      start: (marker) => Watch.start(FALCO, (port) => [...options(port), ...given], marker),
    });
  }
  return watchers;
}

export class Watch implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly port: number;
  readonly #found: string[] = [];
  readonly #read: Promise<void>;

  private constructor(child: Deno.ChildProcess, port: number, marker: string) {
    this.#child = child;
    this.port = port;
    this.#read = this.#collect(marker);
  }

  get pid(): number {
    return this.#child.pid;
  }

  static async start(
    binary: string,
    args: (port: number) => string[],
    marker: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Watch> {
    const port = freePort();
    const child = new Deno.Command(binary, {
      args: args(port),
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const watch = new Watch(child, port, marker);
    const until = performance.now() + PATIENCE_MS;
    while (!await watch.#isWell()) {
      if (performance.now() > until) {
        await watch.stop();
        throw new Error(`${binary} does not say that it is well`);
      }
      await sleep(100);
    }
    await watch.settled();
    return watch;
  }

  /** Whether an alert came whose line holds the text. */
  hasAlert(text: string): boolean {
    return this.#found.some((line) => line.includes(text));
  }

  /** All lines so far that hold the marker. */
  found(): readonly string[] {
    return this.#found;
  }

  async usage(): Promise<Usage> {
    const { pid } = this.#child;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // Behind the name: state is the first field, user and system time the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const body = await this.ask("/healthz").catch(() => undefined);
    const lost = body?.lost as { critical: number; bulk: number } | undefined;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      residentMb: Number(/VmRSS:\s*(\d+)/.exec(status)![1]) / 1024,
      anonymousMb: Number(/RssAnon:\s*(\d+)/.exec(status)![1]) / 1024,
      descriptors: [...Deno.readDirSync(`/proc/${pid}/fd`)].length,
      threads: Number(/Threads:\s*(\d+)/.exec(status)![1]),
      events: body?.events as number ?? NaN,
      lost: lost === undefined ? NaN : lost.critical + lost.bulk,
    };
  }

  /** Waits until it has worked off what happened: next to no CPU for a while, bounded. */
  async settled(): Promise<void> {
    const until = performance.now() + 10_000;
    for (let quiet = 0; quiet < 2 && performance.now() < until;) {
      const before = (await this.usage()).cpuSeconds;
      await sleep(250);
      quiet = (await this.usage()).cpuSeconds - before <= 0.02 ? quiet + 1 : 0;
    }
  }

  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** What it answers, be it well or not. */
  async ask(path: string): Promise<Record<string, unknown>> {
    return await (await fetch(`http://127.0.0.1:${this.port}${path}`)).json();
  }

  async #isWell(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/healthz`);
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  async #collect(marker: string): Promise<void> {
    for await (const line of lines(this.#child.stdout)) {
      if (line.includes(marker)) this.#found.push(line);
    }
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** CPU of the threads that have more priority than others: the engine's, and what it started. */
export async function engineSeconds(pid: number): Promise<number> {
  let seconds = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const stat = await Deno.readTextFile(`/proc/${pid}/task/${name}/stat`).catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[16] === "-10") seconds += (Number(fields[11]) + Number(fields[12])) / 100;
  }
  return seconds;
}
