// One thread (task) of the machine. A process is its main thread; what belongs to the whole
// process (descriptors, cwd, environment) is read from there.
import type { FdTable } from "./fd.ts";
import { EMPTY, MISSING } from "./strings.ts";

/** Bits of `Thread.flags`: those of the clone event's flags parameter, and what exec says. */
export const enum ThreadFlag {
  /** The thread died; its entry goes when the next event comes. */
  Dead = 1,
  ExeWritable = 2,
  ExeUpperLayer = 4,
  ExeLowerLayer = 8,
  ExeFromMemfd = 16,
  InPidNamespace = 32,
  Subreaper = 64,
  /** Made up for an unknown thread: ids -1, names "<NA>". */
  Invalid = 128,
  /** Known from a state dump (process list, /proc), not from an event. */
  FromSnapshot = 256,
}

export class Thread {
  readonly tid: number;
  /** Process id: the tid of the main thread. */
  pid: number;
  /** Thread id of the parent (as Falco's ptid: the parent process). 0: none, -1: unknown. */
  ptid = 0;
  /** Thread that adopts the children when this one dies; 0 where unknown. */
  reaperTid = 0;
  vtid = 0;
  vpid = 0;
  sid = 0;
  vpgid = 0;
  pgid = 0;
  flags = 0;
  /** The clone flags (PPM_CL_*) of the event that made the thread, or of a process list. */
  cloneFlags = 0;

  /** String ids. */
  comm = EMPTY;
  exe = EMPTY;
  exepath = EMPTY;
  /** The program's cgroups as in the events: `subsystem=path` separated by NUL. */
  cgroups = EMPTY;
  root = EMPTY;
  /** Ends with a slash. Read and written on the main thread. */
  cwd = EMPTY;
  /** Short container id, "" on the host; MISSING while nothing is known. */
  containerId = MISSING;

  /** argv[1..] and the environment, NUL-separated as in the events. */
  args: Uint8Array = NO_BYTES;
  env: Uint8Array = NO_BYTES;

  uid = 0xffffffff;
  gid = 0xffffffff;
  loginuid = 0xffffffff;
  tty = 0;
  capPermitted = 0n;
  capInheritable = 0n;
  capEffective = 0n;
  exeIno = 0n;
  exeInoCtime = 0n;
  exeInoMtime = 0n;
  /** ns since the epoch; 0n where unknown. */
  cloneTs = 0n;
  lastExecTs = 0n;
  pidnsInitStartTs = 0n;
  fdLimit = -1n;
  vmSizeKb = 0;
  vmRssKb = 0;
  vmSwapKb = 0;
  pageFaultsMajor = 0n;
  pageFaultsMinor = 0n;

  /** Shared by the threads of a process. */
  fds: FdTable | undefined;
  /** Live threads of the process besides the main one, kept on the main thread. */
  liveThreads = 0;
  /** Descriptor number that the thread's last event used; -1: none. */
  lastFd = -1;

  /**
   * Rises with every change to this thread that a field can see. Together with
   * `Machine.lineage` it says whether what was computed from a thread still holds.
   */
  version = 1;
  /** For the rules: class of this thread under the present rule set, and when it was computed. */
  ruleClass = -1;
  ruleClassVersion = 0;
  ruleClassLineage = 0;

  constructor(tid: number, pid: number) {
    this.tid = tid;
    this.pid = pid;
  }

  get isMain(): boolean {
    return this.tid === this.pid;
  }
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);
