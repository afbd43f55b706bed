// What fields and rules may ask of the machine: threads, descriptors, users, containers. They read;
// what changes the tables stands in machine_host.ts.
import type { Cluster } from "../tables/cluster.ts";
import type { Container } from "../tables/containers.ts";
import type { FdTable } from "../tables/fd_table.ts";
import type { Strings } from "../tables/strings.ts";
import type { MachineStats } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";
import type { Group, User } from "../tables/users.ts";

export interface Machine {
  readonly strings: Strings;
  /** Rises when a thread that has children changes, or when users or containers change: what
   * was computed from a thread's ancestors or from those tables no longer holds. */
  readonly lineage: number;
  readonly threads: ReadonlyMap<number, Thread>;
  readonly hostname: string;
  /** Whether paths that the kernel resolved count, where events have them (`engine.paths`). */
  readonly kernelPaths: boolean;

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
  /** What is known of the container that the thread is in; undefined on the host too. */
  containerOf(thread: Thread): Container | undefined;
  /** As much of its container's id as the thread's cgroups tell; "" on the host. */
  wholeContainerId(thread: Thread): string;
  /** What the event being applied says of a container (`container` events); undefined on others. */
  readonly eventContainer: Container | undefined;
  /** What is known of the pods of this machine, and of what they belong to. */
  readonly cluster: Cluster;
  /** Descriptors of the thread's process. */
  fdsOf(thread: Thread): FdTable | undefined;
  /** Path of a relative path's directory, ending with a slash, as Falco's: EMPTY for an absolute
   * `path`, the working directory for AT_FDCWD, `<UNKNOWN>` for a descriptor that is not known.
   * `caller`: by the names that the caller used. */
  directoryOf(thread: Thread, dirfd: number, path: number, caller?: boolean): number;
  /** Id of a path as a call names it: below a descriptor, the working directory (AT_FDCWD), or, if
   * it is empty, the descriptor itself. `caller`: by the names that the caller used. */
  namedAt(thread: Thread, dirfd: number, path: number, caller?: boolean): number;
  /** Id of `path` as seen from `directory` (an id that ends with a slash, or EMPTY). */
  join(directory: number, path: number): number;
  /** Whether the IP address (4 or 16 bytes) is one of this machine's. */
  isLocal(ip: Uint8Array): boolean;
  /** Boot time of the machine, ns since the epoch. */
  readonly bootTs: bigint;
  readonly cpus: number;
  stats(): MachineStats;
}
