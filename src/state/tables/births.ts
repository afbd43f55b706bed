// Who made whom: the ancestors that a process was born with, whatever the kernel calls its parent
// since. In: processes that begin, execute, end. Out: chains of Births, upwards. An ancestor that
// has ended, or that runs another program since, is kept as what it was while it has descendants.
import { shortOf } from "./long_lists.ts";
import { NO_BYTES } from "./seen_bytes.ts";
import { Birth, type Thread, UNCOUNTED } from "./thread.ts";

/** Past ancestors that are kept, and those that follow each other without a living one between:
 * of more, those in the middle go, so that neither who began it all nor who came last is lost. */
const PAST_MAX = 1 << 14;
const RUN_MAX = 32;
const RUN_NEWEST = 16;
/** Processes that ended lately, whose children may be told of yet; a power of two. */
const RECENT_MAX = 1 << 10;
/** Arguments of past ancestors that are kept in all. */
const ARGS_BYTES_MAX = 8 << 20;
/** Where nothing told when a process was made, its own first event is so much later at the most. */
const SLACK_NS = 2e9;

type Program = Pick<Thread, "comm" | "exe" | "exepath" | "args">;

/** Past ancestors that are held, and those that the bounds let go. */
export interface BirthCounts {
  ancestorsHeld: number;
  ancestorsForgotten: number;
}

export class Births {
  /** Bytes of the arguments of past ancestors. */
  argsBytes = 0;
  readonly #counts: BirthCounts;
  readonly #past = new Set<Birth>();
  readonly #recent: (Birth | undefined)[] = new Array(RECENT_MAX).fill(undefined);
  readonly #onChange: () => void;

  /** Past ancestors that are held. */
  get held(): number {
    return this.#past.size;
  }

  /** `onChange`: what was computed from ancestors holds no longer. */
  constructor(counts: BirthCounts, onChange: () => void) {
    this.#counts = counts;
    this.#onChange = onChange;
  }

  clear(): void {
    this.#past.clear();
    this.#recent.fill(undefined);
    this.#counts.ancestorsHeld = this.argsBytes = 0;
  }

  /** The process's birth, made where there is none yet. */
  of(process: Thread): Birth {
    const known = process.birth;
    if (known !== undefined) return known;
    const birth = new Birth(process.pid);
    birth.thread = process;
    return process.birth = birth;
  }

  /** Says who made a process, as an event told it. */
  bear(process: Thread, maker: Birth | undefined, madeNs = 0): void {
    const birth = this.of(process);
    birth.madeNs = madeNs;
    if (birth.linked) cut(birth);
    link(birth, maker, 0, false);
  }

  /** The same of one that was there before: its parent made it, unless that one takes in orphans,
   * which is then an ancestor at least. */
  list(process: Thread, parent: Thread | undefined): void {
    const birth = this.of(process);
    if (birth.linked) return;
    const adopts = parent !== undefined && (parent.vpid === 1 || parent.group?.reaper === true);
    link(birth, parent && this.of(parent), adopts ? UNCOUNTED : 0, true);
  }

  /** The same as a capture has it; what was said before holds. */
  restore(birth: Birth, maker: Birth | undefined, between: number, listed: boolean): void {
    if (!birth.linked) link(birth, maker, between, listed);
  }

  /** Takes a past ancestor that a capture has; false where there is no room. */
  restorePast(birth: Birth): boolean {
    if (this.held < PAST_MAX) {
      const { args, hasArgs } = birth;
      birth.args = NO_BYTES;
      this.#keep(birth, { ...birth, args });
      birth.hasArgs &&= hasArgs;
      return true;
    }
    this.#counts.ancestorsForgotten++;
    return false;
  }

  /** Lets those go that a capture had and that nobody of it descends from. */
  settleRestored(restored: Iterable<Birth>): void {
    for (const birth of restored) this.#release(birth);
  }

  /** A process executes: who was born before came from what it was until now. */
  executes(process: Thread): void {
    const before = process.birth;
    if (before?.firstBorn === undefined) return;
    const birth = new Birth(process.pid);
    birth.thread = process;
    birth.madeNs = before.madeNs;
    process.birth = birth;
    link(birth, before.maker, before.between, before.listed);
    this.#pass(before, process);
  }

  /** A process is gone. */
  ends(process: Thread): void {
    const birth = process.birth;
    if (birth === undefined) return;
    process.birth = undefined;
    const slot = birth.pid & (RECENT_MAX - 1);
    const earlier = this.#recent[slot];
    this.#recent[slot] = birth;
    birth.recent = true;
    if (earlier !== undefined) {
      earlier.recent = false;
      this.#release(earlier);
    }
    this.#pass(birth, process);
  }

