// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Mutation run: --count N --seed N PATH... in; out: a line for each mistake that lived, then the
// score. Each mistake is tried in a copy of the tree: first the tests beside it, then all of src.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { lineAt } from "./structure/tree.ts";
import { type Mutant, mutantsOf, planted } from "./mutation/mutants.ts";

/** Of the clone, what no test beside the source reads. */
const LEFT_OUT = new Set([".git", "dist", "target", ".cache"]);
const ALSO = "dist/embed";
/** A test run that takes so long hangs: the mistake was noticed. */
const SECONDS_MAX = 240;

interface Place extends Mutant {
  readonly path: string;
  readonly line: number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: { count: { type: "string", default: "40" }, seed: { type: "string", default: "1" } },
    allowPositionals: true,
  });
  const below = positionals.length > 0 ? positionals : ["src"];
  const places = choose(allPlaces(below), Number(values.count), Number(values.seed));
  const copy = mkdtempSync(`${tmpdir()}/saker-mutants-`);
  try {
    for (const { name } of Deno.readDirSync(".")) if (!LEFT_OUT.has(name)) copyTo(copy, name);
    copyTo(copy, ALSO);
    if (!await passes(copy, "src")) {
      console.error("saker: the tests fail before anything is planted");
      return 1;
    }
    return await tryAll(copy, places);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

async function tryAll(copy: string, places: readonly Place[]): Promise<number> {
  let noticed = 0;
  for (const [index, place] of places.entries()) {
    const file = `${copy}/${place.path}`;
    const text = Deno.readTextFileSync(file);
    Deno.writeTextFileSync(file, planted(text, place));
    const beside = place.path.slice(0, place.path.lastIndexOf("/"));
    const lives = await passes(copy, beside) && await passes(copy, "src");
    Deno.writeTextFileSync(file, text);
    if (!lives) noticed++;
    const what = `${place.path}:${place.line} "${place.was.trim()}" as "${place.becomes.trim()}"`;
    if (lives) console.log(`lives: ${what}`);
    if (Deno.stderr.isTerminal()) console.error(`${index + 1}/${places.length}`);
  }
  const share = (100 * noticed / places.length).toFixed(0);
  console.log(`${noticed} of ${places.length} mistakes noticed (${share} %)`);
  return 0;
}

function copyTo(copy: string, path: string): void {
  const parent = `${copy}/${path}`.replace(/\/[^/]*$/, "");
  mkdirSync(parent, { recursive: true });
  cpSync(path, `${copy}/${path}`, { recursive: true });
}

/** Whether the tests below a folder of the copy pass, or there are none. */
async function passes(copy: string, folder: string): Promise<boolean> {
  const tests = ["test", "--allow-all", "--no-check", "--frozen", "--quiet", "--fail-fast"];
  const command = new Deno.Command("timeout", {
    args: ["-k", "5", String(SECONDS_MAX), Deno.execPath(), ...tests, "--permit-no-files", folder],
    cwd: copy,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return (await command.output()).code === 0;
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
