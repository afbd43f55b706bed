// What compiles a module: make, and the compiler that the kernel was built by. In: the kernel's
// headers, the directories of programs. Out: what make is told, or what is missing.
import type { KernelHeaders } from "./kernel_headers.ts";
import type { Distribution, Need } from "./distribution.ts";

export interface Tools {
  /** Its path. */
  readonly make: string;
  /** What make is told of the compiler, such as `CC=gcc-12`. */
  readonly variables: readonly string[];
  /** What is worth a word, since it may not work. */
  readonly doubts: readonly string[];
}

export type ToolsFound =
  | { readonly tools: Tools }
  | { readonly missing: readonly Need[] };

/** `path`: directories divided by colons; relative ones are anybody's, and are left out. */
export function findTools(
  { compiler, release }: KernelHeaders,
  distribution: Distribution,
  path: string,
): ToolsFound {
  const find = (program: string) => programIn(path, program);
  const { kind, major, program, plain } = compiler;
  const make = find("make");
  const missing: Need[] = make === undefined ? [{ kind: "make" }] : [];
  // Debian's headers name it, whatever make is told; elsewhere there is one compiler.
  const names = distribution.family === "debian" ? [program, plain] : [program, plain, kind];
  const found = names.find((name) => find(name) !== undefined);
  const lacksLinker = kind === "clang" && find(linkerOf(found ?? kind)) === undefined;
  if (found === undefined || lacksLinker) {
    missing.push({ kind: "compiler", compiler: kind, major: versionOf(program) ?? 0 });
  }
  if (make === undefined || missing.length > 0) return { missing };
  const doubts = found === program || found === plain || versionOf(program) === undefined ? [] : [
    `kernel ${release} was built by ${kind} ${major}, and this ${kind} may be another one`,
  ];
  return { tools: { make, variables: [variableOf(kind, found!)], doubts } };
}

function variableOf(kind: "gcc" | "clang", program: string): string {
  if (kind === "gcc") return `CC=${program}`;
  const version = versionOf(program);
  return version === undefined ? "LLVM=1" : `LLVM=-${version}`;
}

function linkerOf(clang: string): string {
  const version = versionOf(clang);
  return version === undefined ? "ld.lld" : `ld.lld-${version}`;
}

/** Of a program that has it in its name. */
function versionOf(program: string): number | undefined {
  const version = /-([0-9]+)$/.exec(program)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** The first of a name that may be run. */
export function programIn(path: string, name: string): string | undefined {
  return path.split(":").filter((directory) => directory.startsWith("/"))
    .map((directory) => `${directory}/${name}`)
    .find((place) => {
      try {
        const { isFile, mode } = Deno.statSync(place);
        return isFile && (mode! & 0o111) !== 0;
      } catch {
        return false;
      }
    });
}
