// The threads of the machine and how they are related: parents, children, processes, who adopts
// orphans. Nothing here looks at events.
import { Births } from "./births.ts";
import { thoseThatGiveWay } from "./give_way.ts";
import { adopt, disown } from "./siblings.ts";
import { LongLists, Pieces, shortOf } from "./long_lists.ts";
import { SeenBytes } from "./seen_bytes.ts";
import { type Birth, Thread, ThreadFlag, ThreadGroup } from "./thread.ts";

/** Threads that are found without a look at the Map; a power of two. */
const RECENT_MAX = 1 << 8;
/** Exits that are remembered; a power of two. */
const EXITED_MAX = 1 << 13;
/** A creator's event that comes so long after its child's end does not bring it back. */
const STALE_NS = 2e9;
/** 300 s in units of 2^32 ns, the high half of a timestamp. */
const PURGE_PERIOD = 70;

export interface ThreadCounts {
  /** Those that the bound let go, or refused. */
  threadsRefused: number;
  threadsPurged: number;
  threadLookupsFailed: number;
  threadsAdded: number;
  threadsRemoved: number;
  /** Threads of which a list that was too long was shortened. */
  listsShortened: number;
  /** Ancestors of the past that are held, and those that the bounds let go. */
  ancestorsHeld: number;
  ancestorsForgotten: number;
}

