// Compiles the kernel module. In: its sources (of which the Rust object is compiled already), the
// headers of a kernel, a directory that is nobody else's. Out: the module's file in it, or why
// there is none.
import { reasonOf } from "../files/reason.ts";
import type { KernelHeaders } from "./kernel_headers.ts";
import type { Tools } from "./tools.ts";

export interface SourceFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface SigningKey {
  /** Files: the key (PEM), or a PKCS#11 URI, and the certificate (DER or PEM). */
  readonly key: string;
  readonly certificate: string;
}

export interface BuildAsk {
  readonly sources: readonly SourceFile[];
  readonly headers: KernelHeaders;
  readonly tools: Tools;
  readonly directory: string;
  readonly path: string;
  readonly signing: SigningKey | undefined;
  /** Told of each step: how many are done, of how many, and what is done now. */
  readonly onStep: (done: number, steps: number, what: string) => void;
}

/** Its name in the kernel, and its file's. */
export const MODULE = "saker";
export const MODULE_FILE = `${MODULE}.ko`;
/** All that make and the compiler said. */
export const LOG_FILE = "build.log";

/** A machine that is busy takes some ten seconds. */
const BUILD_MS = 300_000;
const LOG_BYTES_MAX = 4 << 20;
/** What the kernel's build tells of a module besides its sources: two links, symbols, a file of
 * its own making, types. */
const FURTHER_STEPS = 5;
const STEP = /^ {2}([A-Z]+)(?: \[M\])? +(.*\/)?([^/]+)$/;

/** Throws what went wrong first, in one line. */
export async function buildModule(ask: BuildAsk): Promise<string> {
  const { sources, headers, tools, directory, path, signing, onStep } = ask;
  for (const { name, bytes } of sources) {
    Deno.writeFileSync(`${directory}/${name}`, bytes, { createNew: true, mode: 0o600 });
  }
  const steps = sources.filter(({ name }) => name.endsWith(".c")).length + FURTHER_STEPS;
  let done = 0;
  const { code, log } = await run(tools.make, {
    // Nothing of the caller's: such as MAKEFLAGS, or a language in which errors are no errors.
    env: { PATH: path, LC_ALL: "C", HOME: directory, TMPDIR: directory },
    args: [
      ...["-C", headers.directory, `M=${directory}`, "-j4", "--no-print-directory", "V=0"],
      ...[...tools.variables, "modules"],
    ],
    onLine(line) {
      const step = STEP.exec(line);
      if (step === null) return;
      onStep(done, Math.max(steps, done + 1), `${step[1]} ${step[3]}`);
      done++;
    },
  });
  Deno.writeTextFileSync(`${directory}/${LOG_FILE}`, log, { mode: 0o600 });
  const file = `${directory}/${MODULE_FILE}`;
  if (code !== 0 || !isFile(file)) throw new Error(whatFailed(log, code));
  if (signing !== undefined) await sign(file, ask, signing);
  return file;
}

async function sign(
  file: string,
  { headers, path }: BuildAsk,
  { key, certificate }: SigningKey,
): Promise<void> {
  const program = `${headers.directory}/scripts/sign-file`;
  if (!isFile(program)) {
    throw new Error(`it cannot be signed: the kernel's headers have no scripts/sign-file`);
  }
  for (const named of key.startsWith("pkcs11:") ? [certificate] : [key, certificate]) {
    try {
      Deno.openSync(named).close();
    } catch (error) {
      throw new Error(`it cannot be signed: Cannot read ${named}: ${reasonOf(error)}`);
    }
  }
  const { code, log } = await run(program, {
    env: { PATH: path, LC_ALL: "C" },
    args: ["sha256", key, certificate, file],
    onLine() {},
  });
  if (code !== 0) throw new Error(`it cannot be signed: ${lastLine(log) ?? `exit code ${code}`}`);
}

interface Run {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** Both of the program's streams in one text, as far as it is kept. */
async function run(
  program: string,
  { args, env, onLine }: Run,
): Promise<{ readonly code: number; readonly log: string }> {
  const child = new Deno.Command(program, {
    args: [...args],
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const timer = setTimeout(() => {
    log += "\nerror: it took too long and was ended\n";
    child.kill("SIGTERM");
  }, BUILD_MS);
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      if (log.length < LOG_BYTES_MAX) log += text;
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop()!.slice(-LOG_BYTES_MAX);
      lines.forEach(onLine);
    }
  };
  try {
    await Promise.all([collect(child.stdout), collect(child.stderr)]);
    return { code: (await child.status).code, log };
  } finally {
    clearTimeout(timer);
  }
}

/** The first error that a compiler told, else the last thing that was said. */
function whatFailed(log: string, code: number): string {
  const lines = log.split("\n").map((line) => line.trim());
  const first = lines.find((line) => /\b(?:fatal )?error:|\*\*\* |not found$/i.test(line));
  return first ?? lastLine(log) ?? `make ended with ${code}`;
}

function lastLine(log: string): string | undefined {
  return log.split("\n").map((line) => line.trim()).findLast((line) => line !== "");
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
