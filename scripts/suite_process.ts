// Runs the command of one suite so that nothing which it does can hold up those behind it: what it
// prints goes to a file (a process that is left behind would keep a pipe open for ever), its time
// is bounded, and what it leaves behind is ended.

export interface Bounded {
  readonly command: readonly string[];
  /** What runs it as another user, such as sudo: only that user can end it. */
  readonly as?: readonly string[];
  /** After so long it is ended, with all that it started: by SIGTERM at first. */
  readonly seconds: number;
  /** So much later by SIGKILL. */
  readonly graceSeconds?: number;
  /** Told what is printed, as it comes. */
  readonly onText?: (text: string) => void;
}

export interface Ended {
  readonly output: string;
  readonly code: number;
  readonly isOverdue: boolean;
  /** What was still running when the command had ended: `PID NAME`. It is ended too. */
  readonly left: readonly string[];
}

const GRACE_SECONDS = 20;
/** As timeout(1) says that a command had to be killed. */
const KILLED = 137;
/** A command that not even SIGKILL ends is waited for no longer. */
const UNENDING_SECONDS = 10;
const LOOK_MS = 200;
/** In the environment of what a suite starts: its value tells runs apart. */
const MARK = "SAKER_SUITE_RUN";

/** Never rejects for what the command does; rejects where it cannot be started. */
export async function runBounded(bounded: Bounded): Promise<Ended> {
  const { command, as = [], seconds, graceSeconds = GRACE_SECONDS, onText } = bounded;
  const file = await Deno.makeTempFile({ prefix: "saker-suite-" });
  const mark = crypto.randomUUID();
  try {
    const timed = [...as, "timeout", "-k", `${graceSeconds}`, `${seconds}`, ...command];
    const child = new Deno.Command("bash", {
      args: ["-c", 'out=$1; shift; exec "$@" >"$out" 2>&1', "bash", file, ...timed],
      env: { NO_COLOR: "1", [MARK]: mark },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const start = performance.now();
    const limit = seconds + graceSeconds + UNENDING_SECONDS;
    const code = await exitCode(child, limit, follow(file, onText));
    const isOverdue = performance.now() - start >= seconds * 1000;
    const left = await endAll(mark);
    return { output: await Deno.readTextFile(file), code: code ?? KILLED, isOverdue, left };
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}

/** Undefined where there is none within the limit. */
async function exitCode(
  child: Deno.ChildProcess,
  limitSeconds: number,
  look: () => Promise<void>,
): Promise<number | undefined> {
  let code: number | undefined;
  child.status.then((status) => code = status.code);
  const end = performance.now() + limitSeconds * 1000;
  while (code === undefined && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    await look();
  }
  await look();
  return code;
}

/** Reads on in a file that others write. */
function follow(file: string, onText: Bounded["onText"]): () => Promise<void> {
  let at = 0;
  const decoder = new TextDecoder();
  return async () => {
    if (onText === undefined) return;
    using open = await Deno.open(file);
    await open.seek(at, Deno.SeekMode.Start);
    const buffer = new Uint8Array(65_536);
    for (let read; (read = await open.read(buffer)) !== null; at += read) {
      onText(decoder.decode(buffer.subarray(0, read), { stream: true }));
    }
  };
}

async function endAll(mark: string): Promise<string[]> {
  const left = running(mark);
  let still = left;
  for (let round = 0; round < 10 && still.length > 0; round++) {
    for (const { pid } of still) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    still = running(mark);
  }
  return left.map(({ pid, name }) => `${pid} ${name}`);
}

interface Process {
  readonly pid: number;
  readonly name: string;
}

/**
 * The processes that have the mark in their environment, of which nothing else is looked at. Those
 * of another user are seen by root alone.
 */
function running(mark: string): Process[] {
  const found: Process[] = [];
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const variables = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
      if (!variables.includes(`${MARK}=${mark}`)) continue;
      const name = Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
      found.push({ pid: Number(pid), name });
    } catch {
      // Gone, or another user's.
    }
  }
  return found;
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended, or is another user's.
  }
}