export class ThreadTable {
  readonly threads = new Map<number, Thread>();
  readonly groups = new Map<number, ThreadGroup>();
  /** Arguments and environments of threads. */
  readonly seenBytes = new SeenBytes();
  readonly longLists: LongLists = new LongLists((lists) => this.#shorten(lists));
  /** What the present execution tells besides its parameters. */
  readonly pieces = new Pieces();
  lineage = 1;
  readonly threadCounts: ThreadCounts = {
    threadsRefused: 0,
    threadsPurged: 0,
    threadLookupsFailed: 0,
    threadsAdded: 0,
    threadsRemoved: 0,
    listsShortened: 0,
    ancestorsHeld: 0,
    ancestorsForgotten: 0,
  };
  /** Told of each thread that is taken out; its id may be another's from then on. */
  threadGone: ((tid: number) => void) | undefined = undefined;
  readonly births: Births = new Births(this.threadCounts, () => this.lineage++);
  /** The present in units of 2^32 ns, kept where idle threads are purged. */
  protected now = 0;

  readonly #threadsMax: number;
  readonly #givesWay: boolean;
  /** No more are taken, whatever their number. */
  #isFull = false;
  readonly #recent: (Thread | undefined)[] = new Array(RECENT_MAX).fill(undefined);
  readonly #exitedTids = new Int32Array(EXITED_MAX);
  readonly #exitedParents = new Int32Array(EXITED_MAX);
  readonly #exitedTimes = new Float64Array(EXITED_MAX);
  #purgeAt = 0;

  /** `givesWay`: in a full table others give way to a new thread. */
  constructor(threadsMax: number, givesWay: boolean) {
    this.#threadsMax = threadsMax;
    this.#givesWay = givesWay;
  }

  /** Whether new threads are taken from now on. */
  takeThreads(wanted: boolean): void {
    this.#isFull = !wanted;
  }

  /** The thread of a tid, if it is in the table. */
  find(tid: number): Thread | undefined {
    const slot = tid & (RECENT_MAX - 1);
    const recent = this.#recent[slot];
    if (recent !== undefined && recent.tid === tid) return recent;
    const thread = this.threads.get(tid);
    if (thread === undefined) this.threadCounts.threadLookupsFailed++;
    else this.#recent[slot] = thread;
    return thread;
  }

  /** A process, and then the others of its container, the oldest first. */
  *alongside(pid: number): Iterable<number> {
    yield pid;
    const containerId = this.threads.get(pid)?.containerId;
    if (containerId === undefined) return;
    for (const thread of this.threads.values()) {
      if (thread.containerId === containerId && thread.isMain && thread.pid !== pid) {
        yield thread.pid;
      }
    }
  }

  /** Whether a new thread is taken; where the machine can be asked again, others give way to it. */
  #hasRoom(thread: Thread): boolean {
    if (this.#isFull) return false;
    if (this.threads.size < this.#threadsMax) return true;
    if (!this.#givesWay) return false;
    const spared = (other: Thread) =>
      other.tid === thread.ptid || other.tid === thread.pid ||
      this.#recent[other.tid & (RECENT_MAX - 1)] === other;
    this.#letGo(thoseThatGiveWay(this.threads, this.now, spared));
    return this.threads.size < this.#threadsMax;
  }

  /** Takes threads out that nobody descends from; they are alive as far as is known. */
  #letGo(threads: ReadonlySet<Thread>): void {
    const groups = new Set<ThreadGroup>();
    for (const thread of threads) {
      const { group } = thread;
      if (thread.isMain || group === undefined || thread.isInvalid) this.remove(thread.tid);
      else {
        if (!thread.isDead) group.alive--;
        thread.flags |= ThreadFlag.Dead;
        groups.add(group);
        this.#forget(thread);
      }
    }
    // At once: a process may have as many as the table holds.
    for (const group of groups) group.others = group.others.filter((one) => !threads.has(one));
    this.threadCounts.threadsRefused += threads.size;
  }

  /** Puts a thread in the table, and, unless it comes from a state dump, among its kin. */
  add(thread: Thread): Thread | undefined {
    const replaced = this.threads.get(thread.tid);
    if (replaced !== undefined) {
      this.remove(thread.tid);
      // A main thread stays behind its process's other threads.
      if (this.threads.get(thread.tid) === replaced) this.#forget(replaced);
    } else if (!this.#hasRoom(thread)) {
      this.threadCounts.threadsRefused++;
      this.births.ends(thread);
      return undefined;
    }
    if ((thread.flags & ThreadFlag.FromSnapshot) === 0) this.relate(thread);
    this.threads.set(thread.tid, thread);
    this.#recent[thread.tid & (RECENT_MAX - 1)] = thread;
    thread.seen = this.now;
    this.threadCounts.threadsAdded++;
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
    const isKnown = parent !== undefined && !parent.isInvalid;
    if (!isKnown) thread.ptid = 0;
    else adopt(parent, thread);
    if (thread.isMain) this.births.list(thread, isKnown ? this.mainOf(parent) : undefined);
  }

  /** To be called after every change to a thread that a field can see. */
  changed(thread: Thread): void {
    thread.version++;
    if (
      thread.firstChild !== undefined || thread.birth?.firstBorn !== undefined ||
      thread.pgid === thread.pid ||
      thread.sid === thread.pid || thread.vpgid === thread.pid ||
      (thread.group !== undefined && thread.group.others.length > 0)
    ) this.lineage++;
  }

  /** Takes a thread out of the table; its children go to whom the kernel, or kinship, says. */
  remove(tid: number): void {
    const thread = this.threads.get(tid);
    if (thread === undefined) {
      this.threadCounts.threadLookupsFailed++;
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
      if (this.groups.get(group.pid) === group) this.groups.delete(group.pid);
      if (group.main !== undefined) this.#forget(group.main);
    }
    if (!thread.isMain) {
      const place = group.others.indexOf(thread);
      if (place >= 0) group.others.splice(place, 1);
      this.#forget(thread);
    }
  }

  /** Whether the parent's thread ended less than two seconds before `timeNs`. */
  exitedRecently(tid: number, ptid: number, timeNs: number): boolean {
    const slot = tid & (EXITED_MAX - 1);
    const age = timeNs - this.#exitedTimes[slot]!;
    return this.#exitedTids[slot] === tid && this.#exitedParents[slot] === ptid && age >= 0 &&
      age < STALE_NS;
  }

  /** Notes that a thread ended, and takes it out. */
  removeExited(tid: number, timeNs: number): void {
    const slot = tid & (EXITED_MAX - 1);
    this.#exitedTids[slot] = tid;
    this.#exitedParents[slot] = this.threads.get(tid)?.ptid ?? -1;
    this.#exitedTimes[slot] = timeNs;
    this.remove(tid);
  }

  /** The process that made another at that time (ns since the epoch), as its own event told. */
  makerOf(pid: number, madeNs: number): Birth | undefined {
    const process = this.threads.get(pid);
    if (process !== undefined && process.isMain && this.births.isMaker(process, madeNs)) {
      return this.births.of(process);
    }
    return this.births.endedLately(pid);
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

  protected clearThreads(): void {
    this.#isFull = false;
    if (this.threadGone !== undefined) {
      for (const tid of this.threads.keys()) {
        this.threadGone(tid);
      }
    }
    this.threads.clear();
    this.groups.clear();
    this.births.clear();
    this.longLists.clear();
    this.#recent.fill(undefined);
    this.lineage++;
  }

  /** Every 300 s takes out made-up threads, and idle ones that are not alive any more. */
  protected purge(isAlive: (tid: number) => boolean): void {
    if (this.#purgeAt === 0) this.#purgeAt = this.now + PURGE_PERIOD;
    if (this.now < this.#purgeAt) return;
    this.#purgeAt = this.now + PURGE_PERIOD;
    for (const thread of [...this.threads.values()]) {
      const idle = thread.seen + PURGE_PERIOD < this.now;
      if (thread.isInvalid || (idle && !isAlive(thread.tid))) {
        this.remove(thread.tid);
        this.threadCounts.threadsPurged++;
      }
    }
  }

  #forget(thread: Thread): void {
    // Events may name a dead thread as a parent.
    if (thread.firstChild !== undefined && thread.group !== undefined) {
      this.#reparent(thread, thread.group);
    }
    const parent = thread.parent;
    if (parent !== undefined) disown(parent, thread);
    thread.fds?.drop();
    if (this.threads.get(thread.tid) === thread) this.threads.delete(thread.tid);
    const slot = thread.tid & (RECENT_MAX - 1);
    if (this.#recent[slot] === thread) this.#recent[slot] = undefined;
    this.births.ends(thread);
    this.threadGone?.(thread.tid);
    this.threadCounts.threadsRemoved++;
    if (thread.pgid === thread.pid || thread.sid === thread.pid) this.lineage++;
  }

  /** Puts both ends of lists in their place. */
  #shorten(lists: ReadonlySet<Uint8Array>): void {
    const short = new Map<Uint8Array, Uint8Array>();
    const ends = (list: Uint8Array) => {
      if (!lists.has(list)) return list;
      let found = short.get(list);
      if (found === undefined) short.set(list, found = shortOf(list));
      return found;
    };
    for (const thread of this.threads.values()) {
      const { args, env, lists: told } = thread;
      thread.args = ends(args);
      thread.env = ends(env);
      if ((thread.args === args && thread.env === env) || told === undefined) continue;
      thread.lists = {
        ...told,
        argsCut: told.argsCut || thread.args !== args,
        envCut: told.envCut || thread.env !== env,
      };
      thread.version++;
      this.threadCounts.listsShortened++;
    }
    this.lineage++;
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
}

function aliveIn(group: ThreadGroup, besides: Thread): Thread | undefined {
  if (group.alive <= 0) return undefined;
  const main = group.main;
  if (main !== undefined && main !== besides && !main.isDead) return main;
  return group.others.find((other) => other !== besides && !other.isDead);
}
