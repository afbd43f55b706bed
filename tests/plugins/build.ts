// Builds the tests' plugins, which are shared objects with Falco's plugin interface. In: the name
// of a source beside this file, and what to define in it. Out: the path of the library, built once
// for its sources and kept below the cache, or in a directory of its own where there is no cache.
import { assert } from "../live/expect.ts";
import { run } from "../live/trigger.ts";

const HERE = new URL(".", import.meta.url).pathname;
const ROOT = new URL("../..", import.meta.url).pathname;
const RUST_FLAGS = [
  ...["--edition", "2024", "--crate-type", "cdylib", "-D", "warnings"],
  ...["-O", "-C", "panic=abort", "-C", "strip=symbols"],
];
const FLAGS = ["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"];

/** Builds `NAME.c`; `define` are macros as in `{ LINES_NAME: '"other"' }`. */
export async function cPlugin(
  name: string,
  define: Readonly<Record<string, string>> = {},
): Promise<string> {
  const flags = [...FLAGS, ...Object.entries(define).map(([key, value]) => `-D${key}=${value}`)];
  const library = await placeOf(
    name,
    await sumOf([...namesIn("", ".c"), ...namesIn("", ".h")], flags),
  );
  return await builtOnce(library, async (target) => {
    const { code, stderr } = await run("cc", [...flags, "-o", target, `${HERE}${name}.c`]);
    assert(code === 0, stderr);
  });
}

/** Builds `NAME/lib.rs` with the Rust that saker is built with; without a network. */
export async function rustPlugin(name: string): Promise<string> {
  const files = namesIn(name, ".rs").map((file) => `${name}/${file}`);
  const library = await placeOf(name, await sumOf(files, RUST_FLAGS));
  return await builtOnce(library, async (target) => {
    const script = '. scripts/lib/toolchain.sh && find_rust && cd "$0" && "$RUST_BIN/rustc" "$@"';
    const args = [...RUST_FLAGS, "--crate-name", name, "-o", target, `${name}/lib.rs`];
    const { code, stderr } = await run("bash", ["-c", script, HERE, ...args], ROOT);
    assert(code === 0, stderr);
  });
}

/** Runs the build unless the library is there; two tests may build one at the same time. */
async function builtOnce(
  library: string,
  build: (target: string) => Promise<void>,
): Promise<string> {
  if (isThere(library)) return library;
  const target = `${library}.${crypto.randomUUID()}`;
  await build(target);
  await Deno.rename(target, library);
  return library;
}

/** Where a library of these sources lies. */
async function placeOf(name: string, sum: string): Promise<string> {
  const path = `${cache()}/test-plugins/${sum}`;
  await Deno.mkdir(path, { recursive: true });
  return `${path}/lib${name}.so`;
}

/** A name for what a library is made of. */
async function sumOf(files: readonly string[], flags: readonly string[]): Promise<string> {
  const texts = files.map((file) => `${file}\n${Deno.readTextFileSync(`${HERE}${file}`)}`);
  const bytes = new TextEncoder().encode([...flags, ...texts].join("\0"));
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return sum.slice(0, 12).toHex();
}

function namesIn(directory: string, ending: string): string[] {
  return [...Deno.readDirSync(`${HERE}${directory}`)].map(({ name }) => name)
    .filter((name) => name.endsWith(ending)).sort();
}

function cache(): string {
  const named = Deno.env.get("SAKER_CACHE");
  const home = Deno.env.get("HOME");
  if (named !== undefined && named !== "") return named;
  return home === undefined || home === "" ? "/tmp/saker-tests" : `${home}/.cache/saker`;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
