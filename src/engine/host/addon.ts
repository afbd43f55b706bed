// The native addon. Deno would unpack a library
// from the executable under a name in the temporary directory that anybody can guess and plant;
// so it is written to a fresh private directory first, loaded from there, and removed at once.
import process from "node:process";
import { privateDirectory, removeLeft } from "../../files/private_directory.ts";
import { variable } from "../../words/environment.ts";
import { carriedFile, carriedNames, copyCarried } from "./carried.ts";
import type { Cluster, ClusterOptions } from "../../../bindings-rs/cluster.d.ts";
import type {
  Plugin,
  PluginOptions,
  PluginTables,
  PluginTablesAsk,
} from "../../../bindings-rs/plugins.d.ts";
import type {
  CaptureDisk,
  CaptureSieve,
  DiskOptions,
  Driver,
  GrpcOptions,
  GrpcServer,
  ModuleAbout,
  NamedFile,
  OpenOptions,
  SieveOptions,
  TlsDoor,
  TlsDoorOptions,
} from "../../../bindings-rs/index.d.ts";
import type { TraceTarget } from "../../../bindings-rs/trace.d.ts";
import type { Runtimes, RuntimesOptions } from "../../../bindings-rs/runtimes.d.ts";

export type { GrpcAlert, GrpcOptions, GrpcServer, TlsDoor } from "../../../bindings-rs/index.d.ts";

export interface Addon {
  readonly Driver: {
    open(probe: Uint8Array, options: OpenOptions): Driver;
    openModule(device: string, options: OpenOptions): Driver;
    trace(target: TraceTarget, options: OpenOptions): Driver;
  };
  readonly CaptureSieve: { make(options: SieveOptions): CaptureSieve };
  readonly CaptureDisk: { make(options: DiskOptions): CaptureDisk };
  readonly GrpcServer: { make(options: GrpcOptions): GrpcServer };
  readonly TlsDoor: { make(options: TlsDoorOptions): TlsDoor };
  readonly Cluster: { start(options: ClusterOptions): Cluster };
  readonly Runtimes: { start(options: RuntimesOptions): Runtimes };
  readonly NamedFile: { open(path: Uint8Array): NamedFile };
  readonly Plugin: { load(options: PluginOptions): Plugin };
  readonly PluginTables: { make(ask: PluginTablesAsk): PluginTables };
  snapshot(hostRoot: string, selfPid: number): Uint8Array;
  snapshotProcess(hostRoot: string, pid: number): Uint8Array;
  snapshotAccounts(hostRoot: string, pid: number): Uint8Array;
  releaseStartMemory(): void;
  keepCapabilities(kept: bigint): number;
  setNice(nice: number): boolean;
  moduleInterface(): number;
  moduleAbout(device: string): ModuleAbout;
  loadModule(path: string, parameters: string, isCompressed: boolean): number;
  unloadModule(name: string): number;
}

/** What the kernel module is made of, the Rust object compiled already; throws where this build has
 * none. */
export function embeddedModule(): { readonly name: string; readonly bytes: Uint8Array }[] {
  const names = carriedNames("kmod");
  if (names.length === 0) throw new Error("This build of saker carries no kernel module");
  return names.map((name) => ({ name, bytes: carriedFile(`kmod/${name}`) }));
}

/**
 * Loads the addon from the first of `directories` that is safe and lets programs be mapped from
 * it (a `noexec` mount does not). Throws where none does.
 */
export function loadAddon(directories: readonly string[] = privateParents()): Addon {
  const refusals: string[] = [];
  for (const parent of directories) {
    const refusal = parentRefusal(parent);
    if (refusal !== undefined) {
      refusals.push(`${parent}: ${refusal}`);
      continue;
    }
    try {
      return loadFrom(parent);
    } catch (error) {
      refusals.push(`${parent}: ${firstLine(error)}`);
    }
  }
  throw new Error(`Cannot load the native part: ${refusals.join("; ")}`);
}

const PREFIX = "saker-native-";
const FILE = "addon.node";
/** Nobody is that long between making the directory and removing it. */
const LEFT_MS = 60_000;

function loadFrom(parent: string): Addon {
  removeLeft(parent, {
    prefix: PREFIX,
    file: FILE,
    isLeft: (_name, { mtime }) => Date.now() - mtime!.getTime() >= LEFT_MS,
  });
  const directory = privateDirectory(parent, PREFIX);
  try {
    const file = `${directory}/${FILE}`;
    copyCarried(FILE, file);
    // Unlike `require`, this looks at no other path, such as a package.json in the temporary
    // directory, where the executable pretends to lie.
    const loaded = { exports: {} };
    process.dlopen(loaded, file);
    return loaded.exports as Addon;
  } finally {
    // What is mapped stays mapped; nothing is left to be found or changed.
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Places for the private directory, those that are in memory and root's own first. */
function privateParents(): string[] {
  const home = variable("HOME");
  const shared = ["/run", "/dev/shm", variable("TMPDIR") ?? "/tmp", "/var/tmp"];
  // In a user namespace of one's own all of those are somebody else's.
  return home === undefined || home === "" ? shared : [...shared, home];
}

/** Why nothing private can be made below a directory; undefined where it can. */
function parentRefusal(path: string): string | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    return firstLine(error);
  }
  if (!info.isDirectory) return "not a directory";
  if (info.uid !== 0 && info.uid !== Deno.uid()) return "belongs to another user";
  const sticky = (info.mode! & 0o1000) !== 0;
  const shared = (info.mode! & 0o022) !== 0;
  return shared && !sticky ? "others may rename what is in it" : undefined;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
