// What a kernel was built with. In: its release, or a directory with its headers. Out: where the
// headers are, and what its configuration asks of a module and of the compiler.
import { reasonOf } from "../files/reason.ts";

/** The compiler that the kernel was built by. */
export interface KernelCompiler {
  readonly kind: "gcc" | "clang";
  readonly major: number;
  /** As the kernel's build called it, such as x86_64-linux-gnu-gcc-13, and without the machine's
   * name. */
  readonly program: string;
  readonly plain: string;
}

export interface KernelHeaders {
  readonly directory: string;
  /** What modules for it are made for. */
  readonly release: string;
  readonly compiler: KernelCompiler;
  /** Modules without a good signature are refused. */
  readonly wantsSignature: boolean;
}

export interface HeadersAsk {
  /** The kernel's; undefined: that of `headers`. */
  readonly release: string | undefined;
  /** A directory that somebody named. */
  readonly headers: string | undefined;
  /** Below which the host's files are; "" for /. */
  readonly root: string;
}

/** Why there are none: `isMissing` where a package would bring them. */
export class NoHeaders extends Error {
  override readonly name = "NoHeaders";
  constructor(message: string, readonly isMissing: boolean) {
    super(message);
  }
}

/** Throws NoHeaders. */
export function findHeaders({ release, headers, root }: HeadersAsk): KernelHeaders {
  const places = headers !== undefined ? [headers] : [
    `${root}/lib/modules/${release}/build`,
    `${root}/usr/src/linux-headers-${release}`,
    `${root}/usr/src/kernels/${release}`,
  ];
  const directory = places.find((place) => isFile(`${place}/Makefile`));
  if (directory === undefined) {
    throw headers === undefined
      ? new NoHeaders(`there are no headers of kernel ${release} (${places[0]})`, true)
      : new NoHeaders(`${headers} holds no kernel headers: it has no Makefile`, false);
  }
  const found = releaseIn(directory);
  const config = configOf(directory);
  if (found === undefined || config === undefined) {
    const lacks = found === undefined ? "include/generated/utsrelease.h" : "a configuration";
    throw new NoHeaders(
      `${directory} is not prepared for modules: it has no ${lacks} ` +
        "(make modules_prepare, in kernel sources)",
      false,
    );
  }
  if (release !== undefined && found !== release) {
    throw new NoHeaders(`${directory} holds the headers of kernel ${found}, not ${release}`, true);
  }
  if (config.get("CONFIG_MODULES") !== "y") {
    throw new NoHeaders(
      `kernel ${found} takes no modules: it was built without CONFIG_MODULES`,
      false,
    );
  }
  return {
    directory,
    release: found,
    compiler: compilerOf(config),
    wantsSignature: config.get("CONFIG_MODULE_SIG_FORCE") === "y",
  };
}

/** What the kernel calls itself. Debian's `include/config/kernel.release` has another number. */
function releaseIn(directory: string): string | undefined {
  const text = textOf(`${directory}/include/generated/utsrelease.h`) ?? "";
  return /^#define UTS_RELEASE "([^"]+)"/m.exec(text)?.[1];
}

/** A kernel's settings; undefined where its headers have none. */
function configOf(directory: string): ReadonlyMap<string, string> | undefined {
  for (const name of ["include/config/auto.conf", ".config"]) {
    const text = textOf(`${directory}/${name}`);
    if (text === undefined) continue;
    return new Map(
      [...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!] as const),
    );
  }
  return undefined;
}

function compilerOf(config: ReadonlyMap<string, string>): KernelCompiler {
  const kind = config.get("CONFIG_CC_IS_CLANG") === "y" ? "clang" : "gcc";
  // Such as "gcc-12 (Debian 12.2.0-14) 12.2.0" and "x86_64-linux-gnu-gcc-13 (Ubuntu …) 13.2.0".
  const text = config.get("CONFIG_CC_VERSION_TEXT")?.replaceAll('"', "") ?? "";
  const word = text.split(" ")[0]!.replace(/^.*\//, "");
  const plain = new RegExp(`${kind}(?:-[0-9]+)?$`).exec(word)?.[0];
  // 120200, or 180103.
  const number = Number(config.get(kind === "gcc" ? "CONFIG_GCC_VERSION" : "CONFIG_CLANG_VERSION"));
  const major = Number.isFinite(number) ? Math.floor(number / 10_000) : 0;
  return { kind, major, program: plain === undefined ? kind : word, plain: plain ?? kind };
}

/** By what the running kernel was built, as it says itself; gcc where it does not. */
export function compilerOfRunning(root: string): Pick<KernelCompiler, "kind" | "major"> {
  const text = textOf(`${root}/proc/version`) ?? "";
  const found =
    /\([^ ()]*?(gcc|clang)(?:-([0-9]+))?(?:\.[^ ]*)? (?:\([^)]*\)|version)? ?([0-9]+)?/.exec(
      text,
    ) ??
      [];
  return { kind: found[1] === "clang" ? "clang" : "gcc", major: Number(found[3] ?? found[2] ?? 0) };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw new NoHeaders(`${path} cannot be read: ${reasonOf(error)}`, false);
  }
}
