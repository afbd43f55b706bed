// The tables that handlers of events change and that state blocks fill: threads, descriptors,
// strings, users, containers, interfaces. Nothing here knows an event's meaning.
import type { Event } from "../../events/event.ts";
import { OwnFiles } from "../../events/own_files.ts";
import { AddressText } from "./address.ts";
import { CL_FILES } from "./clone_flags.ts";
import { type Container, Containers } from "./containers.ts";
import { Entries } from "./entries.ts";
import { FurtherNames } from "./further_names.ts";
import { callerNameOf, type Fd } from "./fd.ts";
import { type FdBudget, FdTable } from "./fd_table.ts";
import { Interfaces } from "./interfaces.ts";
import { AT_FDCWD, Paths } from "./paths.ts";
import { EMPTY, MISSING, Strings } from "./strings.ts";
import { Thread, ThreadFlag } from "./thread.ts";
import { type ThreadCounts, ThreadTable } from "./thread_table.ts";
import { type Group, type User, Users } from "./users.ts";
import { lighten, markHeld, weightOf } from "./weight.ts";

/** Events between two looks at whether strings or threads are to be let go. */
const UPKEEP_EVENTS = 1 << 8;
/** Threads that are looked up in that time: one takes as long as hundreds of events. */
const LOOK_UPS = 16;
/** Beyond it strings that nobody holds are swept: with 64 MB the process grew to 230 MB. */
const STRING_BYTES_MAX = 12 << 20;

/** What an event says of its descriptor: a part of the Context. */
export interface FdPlace {
  thread: Thread | undefined;
  fd: Fd | undefined;
  fdNumber: number;
}

/** What the tables ask for when they lack something: who is asked fills them. */
export interface Beyond {
  /** A thread that no event told of; absent: it is made up. */
  readonly lookUp?: (tid: number) => void;
  /** Users of a container without a name; whether there was an answer. */
  readonly learnAccounts?: (containerId: string, pids: Iterable<number>) => boolean;
}

export interface TableOptions {
  /** Which paths count where an event has kernel-resolved ones: `engine.paths`. */
  paths: "both" | "kernel" | "caller";
  /** Threads held at the most (Falco's thread_table_size): more are refused, as in Falco, or, with
   * `isAlive`, others give way to them. Both are counted. */
  threadsMax: number;
  /** Descriptors held at the most over all processes. */
  fdsMax: number;
  /** What threads, descriptors, names and arguments may take together, about; absent: all. */
  bytesMax?: number;
  /** Called when much was let go for that. */
  onLighten?: () => void;
  hostname: string;
  /** Whether `fd.types` is listed in Falco's order: a rule shows it. Costs time. */
  fdsOrdered?: boolean;
  /** Memory of interned strings from which on unused ones are freed. Default: 64 MiB. */
  stringBytesMax?: number;
  /** Whether a thread is still alive, asked every 300 s of event time for those that were idle so
   * long; without it nothing is purged, as on captures. */
  isAlive?: (tid: number) => boolean;
}

export interface MachineStats extends ThreadCounts {
  threads: number;
  fds: number;
  strings: number;
  /** Bytes of those. */
  stringBytes: number;
  /** Strings that sweeps freed, and how many sweeps there were. */
  stringsFreed: number;
  stringSweeps: number;
  /** Threads whose arguments were let go, since the tables took too much. */
  argumentsForgotten: number;
  containers: number;
  /** Users and groups. */
  users: number;
  fdsRefused: number;
  /** Users and groups that the bound refused. */
  usersRefused: number;
  /** Containers that made room for newer ones. */
  containersEvicted: number;
  interfacesRefused: number;
  /** Calls that an old capture told when they were entered, and that made room for others. */
  entriesDropped: number;
  /** Unknown threads that were made up, since many had been looked up just before. */
  lookUpsRefused: number;
  fdLookupsFailed: number;
  /** Descriptors that the kernel knew to be others than the table had. */
  fdsReplaced: number;
  fdsAdded: number;
  fdsRemoved: number;
}

