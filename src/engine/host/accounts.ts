// Users and groups of containers, and of the host once its files changed. An id without a name
// comes in, the list of users below the root of one of the container's processes goes out, not
// more often than ids without a name deserve.

/** A list that was read is read anew after this long at the earliest. */
const AGAIN_MS = 10_000;
/** Where nothing could be read, since its processes had gone, it is asked again sooner. */
const RETRY_MS = 500;
/** Processes asked of one container before it is left for then: others of it may have gone too. */
const PROCESSES_MAX = 8;
/** Containers whose last reading is remembered; then all are forgotten. */
const CONTAINERS_MAX = 4096;
/** Bytes of a block that lists nobody. */
const EMPTY_BLOCK_BYTES = 12;

/** The users seen by process `pid`, or the host's where it is 0, as a state block. */
export type ReadAccounts = (pid: number) => Uint8Array;

/** A machine's `accountsOf`; `clock` gives milliseconds. */
export function accountsOf(
  read: ReadAccounts,
  clock: () => number,
): (containerId: string, pids: Iterable<number>) => Uint8Array | undefined {
  const nextMs = new Map<string, number>();
  return (containerId, pids) => {
    const nowMs = clock();
    if (nowMs < (nextMs.get(containerId) ?? 0)) return undefined;
    if (nextMs.size >= CONTAINERS_MAX) nextMs.clear();
    const list = firstList(read, containerId === "" ? [0] : pids);
    nextMs.set(containerId, nowMs + (list === undefined ? RETRY_MS : AGAIN_MS));
    return list;
  };
}

function firstList(read: ReadAccounts, pids: Iterable<number>): Uint8Array | undefined {
  let asked = 0;
  for (const pid of pids) {
    const list = read(pid);
    if (list.length > EMPTY_BLOCK_BYTES) return list;
    if (++asked === PROCESSES_MAX) break;
  }
  return undefined;
}
