// The built binary under test: starts dist/saker on a free port, collects the alerts that it
// writes, asks for its health, ends it by its process id.
//
// Saker sees the whole machine. Tests look only at alerts that carry their own marker, and no
// other alert is kept or shown.
import { eventually, freePort } from "../patience.ts";
import { assert } from "./expect.ts";
import { isFile } from "./trigger.ts";

export { eventually, freePort };

export const SAKER = new URL("../../dist/saker", import.meta.url).pathname;

export interface Alert {
  readonly rule: string;
  readonly priority: string;
  readonly output: string;
  readonly output_fields: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly tags: readonly string[];
  readonly time: string;
  readonly hostname: string;
}

export interface Health {
  readonly status: number;
  readonly body: { readonly status: string; readonly reason?: string } & Record<string, unknown>;
}

/** Whether a saker does all that was asked; a busy machine may have cost it events. */
export function isWell(body: { status?: unknown; reason?: unknown } | undefined): boolean {
  return body?.status === "ok" ||
    (body?.status === "degraded" &&
      /^\d+ events were lost, last \d+ s ago$/.test(`${body.reason}`));
}

/** How a run of saker ended. */
export interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly binary?: string;
  /** Where it listens; a free port unless given. */
  readonly port?: number;
  /** A command that runs what its further arguments say. */
  readonly through?: readonly string[];
}

/** A listener that accepts nothing must not hold up a test. */
const ANSWER_MS = 10_000;

/** A saker that watches, from the moment that it says it is well. */
export class Saker implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #alerts: { alert: Alert; text: string }[] = [];
  /** What saker has told on standard error so far. */
  told = "";
  readonly #stderr: Promise<string>;
  readonly #lines: Promise<void>;
  #markers: readonly string[];
  #ended = false;

  private constructor(child: Deno.ChildProcess, port: number, markers: readonly string[]) {
    this.#child = child;
    this.port = port;
    this.#markers = markers;
    this.#stderr = this.#listen();
    this.#lines = this.#collect();
    child.status.then(() => this.#ended = true);
  }

  /** As `start`, without waiting for anything. */
  static launch(markers: readonly string[], options: StartOptions = {}): Saker {
    const port = options.port ?? freePort();
    const args = ["--listen", `127.0.0.1:${port}`, ...options.args ?? []];
    return new Saker(spawn({ ...options, args }), port, markers);
  }

  /** Starts saker; alerts without one of the markers are thrown away as they come. */
  static async start(markers: readonly string[], options: StartOptions = {}): Promise<Saker> {
    const saker = Saker.launch(markers, options);
    try {
      await eventually("saker to be well", async () => {
        if (saker.#ended) throw new Error(`saker ended: ${await saker.#stderr}`);
        return (await saker.health())?.status === 200 ? true : undefined;
      });
    } catch (error) {
      await saker.stop();
      throw error;
    }
    return saker;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The answer of /healthz; undefined while nobody answers. */
  async health(): Promise<Health | undefined> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await fetch(`http://127.0.0.1:${this.port}/healthz`, { signal });
      return { status: response.status, body: await response.json() };
    } catch {
      return undefined;
    }
  }

  /** Alerts so far that carry one of the markers anywhere. */
  alerts(): Alert[] {
    return this.#alerts.map(({ alert }) => alert);
  }

  /** Alerts so far that carry the marker in their fields. */
  alertsWith(marker: string): Alert[] {
    return this.#alerts.filter(({ text }) => text.includes(marker)).map(({ alert }) => alert);
  }

  /** The first alert of the rule that carries the marker. */
  async alert(rule: string, marker: string): Promise<Alert> {
    try {
      return await eventually(
        `an alert of "${rule}"`,
        () => this.alertsWith(marker).find((alert) => alert.rule === rule),
      );
    } catch (error) {
      const others = this.alertsWith(marker).map((alert) => alert.rule);
      throw new Error(
        `no alert of "${rule}"; the trigger's alerts: ${others.join(", ") || "none"}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Ends saker as an administrator would. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ending> {
    if (!this.#ended) this.#child.kill(signal);
    const { code } = await this.#child.status;
    await this.#lines;
    return { code, stdout: "", stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<string> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.told += text;
    }
    return this.told;
  }

  async #collect(): Promise<void> {
    for await (const line of lines(this.#child.stdout)) {
      if (!this.#markers.some((marker) => line.includes(marker))) continue;
      const alert = JSON.parse(line) as Alert;
      this.#alerts.push({ alert, text: JSON.stringify(alert.output_fields) });
    }
  }
}

/** Runs saker to its end. */
export async function runSaker(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ending> {
  const child = spawn({ ...options, args });
  const [{ code }, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

function spawn(options: StartOptions): Deno.ChildProcess {
  const { args = [], env = {}, cwd, binary = SAKER, through = [] } = options;
  assert(isFile(binary), `there is no ${binary}: run scripts/build first`);
  const [program, ...rest] = [...through, binary, ...args];
  return new Deno.Command(program!, {
    args: rest,
    env: { ...env },
    ...cwd === undefined ? {} : { cwd },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The lines of a stream, as they come. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}
