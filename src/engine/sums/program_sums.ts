// Sums of programs' files as fields see them: known ones at once, others are asked of the thread
// that reads files. Nothing here waits: what is not known yet is undefined.
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { codeOf } from "../../events/table.ts";
import type { Context, Hashes } from "../../state/contract/context.ts";
import type { Strings } from "../../state/tables/strings.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { keep, type SumAnswer, type SumRequest } from "./program_file.ts";
import type { SumStart } from "./sum_worker.ts";

/** How requests go to the thread that answers them, and answers come back. */
export interface SumChannel {
  ask(request: SumRequest): void;
  /** The next answer that has come, if any; does not wait. */
  take(): SumAnswer | undefined;
  /** Whether its thread has failed: no answer comes any more. */
  failed(): boolean;
  close(): void;
}

const EXECVE = codeOf("SYSCALL_EXECVE_19_X");
const EXECVEAT = codeOf("SYSCALL_EXECVEAT_X");

/** Programs that are remembered. */
const KEPT_MAX = 4096;
/** Requests under way; programs beyond them are asked for when they are met again. */
const ASKED_MAX = 256;
/**
 * One file is read so long at the most: half a GB, from a slow disk. Without an answer in that time
 * a file hangs, such as on a mount whose server has gone; another thread takes over.
 */
const ANSWER_MS = 60_000;
/** Threads that hang cannot be ended; where so many do, no more files are read. */
const HUNG_MAX = 4;

interface Known {
  readonly sum: string | undefined;
  /** The process for which it was asked. */
  readonly pid: number;
}

export class ProgramSums implements Hashes {
  readonly #strings: Strings;
  readonly #open: () => SumChannel;
  readonly #known = new Map<string, Known>();
  /** Process by key. */
  readonly #asked = new Map<string, number>();
  readonly #clock: () => number;
  #channel: SumChannel | undefined;
  /** When the oldest request that has no answer was made, or the last answer came. */
  #waitingSinceMs = 0;
  /** Programs whose files hung: they are not asked for again. */
  readonly #hung = new Set<string>();
  #channelsHung = 0;
  /** Requests that were not made since too many were under way, or a file hung. */
  postponed = 0;

  /** `open` is called with the first request: a thread costs memory. `clock`: milliseconds. */
  constructor(strings: Strings, open: () => SumChannel, clock: () => number = Date.now) {
    this.#strings = strings;
    this.#open = open;
    this.#clock = clock;
  }

  sha256(thread: Thread): string | undefined {
    if (thread.exeIno === 0n) return undefined;
    this.#takeAnswers();
    const path = this.#strings.text(thread.exepath) ?? "";
    const key = `${thread.exeIno} ${thread.exeInoCtime} ${path}`;
    const known = this.#known.get(key);
    if (known?.sum !== undefined) return known.sum;
    // What failed for this process is tried again with the next one of the program.
    if (known?.pid !== thread.pid) this.#ask(key, thread, path);
    return undefined;
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #ask(key: string, thread: Thread, path: string): void {
    this.#leaveHung();
    if (this.#asked.has(key)) return;
    if (
      this.#asked.size >= ASKED_MAX || this.#channelsHung >= HUNG_MAX || this.#hung.has(key)
    ) {
      this.postponed++;
      return;
    }
    if (this.#asked.size === 0) this.#waitingSinceMs = this.#clock();
    this.#asked.set(key, thread.pid);
    this.#channel ??= this.#open();
    this.#channel.ask({
      key,
      pid: thread.pid,
      parentPid: thread.ptid,
      path,
      inode: thread.exeIno,
      changed: thread.exeInoCtime,
      modified: thread.exeInoMtime,
      executed: thread.lastExecTs,
    });
  }

  /** A thread that does not answer is left behind; what waited behind its file is asked anew. */
  #leaveHung(): void {
    if (this.#asked.size === 0) return;
    const isLate = this.#clock() - this.#waitingSinceMs >= ANSWER_MS;
    if (!isLate && this.#channel?.failed() !== true) return;
    // Requests are answered in order, so the oldest is the one that hangs, or ended the thread.
    this.#hung.add(this.#asked.keys().next().value!);
    this.#asked.clear();
    this.#channelsHung++;
    this.#channel?.close();
    this.#channel = undefined;
  }

  #takeAnswers(): void {
    if (this.#asked.size === 0) return;
    for (let answer = this.#channel?.take(); answer !== undefined;) {
      const { key, sum } = answer;
      this.#waitingSinceMs = this.#clock();
      keep(this.#known, key, { sum, pid: this.#asked.get(key) ?? -1 }, KEPT_MAX);
      this.#asked.delete(key);
      answer = this.#channel?.take();
    }
  }
}

/** Asks for a program's sum when it is executed, so that it is there when a rule looks. */
export function foreseeSum({ event, thread, hashes }: Context): void {
  if (thread === undefined || (event.code !== EXECVE && event.code !== EXECVEAT)) return;
  hashes?.sha256(thread);
}

/** The thread that reads files. */
export function startSumWorker(): Worker {
  return new Worker(new URL("./sum_worker.ts", import.meta.url), { type: "module" });
}

/**
 * A way to the thread, which reads below the host's root. Where it fails, what was asked is asked
 * of another one; sums stay unknown meanwhile, and the engine goes on.
 */
export function openSumChannel(hostRoot: string, worker = startSumWorker()): SumChannel {
  const { port1, port2 } = new MessageChannel();
  const state = { failed: false };
  worker.onerror = (event) => {
    event.preventDefault();
    state.failed = true;
  };
  worker.onmessageerror = () => {
    state.failed = true;
  };
  const start: SumStart = { hostRoot, port: port2 as unknown as MessagePort };
  worker.postMessage(start, [start.port]);
  return {
    ask: (request) => port1.postMessage(request),
    take: () => (receiveMessageOnPort(port1) as { message: SumAnswer } | undefined)?.message,
    failed: () => state.failed,
    close(): void {
      port1.close();
      worker.terminate();
    },
  };
}