export class Tables extends ThreadTable {
  readonly strings = new Strings();
  readonly paths = new Paths(this.strings);
  readonly addresses = new AddressText(this.strings);
  readonly users = new Users();
  readonly containers: Containers = new Containers(this.strings);
  readonly interfaces = new Interfaces();
  readonly entries = new Entries();
  /** What the kernel says of the present event's descriptors, and of further names. */
  readonly files = new OwnFiles();
  readonly further = new FurtherNames();
  readonly options: TableOptions;
  readonly hostname: string;
  readonly kernelPaths: boolean;
  /** Whether the caller's names are kept beside the kernel's. */
  readonly bothPaths: boolean;
  readonly unknownText: number = this.strings.internText("<NA>");
  readonly dotSlash: number = this.strings.internText("./");
  readonly unknownDirectory: number = this.strings.internText("<UNKNOWN>");
  readonly budget: FdBudget;
  readonly counts = {
    fdLookupsFailed: 0,
    fdsReplaced: 0,
    lookUpsRefused: 0,
    stringsFreed: 0,
    stringSweeps: 0,
    argumentsForgotten: 0,
  };
  bootTs = 0n;
  cpus = 0;
  memoryBytes = 0n;
  pidMax = 0n;
  eventContainer: Container | undefined = undefined;

  /** Thread to remove (it exited then, ns since the epoch), and descriptor to close, when the next
   * event comes; 0 and -1: none. */
  pendingExit = 0;
  pendingExitNs = 0;
  pendingClose = -1;
  pendingCloseFds: FdTable | undefined = undefined;

  #beyond: Beyond = {};
  readonly #stringBytesMax: number;
  #sweepAt: number;
  #lightenAt: number;
  #upkeepIn = UPKEEP_EVENTS;
  #lookUpsLeft = LOOK_UPS;

  constructor(options: TableOptions) {
    super(options.threadsMax, options.isAlive !== undefined);
    this.options = options;
    this.hostname = options.hostname;
    this.kernelPaths = options.paths !== "caller";
    this.bothPaths = options.paths === "both";
    this.budget = {
      held: 0,
      max: options.fdsMax,
      refused: 0,
      added: 0,
      removed: 0,
      ordered: options.fdsOrdered ?? false,
    };
    this.#stringBytesMax = options.stringBytesMax ?? STRING_BYTES_MAX;
    this.#sweepAt = this.#stringBytesMax;
    this.#lightenAt = options.bytesMax ?? Infinity;
  }

  /** Whether there is a machine to ask beside the events: not on captures. */
  get isLive(): boolean {
    return this.#beyond.lookUp !== undefined;
  }

  /** Says who is asked for what the tables lack. */
  askBeyond(beyond: Beyond): void {
    this.#beyond = beyond;
  }

  orderFds(wanted: boolean): void {
    if (this.budget.ordered === wanted) return;
    this.budget.ordered = wanted;
    for (const { fds } of this.threads.values()) fds?.keepOrder(wanted);
  }

  /** Forgets everything that state blocks and events told: another section of a capture begins. */
  reset(): void {
    this.clearThreads();
    this.interfaces.clear();
    this.users.clear();
    this.containers.clear();
    this.entries.clear();
    this.eventContainer = undefined;
    this.bootTs = this.memoryBytes = this.pidMax = 0n;
    this.cpus = 0;
    this.budget.held = 0;
    this.pendingExit = 0;
    this.pendingClose = -1;
  }

  /** As `find`; one that is not known is looked up, or made up. Undefined: the table is full. */
  get(tid: number): Thread | undefined {
    const known = this.find(tid);
    if (known !== undefined) {
      if (this.options.isAlive !== undefined) known.seen = this.now;
      return known;
    }
    const found = this.#lookUp(tid);
    if (found !== undefined) return found;
    const made = new Thread(tid, -1);
    made.ptid = -1;
    made.reaperTid =
      made.vtid =
      made.vpid =
      made.sid =
      made.vpgid =
      made.pgid =
        -1;
    made.comm = made.exe = this.unknownText;
    made.flags = ThreadFlag.Invalid;
    return this.add(made);
  }

