// What old captures tell when a call is entered and not again when it returns: where execveat
// found its program, and where connect was to go. Kept by thread until the call returns.
import type { Event } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";

const CONNECT = codeOf("SOCKET_CONNECT_E");
const EXECVEAT = codeOf("SYSCALL_EXECVEAT_E");
const { dirfd: DIRFD, flags: FLAGS } = positionsOf("SYSCALL_EXECVEAT_E", "dirfd", "flags");
/** Threads whose entry is kept; the oldest goes when more wait. */
const WAITING_MAX = 65_536;

export interface Entry {
  readonly code: number;
  /** execveat: the directory's descriptor, the path (a string id), and AT_* flags. */
  readonly dirfd: number;
  readonly path: number;
  readonly flags: number;
}

export class Entries {
  /** Entries that made room for others. */
  dropped = 0;
  readonly #byTid = new Map<number, Entry>();

  /** `path`: id of an execveat's path. */
  keep(event: Event, path: number): void {
    const isExec = event.code === EXECVEAT;
    if (this.#byTid.size >= WAITING_MAX && !this.#byTid.has(event.tid)) {
      this.#byTid.delete(this.#byTid.keys().next().value!);
      this.dropped++;
    }
    this.#byTid.set(event.tid, {
      code: event.code,
      dirfd: isExec && event.has(DIRFD) ? event.int32(DIRFD) : -1,
      path,
      flags: isExec && event.has(FLAGS) ? event.uint32(FLAGS) : 0,
    });
  }

  clear(): void {
    this.#byTid.clear();
  }

  /** Calls `mark` with each string id that waits here. */
  markHeld(mark: (id: number) => void): void {
    for (const { path } of this.#byTid.values()) mark(path);
  }

  /** The thread's execveat, which its execve event ends; taken out. */
  takeExecveat(tid: number): Entry | undefined {
    return this.#take(tid, EXECVEAT);
  }

  /** Whether the thread's connect was entered; taken out. */
  takeConnect(tid: number): boolean {
    return this.#take(tid, CONNECT) !== undefined;
  }

  #take(tid: number, code: number): Entry | undefined {
    // New captures have no entries at all.
    if (this.#byTid.size === 0) return undefined;
    const entry = this.#byTid.get(tid);
    this.#byTid.delete(tid);
    return entry?.code === code ? entry : undefined;
  }
}
