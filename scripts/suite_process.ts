// Runs the command of one suite so that nothing which it does can hold up those behind it: what it
// prints goes to a file (a process that is left behind would keep a pipe open for ever), its time
// is bounded, and what it leaves behind is ended.

export interface Bounded {
  readonly command: readonly string[];
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
const LOOK_MS = 200;
/** In the environment of what a suite starts: its value tells runs apart. */
const MARK = "SAKER_SUITE_RUN";

/** Never rejects for what the command does; rejects where it cannot be started. */
export async function runBounded(bounded: Bounded): Promise<Ended> {
  const { command, onText } = bounded;
  const file = await Deno.makeTempFile({ prefix: "saker-suite-" });
  const mark = crypto.randomUUID();
  try {
    const [program, ...args] = command;
    const child = new Deno.Command("bash", {
      args: ["-c", 'out=$1; shift; exec "$@" >"$out" 2>&1', "bash", file, program!, ...args],
      env: { NO_COLOR: "1", [MARK]: mark },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const { code, isOverdue } = await within(child, mark, bounded, follow(file, onText));
    const left = await endAll(mark);
    return { output: await Deno.readTextFile(file), code, isOverdue, left };
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}

async function within(
  child: Deno.ChildProcess,
  mark: string,
  { seconds, graceSeconds = GRACE_SECONDS }: Bounded,
  look: () => Promise<void>,
): Promise<{ code: number; isOverdue: boolean }> {
  let code: number | undefined;
  child.status.then((status) => code = status.code);
  const start = performance.now();
  const isOver = (limit: number) => performance.now() - start > limit * 1000;
  let isTold = false;
  while (code === undefined && !isOver(seconds + graceSeconds)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    await look();
    if (code === undefined && !isTold && isOver(seconds)) {
      isTold = true;
      signal(running(mark), "SIGTERM");
    }
  }
  if (code === undefined) signal(running(mark), "SIGKILL");
  await look();
  return { code: code ?? 1, isOverdue: isTold };
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
  for (let round = 0; round < 10 && running(mark).length > 0; round++) {
    signal(running(mark), "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
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

function signal(processes: readonly Process[], name: Deno.Signal): void {
  for (const { pid } of processes) {
    try {
      Deno.kill(pid, name);
    } catch {
      // It has ended, or is another user's.
    }
  }
}
