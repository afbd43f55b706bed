// The tables behind `Machine`, and the steps that every event takes: what the last event left to
// remove, the event's thread, its descriptor, then the handler of its kind (the *_events.ts files).
import type { Event } from "../../events/event.ts";
import { AddressText } from "./address.ts";
import { CL_FILES } from "./clone_flags.ts";
import { Containers } from "./containers.ts";
import { type Context, MISSING_FD } from "../contract/context.ts";
import { Entries } from "./entries.ts";
import { dumpMachine } from "../snapshot/dump.ts";
import {
  FD_PARAM,
  NO_LOOKUP,
  NO_THREAD,
  OPENING,
  SHOWS_FD,
  TRAITS,
} from "../events/event_traits.ts";
import type { Fd } from "./fd.ts";
import { nameFromEvent } from "../events/fd_names.ts";
import { type FdBudget, FdTable } from "./fd_table.ts";
import { Interfaces } from "./interfaces.ts";
import type {
  Container,
  Group,
  Machine,
  MachineOptions,
  MachineStats,
  User,
} from "../contract/machine.ts";
import { AT_FDCWD, Paths } from "./paths.ts";
import { timeNs } from "./results.ts";
import { Snapshot } from "../snapshot/snapshot.ts";
import { EMPTY, MISSING, Strings } from "./strings.ts";
import { Thread, ThreadFlag } from "./thread.ts";
import { ThreadTable } from "./thread_table.ts";
import { Users } from "./users.ts";

/** What one kind of event does to the tables. */
export type Handler = (machine: MachineState, context: Context) => void;

/** Events between two looks at whether strings or threads are to be let go. */
const UPKEEP_EVENTS = 1 << 8;
/** Threads that are looked up in that time: one takes as long as hundreds of events. */
const LOOK_UPS = 16;
const STRING_BYTES_MAX = 64 << 20;

export class MachineState extends ThreadTable implements Machine {
  readonly strings = new Strings();
  readonly paths = new Paths(this.strings);
  readonly addresses = new AddressText(this.strings);
  readonly users = new Users();
  readonly containers: Containers = new Containers(this.strings);
  readonly interfaces = new Interfaces();
  readonly entries = new Entries();
  readonly options: MachineOptions;
  readonly hostname: string;
  readonly kernelPaths: boolean;
  readonly unknownText: number = this.strings.internText("<NA>");
  readonly dotSlash: number = this.strings.internText("./");
  readonly unknownDirectory: number = this.strings.internText("<UNKNOWN>");
  readonly budget: FdBudget;
  readonly snapshot: Snapshot = new Snapshot(this);
  bootTs = 0n;
  cpus = 0;
  memoryBytes = 0n;
  pidMax = 0n;
  eventContainer: Container | undefined = undefined;

  /** Thread to remove, and descriptor to close, when the next event comes; 0 and -1: none. */
  pendingExit = 0;
  /** When it exited, ns since the epoch. */
  pendingExitNs = 0;
  pendingClose = -1;
  pendingCloseFds: FdTable | undefined = undefined;

