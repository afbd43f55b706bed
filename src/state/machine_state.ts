// The tables behind `Machine`, and the steps that every event takes: what the last event left to
// remove, the event's thread, its descriptor, then the handler of its kind (the *_events.ts files).
import { EVENTS } from "../events/table.ts";
import type { Event } from "../events/event.ts";
import { AddressText } from "./address.ts";
import { CL_FILES } from "./clone_flags.ts";
import { Containers } from "./containers.ts";
import { type Context, MISSING_FD } from "./context.ts";
import { dumpMachine } from "./dump.ts";
import { type Fd, newFile } from "./fd.ts";
import { nameFromEvent } from "./fd_names.ts";
import { type FdBudget, FdTable } from "./fd_table.ts";
import { Interfaces } from "./interfaces.ts";
import type { Container, Group, Machine, MachineOptions, MachineStats, User } from "./machine.ts";
import { AT_FDCWD, Paths } from "./paths.ts";
import { timeNs } from "./results.ts";
import { adopt, disown } from "./siblings.ts";
import { Snapshot } from "./snapshot.ts";
import { EMPTY, MISSING, Strings } from "./strings.ts";
import { Thread, ThreadFlag, ThreadGroup } from "./thread.ts";
import { Users } from "./users.ts";

/** What one kind of event does to the tables. */
export type Handler = (machine: MachineState, context: Context) => void;

/** Bits of TRAITS, by event code. */
const NO_THREAD = 1;
const NO_LOOKUP = 2;
const SHOWS_FD = 4;
const TRAITS = Uint8Array.from(EVENTS, (event) => {
  let traits = 0;
  const meta = /^(CONTAINER|USER_|GROUP_|PLUGINEVENT|ASYNCEVENT)/.test(event.id);
  if (event.flags.has("skip_parse_reset") || meta) traits |= NO_THREAD;
  if (/^(SYSCALL_(CLONE|CLONE3|FORK|VFORK)(_\d+)?_X|PROCEXIT|SCHEDSWITCH)/.test(event.id)) {
    traits |= NO_LOOKUP;
  }
  const flags = event.flags;
  if (flags.has("creates_fd") || flags.has("uses_fd") || flags.has("destroys_fd")) {
    traits |= SHOWS_FD;
  }
  return traits;
});
/** Events that belong to a capture's state where they stand at its beginning. */
const OPENING = Uint8Array.from(
  EVENTS,
  (event) => /^(CONTAINER_JSON_2|USER_|GROUP_|ASYNCEVENT)/.test(event.id) ? 1 : 0,
);
/** Parameter that holds the descriptor that the event uses, by event code; -1: none. */
const FD_PARAM = Int8Array.from(EVENTS, (event) => {
  if (!event.flags.has("uses_fd") || event.code % 2 === 0) return -1;
  if (event.name === "splice") return 2;
  return event.params.findIndex((param, index) => index > 0 && param.type === "FD");
});

const RECENT = 1 << 8;
const EXITED = 1 << 13;
const STALE_NS = 2e9;
/** 300 s in units of 2^32 ns, the high half of a timestamp. */
const PURGE_PERIOD = 70;
const STRING_BYTES_MAX = 64 << 20;

export class MachineState implements Machine {
  readonly strings = new Strings();
  readonly paths = new Paths(this.strings);
  readonly addresses = new AddressText(this.strings);
  readonly users = new Users();
  readonly containers: Containers = new Containers(this.strings);
  readonly interfaces = new Interfaces();
  readonly threads = new Map<number, Thread>();
  readonly groups = new Map<number, ThreadGroup>();
  readonly options: MachineOptions;
  readonly hostname: string;
  readonly kernelPaths: boolean;
  readonly unknownText: number = this.strings.internText("<NA>");
  readonly dotSlash: number = this.strings.internText("./");
  readonly unknownDirectory: number = this.strings.internText("<UNKNOWN>");
  readonly budget: FdBudget;
  readonly snapshot: Snapshot = new Snapshot(this);
  lineage = 1;
  bootTs = 0n;
  cpus = 0;
  memoryBytes = 0n;
  pidMax = 0n;
  eventContainer: Container | undefined = undefined;

