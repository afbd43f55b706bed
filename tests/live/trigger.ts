// Programs that do the one thing that a rule is about. Each runs with a marker of its own in its
// arguments or its paths, by which its alerts are known.
import { assert } from "./expect.ts";

/** A directory of a test's own; its name is the marker of everything that happens in it. */
export class Place implements AsyncDisposable {
  readonly marker: string;
  readonly path: string;

  constructor() {
    this.marker = `saker-live-${crypto.randomUUID().slice(0, 13)}`;
    this.path = `/tmp/${this.marker}`;
    Deno.mkdirSync(this.path, { mode: 0o755 });
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** A marker for one step: the place's own marker is part of it. */
  mark(step: string): string {
    return `${this.marker}-${step}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/**
 * The condition of a rule on what a test's programs do. Saker itself carries the marker too, in the
 * path of its rules, and would be counted among them.
 */
export function triggersOf(marker: string): string {
  return `proc.cmdline contains "${marker}" and not proc.exepath endswith /saker`;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<Ran> {
  const child = new Deno.Command(program, {
    args: [...args],
    ...cwd === undefined ? {} : { cwd },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ code }, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr, pid: child.pid };
}

/** Runs a shell script; its arguments ($1 …) come after the marker, which is $0. */
export async function shell(
  marker: string,
  script: string,
  args: readonly string[] = [],
): Promise<Ran> {
  return succeeded(await run("/bin/sh", ["-c", script, marker, ...args]));
}

/**
 * Runs a shell script in a mount namespace of its own, with an empty directory laid over
 * `covered`: what it does there, nobody else sees.
 */
export async function covered(marker: string, directory: string, script: string): Promise<Ran> {
  const inside = `mount -t tmpfs none ${directory} && { ${script}\n}`;
  return succeeded(
    await run("unshare", [...await ownMounts(), "/bin/sh", "-c", inside, marker]),
  );
}

/**
 * Options of unshare for mounts that stay in the namespace. In a chroot whose root is no mount
 * point they cannot be made private; there it must do that nothing is shared in the first place.
 */
export async function ownMounts(): Promise<string[]> {
  const isolated = ["--mount", "--propagation", "private"];
  if ((await run("unshare", [...isolated, "true"])).code === 0) return isolated;
  const mounts = await Deno.readTextFile("/proc/1/mountinfo");
  assert(!mounts.includes(" shared:"), "mounts of a test would be seen by everybody");
  return ["--mount", "--propagation", "unchanged"];
}

/**
 * Python itself. What PATH has under its name may be a shell's script that looks for one of several
 * and asks the name service on its way, and its calls are no test's.
 */
export const PYTHON: string = interpreter();

function interpreter(): string {
  if (!has("python3")) return "python3";
  const { stdout } = new Deno.Command("python3", {
    args: ["-I", "-S", "-c", "import sys; print(sys.executable)"],
  }).outputSync();
  return new TextDecoder().decode(stdout).trim() || "python3";
}

/**
 * Runs a Python script; the marker is its first argument. Python is kept from looking for modules
 * of the user's: where there is no HOME it would ask the name service who the user is, and the
 * calls of that are no test's.
 */
export async function python(
  marker: string,
  script: string,
  args: readonly string[] = [],
): Promise<Ran> {
  return succeeded(await run(PYTHON, ["-I", "-S", "-c", script, marker, ...args]));
}

function succeeded(ran: Ran): Ran {
  assert(ran.code === 0, `the trigger failed (${ran.code}): ${ran.stderr}`);
  return ran;
}

export function isRoot(): boolean {
  return Deno.uid() === 0;
}

export function has(program: string): boolean {
  const path = Deno.env.get("PATH") ?? "";
  return path.split(":").some((directory) => isFile(`${directory}/${program}`));
}

export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Where a link leads; empty where there is none. */
export function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

/** Compiles a C program that lies beside the tests; returns its path. */
export async function compiled(
  place: Place,
  name: string,
  flags: readonly string[] = [],
): Promise<string> {
  const source = new URL(`triggers/${name}.c`, import.meta.url).pathname;
  const program = place.file(name);
  succeeded(await run("cc", ["-O1", "-Wall", "-Werror", ...flags, "-o", program, source]));
  return program;
}

/** Why no ring can be tried here. */
export function ringDefect(): string | undefined {
  if (!has("cc")) return "there is no C compiler";
  // 2: refused to everybody. The file is there since 6.6.
  const setting = "/proc/sys/kernel/io_uring_disabled";
  return isFile(setting) && Deno.readTextFileSync(setting).trim() === "2"
    ? "io_uring is switched off"
    : undefined;
}
