// For tests of outputs as whole processes: a directory with a capture of so many opened files, a
// rule that tells of each, and saker replaying it. What an output got is held against the numbers
// of the alerts.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { writeCapture } from "../capture_file.ts";

export { eventually, freePort } from "../patience.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

const RULES = `
- rule: Opened
  desc: A file was opened.
  condition: evt.type = openat and fd.name startswith /opened/
  output: Opened %fd.name by %thread.tid
  priority: NOTICE
`;

export class OutputsPlace implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "saker-outputs-" });

  constructor() {
    Deno.writeTextFileSync(this.file("rules.yaml"), RULES);
  }

  file(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** A capture that gives so many alerts, of the files `from` to `to`. */
  capture(from: number, to: number): string {
    const path = this.file(`${from}-${to}.scap`);
    const opened = Array.from({ length: to - from }, (_, at) => ({ path: `/opened/${from + at}` }));
    writeCapture(path, opened);
    return path;
  }

  /** Saker replays the capture with these options (`-o`). */
  replay(capture: string, options: readonly string[]): Deno.ChildProcess {
    const all = ["json_output=true", "stdout_output.enabled=false", ...options];
    return new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "-A", MAIN, "-r", this.file("rules.yaml")],
        ...all.flatMap((option) => ["-o", option]),
        ...["replay", capture],
      ],
      env: { TZ: "UTC", NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async replayed(capture: string, options: readonly string[]): Promise<Ended> {
    const { code, stdout, stderr } = await this.replay(capture, options).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
  }

  /** Options of a spool in this place. */
  spool(max_mb = 64): string {
    return `spool={enabled: true, directory: ${this.file("spool")}, max_mb: ${max_mb}}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Numbers of the files that lines of JSON tell of; each line is whole. */
export function openedIn(text: string): number[] {
  ok(text === "" || text.endsWith("\n"), "the last line is whole");
  return text.split("\n").slice(0, -1).map(opened);
}

export function opened(line: string): number {
  const alert = JSON.parse(line.slice(line.indexOf("{")));
  strictEqual(alert.rule, "Opened");
  return Number(alert.output_fields["fd.name"].slice("/opened/".length));
}

/** They are all from the first to the last, in order, each once. */
export function inOrder(numbers: readonly number[], from: number, to: number): void {
  const wrong = numbers.findIndex((number, at) => number !== from + at);
  const around = numbers.slice(Math.max(0, wrong - 2), wrong + 3);
  deepStrictEqual(wrong, -1, `the one at ${wrong} is wrong: ${around}`);
  strictEqual(numbers.length, to - from);
}

/** A web server that answers as it is told; `taken` holds the numbers that it answered 200 to. */
export function receiver(status: (at: number) => number | Promise<number>, port = 0) {
  const taken: number[] = [];
  let asked = 0;
  const stop = new AbortController();
  const where = { hostname: "127.0.0.1", port, onListen() {}, signal: stop.signal };
  const server = Deno.serve(where, async (request) => {
    const number = opened(await request.text());
    const answer = await status(asked++);
    if (answer === 200) taken.push(number);
    return new Response(null, { status: answer });
  });
  return {
    taken,
    url: `http://127.0.0.1:${server.addr.port}/`,
    port: server.addr.port,
    /** Cuts its connections off. */
    async abort(): Promise<void> {
      stop.abort();
      await server.finished;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
