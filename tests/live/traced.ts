// `saker trace` as an ordinary user runs it: the built binary by somebody who has no right beyond
// his own. In: arguments. Out: what it printed, its exit code, its alerts.
import { SAKER } from "./saker.ts";
import { compiled, has, isRoot, type Place } from "./trigger.ts";

/** Nobody's ids. */
const NOBODY = 65_534;

/** A command line that makes what follows it run as nobody, without any capability. */
export const AS_NOBODY: readonly string[] = isRoot()
  ? [
    ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
    ...["--inh-caps=-all", "--bounding-set=-all"],
  ]
  : [];

export const CAN_BE_NOBODY = !isRoot() || has("setpriv");

/** The executable where anybody may execute it: a clone may lie in somebody's home. */
export async function reachableSaker(place: Place): Promise<string> {
  const copy = place.file("saker");
  await Deno.copyFile(SAKER, copy);
  await Deno.chmod(copy, 0o755);
  await Deno.chmod(place.path, 0o777);
  await Deno.mkdir(place.file("home"));
  if (isRoot()) await Deno.chown(place.file("home"), NOBODY, NOBODY);
  return copy;
}

export interface Traced {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard error that are alerts. */
  readonly alerts: readonly TracedAlert[];
}

export interface TracedAlert {
  readonly rule: string;
  readonly output_fields: Readonly<Record<string, unknown>>;
}

/** A trace that runs. */
export class Trace {
  readonly child: Deno.ChildProcess;
  /** What it has told on standard error so far. */
  told = "";
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<void>;

  /** `through`: a command that runs what its further arguments say. */
  constructor(place: Place, args: readonly string[], through: readonly string[] = []) {
    const [program, ...before] = [...AS_NOBODY, ...through, place.file("saker")];
    this.child = new Deno.Command(program!, {
      args: [...before, "trace", ...args],
      cwd: place.path,
      env: { HOME: place.file("home"), TMPDIR: "/tmp" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Response(this.child.stdout).text();
    this.#stderr = this.#listen();
  }

  async ended(): Promise<Traced> {
    const { code } = await this.child.status;
    const [stdout] = await Promise.all([this.#stdout, this.#stderr]);
    const stderr = this.told;
    const alerts = stderr.split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as TracedAlert);
    return { code, stdout, stderr, alerts };
  }

  async #listen(): Promise<void> {
    for await (const text of this.child.stderr.pipeThrough(new TextDecoderStream())) {
      this.told += text;
    }
  }
}

/** Runs a trace to its end. */
export async function traced(place: Place, ...args: string[]): Promise<Traced> {
  return await new Trace(place, args).ended();
}

/** A program of tests/live/triggers where nobody can execute it. */
export async function reachableTrigger(place: Place, name: string): Promise<string> {
  const program = await compiled(place, name, ["-pthread"]);
  await Deno.chmod(program, 0o755);
  return program;
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^\d+ \(.*\) [ZX]/s.test(stat);
  } catch {
    return false;
  }
}

/** Who traces a process; 0: nobody. */
export function tracerOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^TracerPid:\s*(\d+)/m.exec(status)![1]);
}
