// One thread (task) of the machine. A process is its main thread; what belongs to the whole
// process (descriptors, cwd, environment) is read from there.
import type { FdTable } from "./fd_table.ts";
import type { Lists } from "./long_lists.ts";
import { NO_BYTES } from "./seen_bytes.ts";
import { EMPTY, MISSING } from "./strings.ts";

/** Bits of `Thread.flags`. */
export const enum ThreadFlag {
  /** The thread died; its entry goes when the next event comes, or with its process. */
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

/** What is told of a thread that an event or a list began. Threads that were made up have none of
 * it, and somebody can have hundreds of thousands of those made up. */
class Particulars {
  capPermitted = 0n;
  capInheritable = 0n;
  capEffective = 0n;
  exeIno = 0n;
  exeInoCtime = 0n;
  exeInoMtime = 0n;
  /** From the program's last change to the process's start, and from the pid namespace's start to
   * that change, ns, as the last execution found them; a fork takes the first along. 0n: unknown.
   */
  exeAgeAtStart = 0n;
  exeAgeInPidns = 0n;
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
}

/** Read where nothing was told; never written. */
const NOTHING_TOLD = new Particulars();

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
  /** The same by the names that the process used; MISSING: no other. */
  callerCwd = MISSING;
  /** The same as the host sees it, where its root is another; MISSING: no other. */
  hostCwd = MISSING;
  /** Short container id, "" on the host; MISSING while nothing is known. */
  containerId = MISSING;
  /** Where it lives (residence.ts, Lives; 0: not known), and the inodes of its namespaces. */
  namespaces = 0;
  pidNamespace = 0;
  mountNamespace = 0;

  /** argv[1..] and the environment, NUL-separated as in the events. */
  args: Uint8Array = NO_BYTES;
  env: Uint8Array = NO_BYTES;
  /** Only where they are long: how long, and whether all is there. */
  lists: Lists | undefined = undefined;

  uid = 0xffffffff;
  gid = 0xffffffff;
  loginuid = 0xffffffff;
  tty = 0;
  /** Descriptors of the process: kept on the main thread; others read them from there. */
  fds: FdTable | undefined = undefined;
  /** The process; undefined for made-up threads (ThreadFlag.Invalid). */
  group: ThreadGroup | undefined = undefined;
  /** Children as a list: the first here, the rest through their siblings. */
  firstChild: Thread | undefined = undefined;
  nextSibling: Thread | undefined = undefined;
  previousSibling: Thread | undefined = undefined;
  /** The thread whose list holds this one. */
  parent: Thread | undefined = undefined;
  /** Who made the process; kept on the main thread. */
  birth: Birth | undefined = undefined;
  /** When an event of it was last seen, in units of 2^32 ns; kept where idle threads are purged. */
  seen = 0;

  /**
   * Rises with every change to this thread that a field can see. Together with
   * `Machine.lineage` it says whether what was computed from a thread still holds. It does not
   * cover descriptors and their number, the number of live threads, memory and page fault counts,
   * and what an event's time enters into: fields of those depend on the event.
   */
  version = 1;
  /** For the rules: place of this thread in the present rule set's table; -1: none yet. */
  rulePlace = -1;
  #told: Particulars = NOTHING_TOLD;

  constructor(tid: number, pid: number) {
    this.tid = tid;
    this.pid = pid;
  }

  get capPermitted(): bigint {
    return this.#told.capPermitted;
  }
  set capPermitted(value: bigint) {
    this.#toldHere().capPermitted = value;
  }
  get capInheritable(): bigint {
    return this.#told.capInheritable;
  }
  set capInheritable(value: bigint) {
    this.#toldHere().capInheritable = value;
  }
  get capEffective(): bigint {
    return this.#told.capEffective;
  }
  set capEffective(value: bigint) {
    this.#toldHere().capEffective = value;
  }
  get exeIno(): bigint {
    return this.#told.exeIno;
  }
  set exeIno(value: bigint) {
    this.#toldHere().exeIno = value;
  }
  get exeInoCtime(): bigint {
    return this.#told.exeInoCtime;
  }
  set exeInoCtime(value: bigint) {
    this.#toldHere().exeInoCtime = value;
  }
  get exeInoMtime(): bigint {
    return this.#told.exeInoMtime;
  }
  set exeInoMtime(value: bigint) {
    this.#toldHere().exeInoMtime = value;
  }
  get exeAgeAtStart(): bigint {
    return this.#told.exeAgeAtStart;
  }
  set exeAgeAtStart(value: bigint) {
    this.#toldHere().exeAgeAtStart = value;
  }
  get exeAgeInPidns(): bigint {
    return this.#told.exeAgeInPidns;
  }
  set exeAgeInPidns(value: bigint) {
    this.#toldHere().exeAgeInPidns = value;
  }
  get cloneTs(): bigint {
    return this.#told.cloneTs;
  }
  set cloneTs(value: bigint) {
    this.#toldHere().cloneTs = value;
  }
  get lastExecTs(): bigint {
    return this.#told.lastExecTs;
  }
  set lastExecTs(value: bigint) {
    this.#toldHere().lastExecTs = value;
  }
  get pidnsInitStartTs(): bigint {
    return this.#told.pidnsInitStartTs;
  }
  set pidnsInitStartTs(value: bigint) {
    this.#toldHere().pidnsInitStartTs = value;
  }
  get fdLimit(): bigint {
    return this.#told.fdLimit;
  }
  set fdLimit(value: bigint) {
    this.#toldHere().fdLimit = value;
  }
  get vmSizeKb(): number {
    return this.#told.vmSizeKb;
  }
  set vmSizeKb(value: number) {
    this.#toldHere().vmSizeKb = value;
  }
  get vmRssKb(): number {
    return this.#told.vmRssKb;
  }
  set vmRssKb(value: number) {
    this.#toldHere().vmRssKb = value;
  }
  get vmSwapKb(): number {
    return this.#told.vmSwapKb;
  }
  set vmSwapKb(value: number) {
    this.#toldHere().vmSwapKb = value;
  }
  get pageFaultsMajor(): bigint {
    return this.#told.pageFaultsMajor;
  }
  set pageFaultsMajor(value: bigint) {
    this.#toldHere().pageFaultsMajor = value;
  }
  get pageFaultsMinor(): bigint {
    return this.#told.pageFaultsMinor;
  }
  set pageFaultsMinor(value: bigint) {
    this.#toldHere().pageFaultsMinor = value;
  }

  #toldHere(): Particulars {
    return this.#told === NOTHING_TOLD ? this.#told = new Particulars() : this.#told;
  }

  get isMain(): boolean {
    return this.tid === this.pid;
  }

  get isDead(): boolean {
    return (this.flags & ThreadFlag.Dead) !== 0;
  }

  /** Works out the ages of the program's file: once, as Falco does, when it is executed. */
  noteProgramAges(): void {
    const { cloneTs, exeInoCtime, pidnsInitStartTs } = this;
    // Below zero, where the file changed after the process began, it wraps.
    if (cloneTs !== 0n) this.exeAgeAtStart = BigInt.asUintN(64, cloneTs - exeInoCtime);
    if (pidnsInitStartTs !== 0n && exeInoCtime > pidnsInitStartTs) {
      this.exeAgeInPidns = exeInoCtime - pidnsInitStartTs;
    }
  }

  /** Made up for an unknown thread, or known in part only. */
  get isInvalid(): boolean {
    return this.tid < 0 || this.pid < 0 || this.ptid < 0;
  }

  /** `CHILD_IN_PIDNS` or a tid that differs inside. */
  get isInPidNamespace(): boolean {
    return (this.flags & ThreadFlag.InPidNamespace) !== 0 ||
      (this.tid !== this.vtid && this.vtid >= 0);
  }
}

