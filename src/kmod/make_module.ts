// A module for one kernel: the one that is kept, or one that is built now. In: which kernel, what
// the module is made of, where the host's files are. Out: the module's file, or one line that says
// what is wrong and what would help.
import { reasonOf } from "../files/reason.ts";
import { privateDirectory } from "../files/private_directory.ts";
import { buildModule, type SigningKey, type SourceFile } from "./build_module.ts";
import { buildingDirectory, CACHE, cached, keep, keyOf } from "./cache.ts";
import { distributionOf, installLine, type Need } from "./distribution.ts";
import { compilerOfRunning, findHeaders, type KernelHeaders, NoHeaders } from "./kernel_headers.ts";
import { findTools, programIn, type Tools } from "./tools.ts";

export interface ModuleAsk {
  readonly sources: readonly SourceFile[];
  /** The kernel that it is for; undefined: that of `headers`. */
  readonly release: string | undefined;
  readonly headers: string | undefined;
  readonly signing: SigningKey | undefined;
  /** Where the file is to be; undefined: in the cache alone, which is root's. */
  readonly output: string | undefined;
  /** Below which the host's files are; "" for /. */
  readonly root: string;
  /** Directories of programs, divided by colons. */
  readonly path: string;
  readonly cache?: string;
  readonly onStep: (done: number, steps: number, what: string) => void;
  readonly onDoubt: (line: string) => void;
}

export interface MadeModule {
  readonly file: string;
  readonly release: string;
  /** It was built now. */
  readonly isNew: boolean;
}

/** Throws one line. */
export async function makeModule(ask: ModuleAsk): Promise<MadeModule> {
  const { headers, tools } = prerequisites(ask);
  const { release } = headers;
  const failed = (error: unknown) =>
    new Error(`Cannot build the kernel module for ${release}: ${(error as Error).message}`);
  if (ask.output !== undefined) {
    const found = tools();
    const directory = temporary();
    try {
      const file = await buildModule({ ...ask, headers, tools: found, directory });
      replace(file, ask.output);
      return { file: ask.output, release, isNew: true };
    } catch (error) {
      throw failed(error);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }
  const { cache = CACHE, root } = ask;
  const key = keyOf(release, ask.sources);
  // One that is to be signed is made anew: who knows by which key the other was.
  const kept = ask.signing === undefined ? cached(cache, key) : undefined;
  if (kept !== undefined) return { file: kept, release, isNew: false };
  const found = tools();
  const directory = buildingDirectory(cache);
  try {
    await buildModule({ ...ask, headers, tools: found, directory });
    return { file: keep(cache, key, directory, root), release, isNew: true };
  } catch (error) {
    const log = saveLog(cache, directory);
    throw failed(new Error(`${(error as Error).message}${log}`));
  } finally {
    removeIfThere(directory);
  }
}

/** What of a failed build is worth reading stays. */
function saveLog(cache: string, directory: string): string {
  const place = `${cache}/failed.log`;
  try {
    Deno.renameSync(`${directory}/build.log`, place);
    return ` (all that was said: ${place})`;
  } catch {
    return "";
  }
}

/** Whether a module can be built for the kernel that runs; else what hinders it. */
export function buildHindrance(ask: Omit<ModuleAsk, "onStep" | "onDoubt">): string | undefined {
  try {
    const { tools } = prerequisites({ ...ask, onStep() {}, onDoubt() {} });
    tools();
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Cannot build the kernel module for \S+: /, "");
  }
}

/** A module that was built before for the kernel that runs; undefined where there is none. */
export function keptModule(
  release: string,
  sources: readonly SourceFile[],
  cache: string = CACHE,
): string | undefined {
  return cached(cache, keyOf(release, sources));
}

interface Prerequisites {
  readonly headers: KernelHeaders;
  /** Throws where they are missing; a module that is kept needs none. */
  readonly tools: () => Tools;
}

function prerequisites(ask: ModuleAsk): Prerequisites {
  const { release, headers: named, root, path } = ask;
  const distribution = distributionOf(textOf(`${root}/etc/os-release`));
  const failed = (release: string, what: string, needs: readonly Need[]) => {
    const line = installLine(distribution, needs);
    const help = line !== undefined
      ? `; install them: ${line}`
      : needs.length > 0
      ? `; install what ${distribution.name} has for it`
      : "";
    return new Error(`Cannot build the kernel module for ${release}: ${what}${help}`);
  };
  let headers: KernelHeaders;
  try {
    headers = findHeaders({ release, headers: named, root });
  } catch (error) {
    if (!(error instanceof NoHeaders)) throw error;
    const wanted = release ?? named ?? "";
    if (!error.isMissing || release === undefined) throw failed(wanted, error.message, []);
    // All in one go: who installs headers wants to know the rest as well.
    const needs: Need[] = [{ kind: "headers", release }, ...missingFor(root, path)];
    const more = needs.length > 1 ? `, and ${wordsOf(needs.slice(1))}` : "";
    throw failed(wanted, `${error.message}${more}`, needs);
  }
  return {
    headers,
    tools() {
      const found = findTools(headers, distribution, path);
      if ("missing" in found) {
        throw failed(headers.release, wordsOf(found.missing), found.missing);
      }
      found.tools.doubts.forEach(ask.onDoubt);
      return found.tools;
    },
  };
}

/** Of what the kernel that runs was built with. */
function missingFor(root: string, path: string): Need[] {
  const { kind: compiler, major } = compilerOfRunning(root);
  const has = (name: string) => programIn(path, name) !== undefined;
  return [
    ...(has("make") ? [] : [{ kind: "make" } as const]),
    ...(has(compiler) || has(`${compiler}-${major}`)
      ? []
      : [{ kind: "compiler", compiler, major } as const]),
  ];
}

function wordsOf(needs: readonly Need[]): string {
  return `${needs.map(nameOf).join(" and ")} ${needs.length > 1 ? "are" : "is"} missing`;
}

function nameOf(need: Need): string {
  if (need.kind !== "compiler") return need.kind;
  return `${need.compiler}${need.major > 0 ? `-${need.major}` : ""}`;
}

/** Nobody else's; in memory where that is to be had. */
function temporary(): string {
  for (const parent of ["/dev/shm", "/tmp", "/var/tmp"]) {
    try {
      return privateDirectory(parent, "saker-kmod-");
    } catch {
      // The next one.
    }
  }
  throw new Error("Cannot build the kernel module: no private directory can be made");
}

/** Whole or not at all. */
function replace(file: string, output: string): void {
  const next = `${output}.new`;
  try {
    Deno.copyFileSync(file, next);
    Deno.chmodSync(next, 0o644);
    Deno.renameSync(next, output);
  } catch (error) {
    throw new Error(`Cannot write ${output}: ${reasonOf(error)}`);
  }
}

function removeIfThere(directory: string): void {
  try {
    Deno.removeSync(directory, { recursive: true });
  } catch {
    // It has become the kept one.
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
