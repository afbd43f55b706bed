// Saker from this checkout as a whole process: arguments come in, what it wrote and its exit code
// go out. Needs no root and no build.
const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

export interface Ending {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

export interface MainOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** For standard input, which is empty otherwise. */
  readonly input?: Uint8Array;
  /** The caller writes to standard input. */
  readonly isFed?: boolean;
}

export function spawnMain(
  args: readonly string[],
  { env = {}, input, isFed = input !== undefined }: MainOptions = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    env: { TZ: "UTC", NO_COLOR: "1", ...env },
    stdin: isFed ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs it to its end. */
export async function runMain(
  args: readonly string[],
  options: MainOptions = {},
): Promise<Ending> {
  const child = spawnMain(args, options);
  const fed = options.input === undefined ? undefined : feed(child, options.input);
  const { code, stdout, stderr } = await child.output();
  await fed;
  return {
    code,
    out: new TextDecoder().decode(stdout),
    error: new TextDecoder().decode(stderr),
  };
}

async function feed(child: Deno.ChildProcess, input: Uint8Array): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(input));
  await writer.close();
}