  fdsOf(thread: Thread): FdTable | undefined {
    if ((thread.cloneFlags & CL_FILES) === 0 || thread.isMain) return thread.fds;
    return thread.group?.main?.fds;
  }

  /** The thread whose descriptors a thread has. */
  ownerOf(thread: Thread): Thread | undefined {
    return (thread.cloneFlags & CL_FILES) === 0 || thread.isMain ? thread : thread.group?.main;
  }

  /** The same, made where there is none yet. */
  fdsToChange(thread: Thread): FdTable | undefined {
    const owner = this.ownerOf(thread);
    if (owner === undefined) return undefined;
    return owner.fds ??= new FdTable(this.budget);
  }

  /** A thread that is not in the table as the machine has it now; undefined where it is gone. */
  lookUpNew(tid: number): Thread | undefined {
    return this.threads.has(tid) ? undefined : this.#lookUp(tid);
  }

  #lookUp(tid: number): Thread | undefined {
    const { lookUp } = this.#beyond;
    if (lookUp === undefined) return undefined;
    if (this.#lookUpsLeft === 0) {
      this.counts.lookUpsRefused++;
      return undefined;
    }
    this.#lookUpsLeft--;
    lookUp(tid);
    return this.threads.get(tid);
  }

  /** Puts a descriptor in the thread's table and makes it the event's. */
  setFd(place: FdPlace, number: number, fd: Fd): void {
    place.fdNumber = number;
    const fds = this.fdsToChange(place.thread!);
    place.fd = fds === undefined ? undefined : fd;
    if (fds !== undefined && number >= 0) fds.set(number, fd);
  }

  /** `caller`: by the names that the process used, here and below. */
  cwdOf(thread: Thread, caller = false): number {
    const main = thread.isMain ? thread : thread.group?.main;
    if (main === undefined) return this.dotSlash;
    return caller && main.callerCwd !== MISSING ? main.callerCwd : main.cwd;
  }

  directoryOf(thread: Thread, dirfd: number, path: number, caller = false): number {
    const strings = this.strings;
    if (path > 0 && strings.byteAt(path, 0) === 47) return EMPTY;
    if (dirfd === AT_FDCWD) return this.cwdOf(thread, caller);
    const fd = this.fdsOf(thread)?.get(dirfd);
    if (fd === undefined || dirfd < 0) return this.unknownDirectory;
    const name = caller ? callerNameOf(fd) : fd.name;
    return name === EMPTY ? EMPTY : this.paths.withSlash(name);
  }

  join(directory: number, path: number): number {
    return this.paths.join(directory, path);
  }

  /** `join` of `directoryOf`, at less cost. */
  pathAt(thread: Thread, dirfd: number, path: number, caller = false): number {
    const strings = this.strings;
    if (path > 0 && strings.byteAt(path, 0) === 47) return this.paths.join(EMPTY, path);
    if (dirfd === AT_FDCWD) return this.paths.join(this.cwdOf(thread, caller), path);
    const fd = dirfd < 0 ? undefined : this.fdsOf(thread)?.get(dirfd);
    if (fd === undefined) return this.paths.join(this.unknownDirectory, path);
    return this.paths.joinBelow(caller ? callerNameOf(fd) : fd.name, path);
  }

  /** As `pathAt`; an empty path is the descriptor itself (AT_EMPTY_PATH), where there is one. */
  namedAt(thread: Thread, dirfd: number, path: number, caller = false): number {
    if (path !== EMPTY || dirfd < 0) return this.pathAt(thread, dirfd, path, caller);
    const fd = this.fdsOf(thread)?.get(dirfd);
    return fd === undefined ? EMPTY : caller ? callerNameOf(fd) : fd.name;
  }

  /** One of the paths that the kernel acted on; MISSING: there is none, or none is asked for. */
  kernelPath(event: Event, which: number): number {
    if (!event.hasOwn || !this.kernelPaths) return MISSING;
    const index = event.own(which);
    return event.paramLength(index) > 0 ? this.text(event, index) : MISSING;
  }

  /** Interns a NUL-terminated parameter, which is probably `like`; EMPTY: empty, or absent. */
  text(event: Event, index: number, like: number = EMPTY): number {
    if (event.paramLength(index) === 0) return EMPTY;
    const start = event.param(index);
    return this.strings.internView(event.view, event.bytes, start, event.textEnd(index), like);
  }

  user(containerId: string, uid: number, pid: number): User | undefined {
    return this.users.user(containerId, uid) ??
      (this.#learnAccounts(containerId, pid) ? this.users.user(containerId, uid) : undefined);
  }

  group(containerId: string, gid: number, pid: number): Group | undefined {
    return this.users.group(containerId, gid) ??
      (this.#learnAccounts(containerId, pid) ? this.users.group(containerId, gid) : undefined);
  }

  /** Asks for the container's users anew; whether there was an answer. */
  #learnAccounts(containerId: string, pid: number): boolean {
    if (this.#beyond.learnAccounts?.(containerId, this.alongside(pid)) !== true) {
      return false;
    }
    this.lineage++;
    return true;
  }

  container(id: string): Container | undefined {
    return this.containers.get(id);
  }

  isLocal(ip: Uint8Array): boolean {
    return this.interfaces.has(ip);
  }

  stats(): MachineStats {
    let fds = 0;
    for (const thread of this.threads.values()) fds += thread.fds?.size ?? 0;
    return {
      ...this.threadCounts,
      ...this.counts,
      threads: this.threads.size,
      fds,
      strings: this.strings.live,
      stringBytes: this.strings.liveBytes,
      containers: this.containers.size,
      users: this.users.size,
      fdsRefused: this.budget.refused,
      usersRefused: this.users.refused,
      containersEvicted: this.containers.evicted + this.containers.cluster.evicted,
      interfacesRefused: this.interfaces.refused,
      entriesDropped: this.entries.dropped,
      fdsAdded: this.budget.added,
      fdsRemoved: this.budget.removed,
    };
  }

  /** Takes out the thread whose exit the last event told. */
  finishExit(timeNs: number): void {
    const tid = this.pendingExit;
    this.pendingExit = 0;
    this.removeExited(tid, timeNs);
  }

  /** Takes out the descriptor that the last event closed. */
  finishClose(): void {
    this.pendingCloseFds!.delete(this.pendingClose);
    this.pendingClose = -1;
  }

  /** What need not be done at each event: strings and threads that nobody needs are let go. */
  keepUp(event: Event): void {
    if (--this.#upkeepIn > 0) return;
    this.#upkeepIn = UPKEEP_EVENTS;
    this.#lookUpsLeft = LOOK_UPS;
    if (this.strings.weight > this.#sweepAt) this.sweepStrings();
    this.keepWithin();
    this.now = event.view.getUint32(event.offset + 4, true);
    if (this.options.isAlive !== undefined) this.purge(this.options.isAlive);
  }

  /** Frees the strings that no table holds. */
  sweepStrings(): void {
    const before = this.strings.live;
    this.strings.sweep((mark) => markHeld(this, mark));
    this.containers.forgetMatches(this.threads);
    this.counts.stringsFreed += before - this.strings.live;
    this.counts.stringSweeps++;
    this.#sweepAt = Math.max(this.#stringBytesMax, this.strings.weight * 2);
    this.lineage++;
  }

  keepWithin(): void {
    if (weightOf(this) <= this.#lightenAt) return;
    this.#lightenAt = lighten(this, this.options.bytesMax!);
    this.options.onLighten?.();
  }
}
