// One run of the built saker under limits: arguments come in, what was wrong with how it ended goes
// out. Right is: it ends in time by itself with 0 or 1, within its memory, and what it says is in
// words, not a panic or a stack of the runtime, and steers no terminal.

export interface Limits {
  readonly seconds: number;
  readonly megabytes: number;
}

export interface Trial {
  readonly fault: string | undefined;
  readonly seconds: number;
  readonly megabytes: number;
}

const POLL_MS = 20;

export async function trial(
  saker: string,
  args: readonly string[],
  limits: Limits,
): Promise<Trial> {
  const child = new Deno.Command(saker, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let megabytes = 0;
  let cut: string | undefined;
  const startedMs = performance.now();
  const poll = setInterval(() => {
    megabytes = Math.max(megabytes, peakOf(child.pid));
    if (megabytes > limits.megabytes) cut = `takes more than ${limits.megabytes} MB`;
    else if (secondsSince(startedMs) > limits.seconds) cut = `takes more than ${limits.seconds} s`;
    else return;
    clearInterval(poll);
    child.kill("SIGKILL");
  }, POLL_MS);
  const [status, , stderr] = await Promise.all([
    child.status,
    drained(child.stdout),
    new Response(child.stderr).text(),
  ]);
  clearInterval(poll);
  return { fault: cut ?? endFault(status, stderr), seconds: secondsSince(startedMs), megabytes };
}

function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}

function endFault(status: Deno.CommandStatus, stderr: string): string | undefined {
  if (status.signal !== null) return `ended by ${status.signal}: ${firstLine(stderr)}`;
  if (status.code !== 0 && status.code !== 1) return `exit code ${status.code}`;
  return textFault(stderr) ??
    (status.code === 1 && !stderr.includes("Error: ") ? "exit code 1 without a reason" : undefined);
}

/** What must not be read in anything that saker says. */
export function textFault(text: string): string | undefined {
  const bad = /panicked|Stack backtrace|^ {4}at |Uncaught|os error|mistake in saker/m.exec(text);
  if (bad !== null) return `says "${firstLine(text.slice(bad.index))}"`;
  // deno-lint-ignore no-control-regex -- These steer terminals.
  const control = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/.exec(text);
  if (control === null) return undefined;
  return `says a control character, ${control[0].charCodeAt(0)}`;
}

/** The most memory that the process had so far. */
export function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function drained(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.slice(0, 200);
}
