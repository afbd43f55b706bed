// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Mutation run: --count N --seed N PATH... in; out: a line for each mistake that lived, then the
// score. Each mistake is tried in a copy of the tree: first by the tests that import its file, then
// by those that hold tables of what many files do, then by the others that reach it; --quick leaves
// these out: its score is less or the same. Tests that hang on a mistake notice it, which is told
// apart: on a machine that others keep busy it may be the machine. The score is the least that the
// tests are worth: the few that look for anything with random inputs take more than half of the
// time, and are only asked where they stand beside the file.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { lineAt, readTree } from "./structure/tree.ts";
import { isChoice, type Mutant, mutantsOf, planted } from "./mutation/mutants.ts";
import { longTests, tablesFirst, testsOf } from "./mutation/reach.ts";

/** Of the clone, what no test beside the source reads. */
const LEFT_OUT = new Set([".git", "dist", "target", ".cache"]);
const ALSO = "dist/embed";
/** A run that takes so many times what all tests took without a mistake hangs, from so long on. */
const HANG_TIMES = 2.5;
const HANG_MS_MIN = 120_000;

interface Place extends Mutant {
  readonly path: string;
  readonly line: number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: {
      count: { type: "string", default: "40" },
      seed: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const below = positionals.length > 0 ? positionals : ["src"];
  const chosen = choose(allPlaces(below), Number(values.count), Number(values.seed));
  const places = chosen.filter((place) => !isChoice(Deno.readTextFileSync(place.path), place));
  const leftOut = chosen.length - places.length;
  if (leftOut > 0) console.log(`${leftOut} left out: they change what is a choice`);
  const copy = mkdtempSync(`${tmpdir()}/saker-mutants-`);
  try {
    for (const { name } of Deno.readDirSync(".")) if (!LEFT_OUT.has(name)) copyTo(copy, name);
    copyTo(copy, ALSO);
    const startedMs = performance.now();
    const report = `${copy}/times.xml`;
    const asked = values.quick ? below : ["src"];
    if (await outcome(copy, [`--junit-path=${report}`, ...asked], Infinity) !== "passed") {
      console.error("saker: the tests fail before anything is planted");
      return 1;
    }
    const hangMs = Math.max(HANG_TIMES * (performance.now() - startedMs), HANG_MS_MIN);
    const long = longTests(Deno.readTextFileSync(report));
    return await tryAll(copy, places, { hangMs, long, quick: values.quick });
  } finally {
    rmSync(copy, { recursive: true });
  }
}

interface Limits {
  readonly hangMs: number;
  /** Test files that are not asked from afar. */
  readonly long: ReadonlySet<string>;
  /** Only tests that import a file, and those that hold tables. */
  readonly quick: boolean;
}

async function tryAll(
  copy: string,
  places: readonly Place[],
  { hangMs, long, quick }: Limits,
): Promise<number> {
  const tree = readTree(copy);
  let noticed = 0;
  let hung = 0;
  for (const [index, place] of places.entries()) {
    const file = `${copy}/${place.path}`;
    const text = Deno.readTextFileSync(file);
    Deno.writeTextFileSync(file, planted(text, place));
    let end: Outcome = "passed";
    const [near, far] = testsOf(place.path, tree);
    const [tables, rest] = tablesFirst(far);
    for (const tests of [near, tables, quick ? [] : rest.filter((test) => !long.has(test))]) {
      if (end === "passed" && tests.length > 0) end = await outcome(copy, tests, hangMs);
    }
    Deno.writeTextFileSync(file, text);
    if (end !== "passed") noticed++;
    if (end === "hung") hung++;
    const what = `${place.path}:${place.line} "${place.was.trim()}" as "${place.becomes.trim()}"`;
    if (end !== "failed") console.log(`${end === "hung" ? "hangs" : "lives"}: ${what}`);
    if (Deno.stderr.isTerminal()) console.error(`${index + 1}/${places.length}`);
  }
  const share = (100 * noticed / places.length).toFixed(0);
  const hanging = hung === 0 ? "" : `, ${hung} of them since a test hangs`;
  console.log(`${noticed} of ${places.length} mistakes noticed (${share} %)${hanging}`);
  return 0;
}

function copyTo(copy: string, path: string): void {
  const parent = `${copy}/${path}`.replace(/\/[^/]*$/, "");
  mkdirSync(parent, { recursive: true });
  cpSync(path, `${copy}/${path}`, { recursive: true });
}

type Outcome = "passed" | "failed" | "hung";

/** How the tests of the copy end. */
async function outcome(copy: string, tests: readonly string[], hangMs: number): Promise<Outcome> {
  const signal = Number.isFinite(hangMs) ? AbortSignal.timeout(hangMs) : undefined;
  const args = ["test", "--allow-all", "--no-check", "--frozen", "--quiet", "--fail-fast"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, ...tests],
    cwd: copy,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...(signal === undefined ? {} : { signal }),
  });
  const { code } = await command.output();
  if (signal?.aborted) return "hung";
  return code === 0 ? "passed" : "failed";
}

function allPlaces(below: readonly string[]): Place[] {
  return below.flatMap(sources).sort().flatMap((path) => {
    const text = Deno.readTextFileSync(path);
    return mutantsOf(text).map((mutant) => ({ ...mutant, path, line: lineAt(text, mutant.at) }));
  });
}

/** Source files below a folder, without what exists for tests. */
function sources(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return sources(path);
    return /\.ts$/.test(path) && !/_(test|fixture)\.ts$|\/scene\.ts$/.test(path) ? [path] : [];
  });
}

/** `count` different places by a seed. */
function choose(places: readonly Place[], count: number, seed: number): Place[] {
  const left = [...places];
  const chosen: Place[] = [];
  let state = seed;
  while (chosen.length < count && left.length > 0) {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    chosen.push(...left.splice((state >>> 4) % left.length, 1));
  }
  return chosen;
}

if (import.meta.main) Deno.exit(await main());
