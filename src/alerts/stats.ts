// What is known of an output and of what waits in front of it: for /healthz, /status, /metrics, for
// the log, and for the queue that goes on where another one ends.
import type { Alert } from "../engine/contract/alert.ts";
import type { Message } from "./format/message.ts";
import type { SpoolStats } from "./spool/spool.ts";

export interface QueueStats {
  readonly name: string;
  readonly state: OutputState;
  /** Why it is not `ok`. */
  readonly reason?: string;
  /** In memory. */
  readonly waiting: number;
  readonly written: number;
  /** Given up: refused by the bound, or still waiting at the end. */
  readonly dropped: number;
  /** `dropped` by priority, as PRIORITY_NAMES has them. */
  readonly droppedByPriority: readonly number[];
  /** Refused by the other side for good. */
  readonly failed: number;
  /** Times that a write failed and was tried again. */
  readonly retries: number;
  /** The last failure, which may be over. */
  readonly lastError?: { readonly reason: string; readonly agoMs: number };
  /** What waits on disk; absent without a spool. */
  readonly spool?: SpoolStats;
  /** Of an output with readers of its own. */
  readonly clients?: ClientStats;
}

/** Those that read alerts from an output: now, so far, and those that were turned away. */
export interface ClientStats {
  readonly open: number;
  readonly opened: number;
  readonly refused: number;
  readonly connections: number;
  readonly connections_refused: number;
}

/** Alerts behind the queue of an output that has readers of its own, each reader's counted. */
export interface ReadersStats {
  readonly waiting: number;
  readonly written: number;
  readonly droppedByPriority: readonly number[];
  /** What is amiss with them. */
  readonly trouble?: { readonly state: OutputState; readonly reason: string };
  readonly clients: ClientStats;
}

/** The queue's numbers with those of the readers behind it. */
export function withReaders(queue: QueueStats, readers: ReadersStats | undefined): QueueStats {
  if (readers === undefined) return queue;
  const { waiting, written, droppedByPriority, trouble, clients } = readers;
  return {
    ...queue,
    ...(queue.state === "closed" ? {} : trouble),
    waiting: queue.waiting + waiting,
    written,
    dropped: droppedByPriority.reduce((sum, count) => sum + count, queue.dropped),
    droppedByPriority: queue.droppedByPriority.map((count, at) => count + droppedByPriority[at]!),
    clients,
  };
}

/**
 * `slow`: alerts were dropped or put on disk since it last had none waiting, or it takes none for
 * long; `failing`: the last write failed; `closed`: its reader has gone; `missing`: asked for, and
 * not part of this version.
 */
export type OutputState = "ok" | "slow" | "failing" | "closed" | "missing";

export interface QueueState {
  readonly isClosed: boolean;
  /** Why the last write failed. */
  readonly failure: string | undefined;
  readonly onDisk: number;
  /** Alerts were dropped. */
  readonly isSlow: boolean;
  /** Since the output took something. */
  readonly waitedMs: number;
  readonly stuckMs: number;
}

/** How an output is, and why where it is not well. */
export function stateOf(queue: QueueState): [OutputState, string?] {
  const { isClosed, failure, onDisk, isSlow, waitedMs, stuckMs } = queue;
  if (isClosed) return ["closed", "its reader has gone"];
  if (failure !== undefined) return ["failing", failure];
  if (onDisk > 0) return ["slow", `${onDisk} alerts wait on disk`];
  if (isSlow) return ["slow", "alerts come faster than they are read"];
  if (waitedMs < stuckMs) return ["ok"];
  return ["slow", `it has taken no alert for ${Math.round(waitedMs / 1000)} s`];
}

/** What somebody should know of an output: each is told once until it has changed. */
export type QueueEvent =
  | { readonly kind: "failed" | "closed" | "refused"; readonly error: Error }
  | { readonly kind: "stuck"; readonly ms: number }
  | { readonly kind: "dropping" }
  /** Nothing waits any more; so many were dropped, by priority. */
  | { readonly kind: "dropped"; readonly byPriority: readonly number[] }
  | { readonly kind: "well"; readonly retries: number };

/** What a queue leaves to the next one of its output. */
export interface Inheritance {
  /** The batch that was being written, as far as it is known not to have arrived. */
  readonly held: readonly Message[];
  readonly alerts: readonly Alert[];
  readonly written: number;
  readonly failed: number;
  readonly retries: number;
  readonly dropped: readonly number[];
}