  readonly #handlers: readonly (Handler | undefined)[];
  readonly #stringBytesMax: number;
  #sweepAt: number;
  #upkeepIn = UPKEEP_EVENTS;
  #lookUpsLeft = LOOK_UPS;
  #started = false;
  readonly #counts = {
    fdLookupsFailed: 0,
    lookUpsRefused: 0,
    stringsFreed: 0,
    stringSweeps: 0,
  };

  constructor(options: MachineOptions, handlers: readonly (Handler | undefined)[]) {
    super(options.threadsMax);
    this.options = options;
    this.hostname = options.hostname;
    this.kernelPaths = options.paths === "kernel";
    this.budget = {
      held: 0,
      max: options.fdsMax,
      refused: 0,
      added: 0,
      removed: 0,
      ordered: options.fdsOrdered ?? false,
    };
    this.#handlers = handlers;
    this.#stringBytesMax = options.stringBytesMax ?? STRING_BYTES_MAX;
    this.#sweepAt = this.#stringBytesMax;
  }

  load(blockType: number, bytes: Uint8Array, start: number, end: number): void {
    this.snapshot.load(blockType, bytes, start, end);
  }

  dump(time: bigint): Uint8Array {
    return dumpMachine(this, time);
  }

  settle(): void {
    if (this.snapshot.unsettled) this.snapshot.settle();
    if (this.pendingExit !== 0) this.#finishExit(this.pendingExitNs);
    if (this.pendingClose >= 0) this.#finishClose();
  }

  /** Forgets everything that state blocks and events told: another section of a capture begins. */
  reset(): void {
    this.clearThreads();
    this.interfaces.clear();
    this.budget.held = 0;
    this.pendingExit = 0;
    this.pendingClose = -1;
  }

  apply(context: Context): void {
    const event = context.event;
    const code = event.code;
    if (this.snapshot.unsettled) this.snapshot.settle();
    if (!this.#started) this.#start(context);
    if (this.pendingExit !== 0) this.#finishExit(timeNs(event));
    if (this.pendingClose >= 0) this.#finishClose();
    if (--this.#upkeepIn === 0) this.#keepUp(event);
    this.eventContainer = undefined;

    const traits = TRAITS[code]!;
    context.fd = undefined;
    context.fdNameChanged = false;
    if (traits & (NO_THREAD | NO_LOOKUP)) {
      context.thread = traits & NO_THREAD ? undefined : this.find(event.tid);
    } else {
      context.thread = this.get(event.tid);
    }
    let fd: Fd | undefined = undefined;
    let number = -1;
    let nameBefore = EMPTY;
    const thread = context.thread;
    if (thread !== undefined) {
      const param = FD_PARAM[code]!;
      if (param >= 0) {
        const at = event.offsets(param + 1);
        if (at[param + 1]! - at[param]! >= 4) {
          number = event.view.getInt32(at[param]!, true);
          const fds = this.fdsOf(thread);
          if (fds !== undefined) fd = fds.get(number);
          if (fd === undefined) this.#counts.fdLookupsFailed++;
          else nameBefore = fd.name;
        }
      }
    }
    context.fd = fd;
    context.fdNumber = number;
    const handler = this.#handlers[code];
    if (handler !== undefined) handler(this, context);

    const after = context.thread;
    context.process = after === undefined ? undefined : after.group?.main ?? after;
    if (!(traits & SHOWS_FD) || after === undefined) {
      context.fdNumber = MISSING_FD;
      context.fdName = context.fdNameRaw = MISSING;
      return;
    }
    const now = context.fd;
    if (now === undefined) {
      nameFromEvent(this, context, after);
      return;
    }
    context.fdName = now.name;
    context.fdNameRaw = now.nameRaw;
    context.fdNameChanged = now.name !== (fd === undefined ? EMPTY : nameBefore);
  }

  /** What a capture tells of users and containers before its first other event is part of its
   * state: rules do not see it, and `evt.reltime` counts from the event behind. */
  #start(context: Context): void {
    const { event } = context;
    if (OPENING[event.code] === 1) {
      event.stateOnly = true;
      return;
    }
    this.#started = true;
    context.firstEventTs = event.time();
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

  /** The same, made where there is none yet. */
  fdsToChange(thread: Thread): FdTable | undefined {
    const owner = (thread.cloneFlags & CL_FILES) === 0 || thread.isMain
      ? thread
      : thread.group?.main;
    if (owner === undefined) return undefined;
    return owner.fds ??= new FdTable(this.budget);
  }

  #lookUp(tid: number): Thread | undefined {
    const { lookUp } = this.options;
    if (lookUp === undefined) return undefined;
    if (this.#lookUpsLeft === 0) {
      this.#counts.lookUpsRefused++;
      return undefined;
    }
    this.#lookUpsLeft--;
    const blocks = lookUp(tid);
    if (blocks.length === 0) return undefined;
    this.snapshot.loadBlocks(blocks);
    this.snapshot.settle();
    return this.threads.get(tid);
  }

  /** Puts a descriptor in the thread's table and makes it the event's. */
  setFd(context: Context, number: number, fd: Fd): void {
    context.fdNumber = number;
    const fds = this.fdsToChange(context.thread!);
    context.fd = fds === undefined ? undefined : fd;
    if (fds !== undefined && number >= 0) fds.set(number, fd);
  }

  cwdOf(thread: Thread): number {
    const main = thread.isMain ? thread : thread.group?.main;
    return main === undefined ? this.dotSlash : main.cwd;
  }

  directoryOf(thread: Thread, dirfd: number, path: number): number {
    const strings = this.strings;
    if (path > 0 && strings.byteAt(path, 0) === 47) return EMPTY;
    if (dirfd === AT_FDCWD) return this.cwdOf(thread);
    const fd = this.fdsOf(thread)?.get(dirfd);
    if (fd === undefined || dirfd < 0) return this.unknownDirectory;
    return fd.name === EMPTY ? EMPTY : this.paths.withSlash(fd.name);
  }

  join(directory: number, path: number): number {
    return this.paths.join(directory, path);
  }

  /** `join` of `directoryOf`, at less cost. */
  pathAt(thread: Thread, dirfd: number, path: number): number {
    const strings = this.strings;
    if (path > 0 && strings.byteAt(path, 0) === 47) return this.paths.join(EMPTY, path);
    if (dirfd === AT_FDCWD) return this.paths.join(this.cwdOf(thread), path);
    const fd = dirfd < 0 ? undefined : this.fdsOf(thread)?.get(dirfd);
    if (fd === undefined) return this.paths.join(this.unknownDirectory, path);
    return this.paths.joinBelow(fd.name, path);
  }

  /** Interns a NUL-terminated parameter; EMPTY where it is empty or absent. */
  text(event: Event, index: number): number {
    if (event.paramLength(index) === 0) return EMPTY;
    const start = event.param(index);
    return this.strings.internView(event.view, event.bytes, start, event.textEnd(index));
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
    const list = this.options.accountsOf?.(containerId, pid);
    if (list === undefined) return false;
    this.snapshot.loadAccounts(containerId, list);
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
      ...this.#counts,
      threads: this.threads.size,
      fds,
      strings: this.strings.live,
      stringBytes: this.strings.liveBytes,
      fdsRefused: this.budget.refused,
      fdsAdded: this.budget.added,
      fdsRemoved: this.budget.removed,
    };
  }

  #finishExit(timeNs: number): void {
    const tid = this.pendingExit;
    this.pendingExit = 0;
    this.removeExited(tid, timeNs);
  }

  #finishClose(): void {
    this.pendingCloseFds!.delete(this.pendingClose);
    this.pendingClose = -1;
  }

  /** What need not be done at each event: strings and threads that nobody needs are let go. */
  #keepUp(event: Event): void {
    this.#upkeepIn = UPKEEP_EVENTS;
    this.#lookUpsLeft = LOOK_UPS;
    if (this.strings.weight > this.#sweepAt) this.#sweep();
    this.now = event.view.getUint32(event.offset + 4, true);
    if (this.options.isAlive !== undefined) this.purge(this.options.isAlive);
  }

  #sweep(): void {
    const before = this.strings.live;
    this.strings.sweep((mark) => {
      for (const thread of this.threads.values()) {
        mark(thread.comm);
        mark(thread.exe);
        mark(thread.exepath);
        mark(thread.cgroups);
        mark(thread.root);
        mark(thread.cwd);
        mark(thread.containerId);
        for (const [, fd] of thread.fds?.entries() ?? []) {
          mark(fd.name);
          mark(fd.nameRaw);
        }
      }
    });
    this.containers.forgetMatches();
    this.#counts.stringsFreed += before - this.strings.live;
    this.#counts.stringSweeps++;
    this.#sweepAt = Math.max(this.#stringBytesMax, this.strings.weight * 2);
    this.lineage++;
  }
}
