// What is known of the machine: threads, descriptors, users, interfaces, containers. One event
// comes in (`apply`), the tables change, and the context says what the event was about.
import type { Context } from "./context.ts";
import type { FdTable } from "../tables/fd_table.ts";
import type { Strings } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";

export interface MachineOptions {
  /** Paths that `fd.name` shows where an event has a kernel-resolved one. */
  paths: "kernel" | "caller";
  /** Threads held at the most; more are refused and counted (Falco's thread_table_size). */
  threadsMax: number;
  /** Descriptors held at the most over all processes. */
  fdsMax: number;
  hostname: string;
  /** Whether `fd.types` is listed in Falco's order: a rule shows it. Costs time. */
  fdsOrdered?: boolean;
  /** Memory of interned strings from which on unused ones are freed. Default: 64 MiB. */
  stringBytesMax?: number;
  /**
   * Whether a thread is still alive, asked every 300 s of event time for those that were idle so
   * long; without it nothing is purged, as on captures.
   */
  isAlive?: (tid: number) => boolean;
  /**
   * State blocks of a thread that no event told of (the addon's `snapshotProcess`); without it, or
   * where they are empty, the thread is made up.
   */
  lookUp?: (tid: number) => Uint8Array;
  /**
   * List of the users and groups that a container ("": the host) has, seen through one of its
   * processes; asked for an id without a name, so the one asked decides how often it looks.
   * Undefined: nothing new.
   */
  accountsOf?: (containerId: string, pid: number) => Uint8Array | undefined;
}

export interface MachineStats {
  threads: number;
  fds: number;
  strings: number;
  /** Bytes of the interned strings that are held. */
  stringBytes: number;
  /** Strings that sweeps freed, and how many sweeps there were. */
  stringsFreed: number;
  stringSweeps: number;
  /** Threads that the bound refused. */
  threadsRefused: number;
  fdsRefused: number;
  /** Idle and made-up threads that the purge took. */
  threadsPurged: number;
  threadLookupsFailed: number;
  /** Unknown threads that were made up, since many had been looked up just before. */
  lookUpsRefused: number;
  fdLookupsFailed: number;
  threadsAdded: number;
  threadsRemoved: number;
  fdsAdded: number;
  fdsRemoved: number;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

export interface Group {
  readonly gid: number;
  readonly name: string;
}

/** Container metadata; everything but the id is undefined until a runtime or capture told it. */
export interface Container {
  readonly id: string;
  readonly fullId: string;
  readonly type: string;
  /** The JSON that the container plugin's `container` event carries, parsed. */
  readonly info: Readonly<Record<string, unknown>> | undefined;
}

export interface Machine {
  readonly strings: Strings;
  /** Rises when a thread that has children changes, or when users or containers change: what
   * was computed from a thread's ancestors or from those tables no longer holds. */
  readonly lineage: number;
  readonly threads: ReadonlyMap<number, Thread>;
  readonly hostname: string;
  /** Whether paths that the kernel resolved count, where events have them (`engine.paths`). */
  readonly kernelPaths: boolean;

  /** Reads a block of state (process list, descriptors, users, interfaces, machine), from the
   * first byte of its body to the last; blocks of other kinds are passed over. */
  load(blockType: number, bytes: Uint8Array, start: number, end: number): void;
  /** The tables as state blocks, as `load` reads them, and the events that tell the rest. `time`:
   * ns since the epoch. */
  dump(time: bigint): Uint8Array;
  /** Carries out what the last event left for the next one: to be called between two events. */
  settle(): void;
  /** Applies the context's event: state after the event, as Falco's rules see it. */
  apply(context: Context): void;

  /** Main thread of the thread's process. */
  mainOf(thread: Thread): Thread | undefined;
  /** Parent process's main thread (`proc.pname` and the like). */
  parentOf(thread: Thread): Thread | undefined;
  /** The n-th ancestor: 0 is the thread's own process. */
  ancestorOf(thread: Thread, level: number): Thread | undefined;
  sessionLeaderOf(thread: Thread): Thread | undefined;
  groupLeaderOf(thread: Thread, which: "pgid" | "vpgid"): Thread | undefined;
  /** `pid`: a process of the container, through which its files can be asked. */
  user(containerId: string, uid: number, pid: number): User | undefined;
  group(containerId: string, gid: number, pid: number): Group | undefined;
  container(id: string): Container | undefined;
  /** What the event being applied says of a container (`container` events); undefined on others. */
  readonly eventContainer: Container | undefined;
  /** Descriptors of the thread's process. */
  fdsOf(thread: Thread): FdTable | undefined;
  /** Path of a relative path's directory, ending with a slash, as Falco's: EMPTY for an absolute
   * `path`, the working directory for AT_FDCWD, `<UNKNOWN>` for a descriptor that is not known. */
  directoryOf(thread: Thread, dirfd: number, path: number): number;
  /** Id of `path` as seen from `directory` (an id that ends with a slash, or EMPTY). */
  join(directory: number, path: number): number;
  /** Whether the IP address (4 or 16 bytes) is one of this machine's. */
  isLocal(ip: Uint8Array): boolean;
  /** Boot time of the machine, ns since the epoch. */
  readonly bootTs: bigint;
  readonly cpus: number;
  stats(): MachineStats;
}