  /** Whether a process is the one that made another at that time (ns), not a later one of its
   * number. */
  isMaker(process: Thread, ns: number): boolean {
    const made = process.birth?.madeNs ?? 0;
    return made !== 0 ? made <= ns : Number(process.cloneTs) <= ns + SLACK_NS;
  }

  /** One of that number that ended lately. */
  endedLately(pid: number): Birth | undefined {
    const recent = this.#recent[pid & (RECENT_MAX - 1)];
    return recent?.pid === pid ? recent : undefined;
  }

  /** Marks the strings that past ancestors hold. */
  markHeld(mark: (id: number) => void): void {
    for (const { comm, exe, exepath } of this.#past) {
      mark(comm);
      mark(exe);
      mark(exepath);
    }
  }

  /** Lets the arguments of past ancestors go. */
  forgetArguments(): void {
    for (const birth of this.#past) this.#dropArgs(birth);
    this.#onChange();
  }

  /** Makes a birth one of the past, as the process is now. */
  #pass(birth: Birth, process: Thread): void {
    birth.thread = undefined;
    this.#keep(birth, process);
    if (this.#past.size > PAST_MAX + RECENT_MAX) return this.#forget(birth);
    let middle: Birth | undefined;
    let run = 0;
    let at = birth.maker;
    while (at !== undefined && at.thread === undefined && run < RUN_MAX) {
      run++;
      if (run === RUN_NEWEST) middle = at;
      at = at.maker;
    }
    if (run === RUN_MAX) this.#forget(middle!);
  }

  #keep(birth: Birth, { comm, exe, exepath, args: all }: Program): void {
    const args = shortOf(all);
    birth.comm = comm;
    birth.exe = exe;
    birth.exepath = exepath;
    if (this.argsBytes + args.length > ARGS_BYTES_MAX) birth.hasArgs = false;
    else {
      birth.args = args;
      this.argsBytes += args.length;
    }
    this.#counts.ancestorsHeld++;
    this.#past.add(birth);
  }

  /** Takes one of the past out from between its descendants and its ancestors. */
  #forget(birth: Birth): void {
    this.#counts.ancestorsForgotten++;
    for (let born = birth.firstBorn; born !== undefined; born = birth.firstBorn) {
      const { between, listed } = born;
      cut(born);
      const both = between < 0 || birth.between < 0;
      link(
        born,
        birth.maker,
        both ? UNCOUNTED : between + 1 + birth.between,
        listed || birth.listed,
      );
    }
    if (birth.recent) {
      birth.recent = false;
      this.#recent[birth.pid & (RECENT_MAX - 1)] = undefined;
    }
    this.#release(birth);
    this.#onChange();
  }

  /** Lets one of the past go that nobody needs, and those above that were kept for it alone. */
  #release(birth: Birth): void {
    let at: Birth | undefined = birth;
    while (
      at !== undefined && at.thread === undefined && at.firstBorn === undefined && !at.recent
    ) {
      const above: Birth | undefined = at.maker;
      cut(at);
      this.#dropArgs(at);
      if (this.#past.delete(at)) this.#counts.ancestorsHeld--;
      at = above;
    }
  }

  #dropArgs(birth: Birth): void {
    this.argsBytes -= birth.args.length;
    if (birth.args.length > 0) birth.hasArgs = false;
    birth.args = NO_BYTES;
  }
}

function link(birth: Birth, maker: Birth | undefined, between: number, listed: boolean): void {
  birth.linked = true;
  birth.between = between;
  birth.listed = listed;
  if (maker === undefined || maker === birth || isAbove(birth, maker)) return;
  birth.maker = maker;
  const first = maker.firstBorn;
  birth.nextBorn = first;
  if (first !== undefined) first.previousBorn = birth;
  maker.firstBorn = birth;
}

/** Whether a process is an ancestor of another: lists can say anything. */
function isAbove(birth: Birth, below: Birth): boolean {
  if (birth.firstBorn === undefined) return false;
  let at: Birth | undefined = below;
  while (at !== undefined && at !== birth) at = at.maker;
  return at === birth;
}

function cut(birth: Birth): void {
  const { maker, previousBorn, nextBorn } = birth;
  if (maker !== undefined && maker.firstBorn === birth) maker.firstBorn = nextBorn;
  if (previousBorn !== undefined) previousBorn.nextBorn = nextBorn;
  if (nextBorn !== undefined) nextBorn.previousBorn = previousBorn;
  birth.maker = birth.nextBorn = birth.previousBorn = undefined;
}
