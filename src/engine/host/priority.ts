// The priority of the thread that reads events: on a busy machine it gets the time to empty the
// rings. Where there is one processor alone it must not get that from saker's own threads: those
// that obey signals, answer for its health and write alerts, and those that collect garbage, which
// it waits for itself. There all of them have the same.
import { setPriority } from "node:os";
import type { Addon } from "./addon.ts";

export interface Threads {
  /** Processors that this process may use. */
  readonly processors: number;
  /** Ids of its threads. */
  readonly ids: () => readonly number[];
  readonly setPriority: (thread: number, nice: number) => void;
}

/** Those of this process. Threads that begin later have the priority of whoever makes them. */
const OWN_THREADS: Threads = {
  processors: navigator.hardwareConcurrency,
  ids: () => [...Deno.readDirSync("/proc/self/task")].map(({ name }) => Number(name)),
  // For the kernel, and so here, what is called a process is a thread.
  setPriority,
};

/** Called by the thread that reads events; returns what there is to say where it is refused. */
export function raisePriority(
  addon: Pick<Addon, "setNice">,
  nice: number,
  threads: Threads = OWN_THREADS,
): string[] {
  if (nice === 0) return [];
  if (!addon.setNice(nice)) {
    return [`Warning: engine.nice: the kernel does not allow ${nice} (CAP_SYS_NICE)`];
  }
  return threads.processors === 1 ? raiseOthers(nice, threads) : [];
}

function raiseOthers(nice: number, { ids, setPriority }: Threads): string[] {
  try {
    for (const id of ids()) raiseOne(id, nice, setPriority);
    return [];
  } catch (error) {
    return [`Warning: engine.nice: saker's other threads are unknown: ${(error as Error).message}`];
  }
}

function raiseOne(id: number, nice: number, setPriority: Threads["setPriority"]): void {
  try {
    setPriority(id, nice);
  } catch {
    // It has ended meanwhile: what is allowed for one thread is allowed for all.
  }
}