/** The threads of one process. */
export class ThreadGroup {
  readonly pid: number;
  /** Undefined where only other threads are known. */
  main: Thread | undefined = undefined;
  /** The other threads that are in the table, dead ones included until they are removed. */
  others: Thread[] = [];
  /** Threads that are alive, the main one included. */
  alive = 0;
  /** Adopts orphans: init of a pid namespace, or a child subreaper. */
  reaper: boolean;

  constructor(pid: number, reaper: boolean) {
    this.pid = pid;
    this.reaper = reaper;
  }
}

/** Between a process and its next known ancestor are others, nobody knows how many. */
export const UNCOUNTED = -1;
/** One process while it ran one program. */
export class Birth {
  readonly pid: number;
  /** The nearest ancestor that is known; its own `maker` follows. */
  maker: Birth | undefined = undefined;
  /** Ancestors between the two that are not known any more; UNCOUNTED: nobody knows how many. */
  between = 0;
  /** Not seen: a list of processes told who the parent was by then. */
  listed = false;
  /** The process itself, while it lives and runs that program; else what it was follows. */
  thread: Thread | undefined = undefined;
  comm = MISSING;
  exe = MISSING;
  exepath = MISSING;
  args: Uint8Array = NO_BYTES;
  /** Whether `args` are all; there was no room for them else. */
  hasArgs = true;
  /** When it was made, ns since the epoch; 0 where only its own events tell. */
  madeNs = 0;
  /** Whether somebody said who made it. */
  linked = false;
  recent = false;
  firstBorn: Birth | undefined = undefined;
  nextBorn: Birth | undefined = undefined;
  previousBorn: Birth | undefined = undefined;

  constructor(pid: number) {
    this.pid = pid;
  }
}
