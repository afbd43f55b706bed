// The kernel module as commands and a watch handle it: what the executable carries, how it is
// loaded and unloaded, and that it is there when a watch wants it. Failures are one line each.
import { type Addon, embeddedModule, loadAddon } from "../../engine/host/addon.ts";
import { reasonOf } from "../../files/reason.ts";
import { MODULE, type SigningKey } from "../../kmod/build_module.ts";
import { devicePath, loadedModule, type Reader, readersOf } from "../../kmod/loaded.ts";
import { keptModule, makeModule, type ModuleAsk } from "../../kmod/make_module.ts";
import { type ModuleFile, readModuleFile, releaseOf } from "../../kmod/module_file.ts";
import {
  hindrance,
  hostRules,
  loadRefusal,
  NO_MODULES,
  unloadRefusal,
} from "../../kmod/refusals.ts";
import { programIn } from "../../kmod/tools.ts";
import type { Terminal } from "../terminal.ts";
import { effectiveOf } from "./host_findings.ts";
import { startSteps } from "./steps.ts";

/** Where the host's files are, and its programs. */
export interface ModuleHost {
  readonly root: string;
  readonly path: string;
  readonly release: string;
}

/** Where nobody says where programs are. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function moduleHost(terminal: Terminal): ModuleHost {
  return {
    root: terminal.environment("HOST_ROOT") ?? "",
    path: terminal.environment("PATH") ?? PATH,
    release: Deno.osRelease(),
  };
}

export interface BuildFlags {
  readonly kernel?: string;
  readonly headers?: string;
  readonly output?: string;
  readonly signKey?: string;
  readonly signCert?: string;
}

/** Both or none of them. */
export function signingOf({ signKey, signCert }: BuildFlags): SigningKey | undefined {
  if (signKey === undefined && signCert === undefined) return undefined;
  if (signKey === undefined || signCert === undefined) {
    throw new Error("--sign-key and --sign-cert: one is nothing without the other");
  }
  return { key: signKey, certificate: signCert };
}

/** Builds, or finds what was built; shows on a terminal how far it is. */
export async function buildFor(
  flags: BuildFlags,
  host: ModuleHost,
  terminal: Terminal,
): Promise<{ readonly file: string; readonly release: string; readonly isNew: boolean }> {
  const { kernel, headers, output } = flags;
  if (output === undefined && Deno.uid() !== 0) {
    throw new Error(
      "saker driver build keeps what it builds for root: run it as root, or name a " +
        "file (--output FILE)",
    );
  }
  if (kernel === undefined && headers === undefined && !hostRules(host.root).hasModules) {
    throw new Error(`Cannot build the kernel module for ${host.release}: ${NO_MODULES}`);
  }
  const steps = startSteps(terminal);
  const ask: ModuleAsk = {
    ...host,
    sources: embeddedModule(),
    // A directory says itself what its kernel is.
    release: kernel ?? (headers === undefined ? host.release : undefined),
    headers,
    signing: signingOf(flags),
    output,
    onStep: (done, all, what) => steps.show(done, all, `kernel module: ${what}`),
    onDoubt: (line) => terminal.error(`Warning: ${line}\n`),
  };
  try {
    return await makeModule(ask);
  } finally {
    steps.stop();
  }
}

/** Where installations put it, compressed or not (`saker driver install`). */
const INSTALLED = ["updates/dkms", "updates", "extra", "weak-updates"];
const ENDINGS = ["", ".xz", ".zst", ".gz"];

/** A module that was installed for the kernel that runs; undefined where there is none. */
export function installedModule({ root, release }: ModuleHost): string | undefined {
  for (const directory of INSTALLED) {
    for (const ending of ENDINGS) {
      const path = `${root}/lib/modules/${release}/${directory}/${MODULE}.ko${ending}`;
      try {
        if (Deno.statSync(path).isFile) return path;
      } catch {
        // The next one.
      }
    }
  }
  return undefined;
}

export interface LoadFlags {
  /** A module's file, instead of the one that was built or installed. */
  readonly file?: string;
  /** NAME=VALUE. */
  readonly parameters?: readonly string[];
}

export interface Loaded {
  readonly isNew: boolean;
  /** Of the module that was loaded now. */
  readonly file?: string;
}

/**
 * Sees to it that this saker's module is loaded: one that is there stays, one of another interface
 * that nobody uses gives way; else the one that was built or installed is loaded, or one is built.
 * Throws one line that says why there is none.
 */
