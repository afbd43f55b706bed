// Which threads a full table of a live machine lets go, so that a new one is taken: whoever fills
// it must not hide what begins after. In: the threads, the oldest first. Out: those that go. The
// machine is asked again for one of them of which an event comes.
import { type Thread, ThreadFlag } from "./thread.ts";

/** So much of the table is freed at once: one walk makes room for many. */
const FREED_SHARE = 1 / 16;

/** From what is lost the least by letting it go: lowest first. */
const STAGES: readonly ((thread: Thread, now: number) => boolean)[] = [
  (thread, now) => isCopy(thread) && thread.seen < now,
  isCopy,
  (thread, now) => thread.seen < now,
  () => true,
];

/**
 * Threads to let go, none of them `spared`, none that others descend from or that have other
 * threads: copies of their makers (threads, processes that executed nothing) before others, idle
 * ones (not seen since `now`, in units of 2^32 ns) before others. May be fewer than wanted.
 */
export function thoseThatGiveWay(
  threads: ReadonlyMap<number, Thread>,
  now: number,
  spared: (thread: Thread) => boolean,
): ReadonlySet<Thread> {
  const wanted = Math.max(1, Math.floor(threads.size * FREED_SHARE));
  const found = new Set<Thread>();
  for (const isOfStage of STAGES) {
    for (const thread of threads.values()) {
      if (found.size >= wanted) return found;
      if (isLeaf(thread) && isOfStage(thread, now) && !spared(thread)) found.add(thread);
    }
  }
  return found;
}

function isLeaf(thread: Thread): boolean {
  if (thread.firstChild !== undefined) return false;
  return !thread.isMain || thread.group === undefined || thread.group.others.length === 0;
}

function isCopy(thread: Thread): boolean {
  if (thread.isInvalid || !thread.isMain) return true;
  return thread.lastExecTs === 0n && (thread.flags & ThreadFlag.FromSnapshot) === 0;
}