  /** Thread to remove, and descriptor to close, when the next event comes; 0 and -1: none. */
  pendingExit = 0;
  /** When it exited, ns since the epoch. */
  pendingExitNs = 0;
  pendingCloseTid = 0;
  pendingClose = -1;

  readonly #handlers: readonly (Handler | undefined)[];
  readonly #recent: (Thread | undefined)[] = new Array(RECENT).fill(undefined);
  readonly #files: (Fd | undefined)[] = new Array(1 << 14).fill(undefined);
  readonly #exitedTids = new Int32Array(EXITED);
  readonly #exitedParents = new Int32Array(EXITED);
  readonly #exitedTimes = new Float64Array(EXITED);
  readonly #stringBytesMax: number;
  #sweepAt: number;
  #purgeAt = 0;
  #now = 0;
  #started = false;
  readonly #counts = {
    threadsRefused: 0,
    threadsPurged: 0,
    threadLookupsFailed: 0,
    fdLookupsFailed: 0,
    threadsAdded: 0,
    threadsRemoved: 0,
    stringsFreed: 0,
    stringSweeps: 0,
  };

  constructor(options: MachineOptions, handlers: readonly (Handler | undefined)[]) {
    this.options = options;
    this.hostname = options.hostname;
    this.kernelPaths = options.paths === "kernel";
    this.budget = { held: 0, max: options.fdsMax, refused: 0, added: 0, removed: 0 };
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
    this.threads.clear();
    this.groups.clear();
    this.#recent.fill(undefined);
    this.interfaces.clear();
    this.budget.held = 0;
    this.pendingExit = 0;
    this.pendingClose = -1;
    this.lineage++;
  }

  apply(context: Context): void {
    const event = context.event;
    const code = event.code;
    if (this.snapshot.unsettled) this.snapshot.settle();
    if (!this.#started) this.#start(context);
    if (this.pendingExit !== 0) {
      this.#finishExit(timeNs(event));
      if (this.options.isAlive !== undefined) this.#purge(event);
    }
    if (this.pendingClose >= 0) this.#finishClose();
    if (this.strings.liveBytes > this.#sweepAt) this.#sweep();
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
      if (param >= 0 && event.paramLength(param) >= 4) {
        number = event.int32(param);
        fd = this.fdsOf(thread)?.get(number);
        if (fd === undefined) this.#counts.fdLookupsFailed++;
        else nameBefore = fd.name;
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

  /** The thread of a tid, if it is in the table. */
  find(tid: number): Thread | undefined {
    const slot = tid & (RECENT - 1);
    const recent = this.#recent[slot];
    if (recent !== undefined && recent.tid === tid) return recent;
    const thread = this.threads.get(tid);
    if (thread === undefined) this.#counts.threadLookupsFailed++;
    else this.#recent[slot] = thread;
    return thread;
  }

  /** As `find`; one that is not known is looked up, or made up. Undefined when the table is full. */
  get(tid: number): Thread | undefined {
    const known = this.find(tid);
    if (known !== undefined) {
      if (this.options.isAlive !== undefined) known.seen = this.#now;
      return known;
    }
    const looked = this.options.lookUp?.(tid);
    if (looked !== undefined && looked.length > 0) {
      this.snapshot.loadBlocks(looked);
      this.snapshot.settle();
      const found = this.threads.get(tid);
      if (found !== undefined) return found;
    }
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

  /** Puts a thread in the table, and, unless it comes from a state dump, among its kin. */
  add(thread: Thread): Thread | undefined {
    if (this.threads.size >= this.options.threadsMax && !this.threads.has(thread.tid)) {
      this.#counts.threadsRefused++;
      return undefined;
    }
    if ((thread.flags & ThreadFlag.FromSnapshot) === 0) this.relate(thread);
    this.threads.set(thread.tid, thread);
    this.#recent[thread.tid & (RECENT - 1)] = thread;
    thread.seen = this.#now;
    this.#counts.threadsAdded++;
    return thread;
  }

  /** Gives a thread its process and its parent. */
  relate(thread: Thread): void {
    if (thread.isInvalid || thread.group !== undefined) return;
    let group = this.groups.get(thread.pid);
    if (group === undefined) {
      group = new ThreadGroup(thread.pid, thread.pid === 1 || thread.vpid === 1);
      this.groups.set(thread.pid, group);
    }
    thread.group = group;
    group.alive++;
    if (thread.isMain) group.main = thread;
    else group.others.push(thread);
    if (thread.pid === 1) return;
    const parent = this.threads.get(thread.ptid);
    if (parent === undefined || parent.isInvalid) thread.ptid = 0;
    else adopt(parent, thread);
  }

  /** To be called after every change to a thread that a field can see. */
  changed(thread: Thread): void {
    thread.version++;
    if (
      thread.firstChild !== undefined || thread.pgid === thread.pid ||
      thread.sid === thread.pid || thread.vpgid === thread.pid ||
      (thread.group !== undefined && thread.group.others.length > 0)
    ) this.lineage++;
  }

  /** Takes a thread out of the table; its children go to whom the kernel, or kinship, says. */
  remove(tid: number): void {
    const thread = this.threads.get(tid);
    if (thread === undefined) {
      this.#counts.threadLookupsFailed++;
      return;
    }
    const group = thread.group;
    if (thread.isInvalid || group === undefined) {
      this.#forget(thread);
      return;
    }
    if (!thread.isDead) {
      group.alive--;
      thread.flags |= ThreadFlag.Dead;
    }
    if (thread.firstChild !== undefined) this.#reparent(thread, group);
    if (group.alive <= 0) {
      this.groups.delete(thread.pid);
      const main = this.threads.get(thread.pid);
      if (main !== undefined) this.#forget(main);
    }
    if (!thread.isMain) {
      const place = group.others.indexOf(thread);
      if (place >= 0) group.others.splice(place, 1);
      this.#forget(thread);
    }
  }

  /** Whether the parent's thread ended less than two seconds before `timeNs`. */
  exitedRecently(tid: number, ptid: number, timeNs: number): boolean {
    const slot = tid & (EXITED - 1);
    const age = timeNs - this.#exitedTimes[slot]!;
    return this.#exitedTids[slot] === tid && this.#exitedParents[slot] === ptid && age >= 0 &&
      age < STALE_NS;
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

  /** Puts a descriptor in the thread's table and makes it the event's. */
  setFd(context: Context, number: number, fd: Fd): void {
    context.fdNumber = number;
    const fds = this.fdsToChange(context.thread!);
    context.fd = fds === undefined ? undefined : fd;
    if (fds !== undefined && number >= 0) fds.set(number, fd);
  }

  /** A file's descriptor: one object for as long as the same file is opened in the same way. */
  file(name: number, raw: number, flags: number, dev: number, ino: number | bigint): Fd {
    const slot = (Math.imul(name, 0x9e3779b1) ^ Math.imul(flags, 0x85ebca6b)) >>> 18;
    const last = this.#files[slot];
    if (
      last !== undefined && last.name === name && last.nameRaw === raw &&
      last.openFlags === flags && last.ino === ino && last.dev === dev
    ) return last;
    return this.#files[slot] = newFile(name, raw, flags, dev, ino);
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

  mainOf(thread: Thread): Thread | undefined {
    return thread.isMain ? thread : thread.group?.main;
  }

  parentOf(thread: Thread): Thread | undefined {
    return this.ancestorOf(thread, 1);
  }

  ancestorOf(thread: Thread, level: number): Thread | undefined {
    let found = this.mainOf(thread);
    for (let step = 0; step < level && found !== undefined; step++) {
      const above = this.threads.get(found.ptid);
      found = above === undefined ? undefined : this.mainOf(above);
    }
    return found;
  }

  sessionLeaderOf(thread: Thread): Thread | undefined {
    return this.#leaderOf(thread, (other) => other.sid, thread.isInPidNamespace);
  }

  groupLeaderOf(thread: Thread, which: "pgid" | "vpgid"): Thread | undefined {
    return which === "pgid"
      ? this.#leaderOf(thread, (other) => other.pgid, false)
      : this.#leaderOf(thread, (other) => other.vpgid, thread.isInPidNamespace);
  }

  user(containerId: string, uid: number): User | undefined {
    return this.users.user(containerId, uid);
  }

  group(containerId: string, gid: number): Group | undefined {
    return this.users.group(containerId, gid);
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
    const slot = tid & (EXITED - 1);
    this.#exitedTids[slot] = tid;
    this.#exitedParents[slot] = this.threads.get(tid)?.ptid ?? -1;
    this.#exitedTimes[slot] = timeNs;
    this.remove(tid);
  }

  #finishClose(): void {
    const thread = this.find(this.pendingCloseTid);
    if (thread !== undefined) this.fdsOf(thread)?.delete(this.pendingClose);
    this.pendingClose = -1;
  }

  #forget(thread: Thread): void {
    const parent = thread.parent;
    if (parent !== undefined) disown(parent, thread);
    thread.fds?.drop();
    if (this.threads.get(thread.tid) === thread) this.threads.delete(thread.tid);
    this.#recent[thread.tid & (RECENT - 1)] = undefined;
    this.#counts.threadsRemoved++;
    if (thread.pgid === thread.pid || thread.sid === thread.pid) this.lineage++;
  }

  #reparent(thread: Thread, group: ThreadGroup): void {
    let reaper = thread.reaperTid > 0 ? this.threads.get(thread.reaperTid) : undefined;
    if (reaper === undefined || reaper.isInvalid || reaper === thread) {
      reaper = this.#findReaper(thread, group);
    }
    if (reaper !== undefined) {
      thread.reaperTid = reaper.tid;
      if (reaper.pid !== thread.pid && reaper.group !== undefined) reaper.group.reaper = true;
    }
    for (let child = thread.firstChild; child !== undefined; child = thread.firstChild) {
      disown(thread, child);
      if (reaper === undefined || reaper === child) child.ptid = 0;
      else adopt(reaper, child);
      child.version++;
    }
    this.lineage++;
  }

  #findReaper(thread: Thread, group: ThreadGroup): Thread | undefined {
    const own = aliveIn(group, thread);
    if (own !== undefined) return own;
    const seen = new Set([thread.tid]);
    let above = this.threads.get(thread.ptid);
    while (above !== undefined && !seen.has(above.tid)) {
      seen.add(above.tid);
      if (above.isInPidNamespace !== thread.isInPidNamespace) return undefined;
      if (above.group?.reaper) {
        const found = aliveIn(above.group, thread);
        if (found !== undefined) return found;
      }
      above = this.threads.get(above.ptid);
    }
    return undefined;
  }

  #leaderOf(
    thread: Thread,
    idOf: (thread: Thread) => number,
    onlyAncestors: boolean,
  ): Thread | undefined {
    const id = idOf(thread);
    if (id === -1) return undefined;
    if (!onlyAncestors) {
      const leader = this.threads.get(id);
      if (leader !== undefined) return leader;
    }
    let leader: Thread | undefined = undefined;
    const seen = new Set<Thread>();
    let above = this.threads.get(thread.ptid);
    while (above !== undefined && above.tid !== -1 && idOf(above) === id && !seen.has(above)) {
      leader = above;
      seen.add(above);
      above = this.threads.get(above.ptid);
    }
    return leader;
  }

  #purge(event: Event): void {
    this.#now = event.view.getUint32(event.offset + 4, true);
    if (this.#purgeAt === 0) this.#purgeAt = this.#now + PURGE_PERIOD;
    if (this.#now < this.#purgeAt) return;
    this.#purgeAt = this.#now + PURGE_PERIOD;
    const isAlive = this.options.isAlive!;
    for (const thread of [...this.threads.values()]) {
      const idle = thread.seen + PURGE_PERIOD < this.#now;
      if (thread.isInvalid || (idle && !isAlive(thread.tid))) {
        this.remove(thread.tid);
        this.#counts.threadsPurged++;
      }
    }
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
    this.#files.fill(undefined);
    this.#counts.stringsFreed += before - this.strings.live;
    this.#counts.stringSweeps++;
    this.#sweepAt = Math.max(this.#stringBytesMax, this.strings.liveBytes * 2);
    this.lineage++;
  }
}

function aliveIn(group: ThreadGroup, besides: Thread): Thread | undefined {
  if (group.alive <= 0) return undefined;
  const main = group.main;
  if (main !== undefined && main !== besides && !main.isDead) return main;
  return group.others.find((other) => other !== besides && !other.isDead);
}