export async function loadKernelModule(
  flags: LoadFlags,
  host: ModuleHost,
  terminal: Terminal,
): Promise<Loaded> {
  const addon = loadAddon();
  if (loadedModule(host.root) !== undefined) {
    if (speaks(addon, host) !== false) return { isNew: false };
    unloadKernelModule(host, addon);
  }
  const parameters = flags.parameters ?? [];
  const wrong = parameters.find((one) => !/^[a-z_]+=[\w,.-]+$/.test(one));
  if (wrong !== undefined) {
    throw new Error(
      `Cannot load the kernel module: "${wrong}" is no parameter, expected NAME=VALUE`,
    );
  }
  const rules = hostRules(host.root);
  const installed = installedModule(host);
  const cannot = (why: string) => new Error(`Cannot load the kernel module: ${why}`);
  // What is there may be signed; whatever else is in the way is so for every module.
  const present = flags.file ?? kept(host) ?? installed;
  const known = hindrance(rules, present !== undefined);
  if (known !== undefined) throw cannot(known);
  if (!mayLoad()) throw cannot(NO_RIGHT);
  const file = present ?? (await buildFor({}, host, terminal)).file;
  await insert(file, parameters, { host, addon, cannot });
  return { isNew: true, file };
}

/** What was built for the kernel that runs. */
export function kept({ release }: ModuleHost): string | undefined {
  return keptModule(release, embeddedModule());
}

/** Whether what is loaded is this saker's; undefined where it does not say. */
function speaks(addon: Addon, { root }: ModuleHost): boolean | undefined {
  try {
    return addon.moduleAbout(devicePath(root)).version === addon.moduleInterface();
  } catch (error) {
    // One of another interface has other commands.
    return /Cannot ask/.test((error as Error).message) ? false : undefined;
  }
}

async function insert(
  file: string,
  parameters: readonly string[],
  { host, addon, cannot }: {
    readonly host: ModuleHost;
    readonly addon: Addon;
    readonly cannot: (why: string) => Error;
  },
): Promise<void> {
  const about = moduleFile(file);
  if (about !== undefined && releaseOf(about) !== host.release) {
    throw cannot(`${file} was made for kernel ${releaseOf(about)}, and this is ${host.release}`);
  }
  if (about !== undefined && about.name !== MODULE) {
    throw cannot(`${file} is the module "${about.name}", not saker's`);
  }
  const isCompressed = !file.endsWith(".ko") && about === undefined;
  const errno = addon.loadModule(file, parameters.join(" "), isCompressed);
  if (errno === 0) return;
  // Kernels that unpack nothing themselves leave it to modprobe, which knows installed ones.
  const modprobe = isCompressed ? programIn(host.path, "modprobe") : undefined;
  if (modprobe !== undefined) {
    const { success } = await new Deno.Command(modprobe, {
      args: [MODULE, ...parameters],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) return;
  }
  throw cannot(loadRefusal(errno, hostRules(host.root), about?.isSigned ?? false));
}

/** Undefined where the file is compressed; throws where it cannot be read or is no module. */
function moduleFile(file: string): ModuleFile | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(file);
  } catch (error) {
    throw new Error(`Cannot load the kernel module ${file}: ${reasonOf(error)}`);
  }
  const about = readModuleFile(bytes);
  if (about === undefined && file.endsWith(".ko")) {
    throw new Error(`Cannot load the kernel module ${file}: it is no module`);
  }
  return about;
}

const CAP_SYS_MODULE = 16n;
/** Asked before it is tried: the unit of `saker install` ends a process that tries. */
const NO_RIGHT = "no permission; it takes root with CAP_SYS_MODULE, which saker's systemd unit " +
  "does not give (saker driver install has the module loaded at each boot)";

function mayLoad(): boolean {
  const has = effectiveOf(Deno.readTextFileSync("/proc/self/status"));
  return has === undefined || (has >> CAP_SYS_MODULE & 1n) === 1n;
}

/** Whether one was unloaded. Throws where it cannot be, with who uses it. */
export function unloadKernelModule(host: ModuleHost, addon: Addon = loadAddon()): boolean {
  if (loadedModule(host.root) === undefined) return false;
  if (!mayLoad()) throw new Error(`Cannot unload the kernel module: ${NO_RIGHT}`);
  const errno = addon.unloadModule(MODULE);
  if (errno === 0) return true;
  const readers = readersOf(host.root).map(readerName);
  throw new Error(`Cannot unload the kernel module: ${unloadRefusal(errno, readers)}`);
}

export function readerName({ name, pid }: Reader): string {
  return `${name} (process ${pid})`;
}

/** For a watch with `engine.kind: kmod`. */
export async function provideKernelModule(
  terminal: Terminal,
  told: (line: string) => void,
): Promise<void> {
  const host = moduleHost(terminal);
  try {
    const { isNew, file } = await loadKernelModule({}, host, terminal);
    if (isNew) told(`The kernel module was loaded: ${file}`);
  } catch (error) {
    throw new Error(
      `engine.kind: kmod: ${(error as Error).message} (without it: -o engine.kind=modern_ebpf)`,
    );
  }
}
