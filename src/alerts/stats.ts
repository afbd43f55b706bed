// What is known of an output and of what waits in front of it: for /healthz, /status, /metrics.
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
}

/**
 * `slow`: alerts were dropped or put on disk since it last had none waiting, or it takes none for
 * long; `failing`: the last write failed; `closed`: its reader has gone; `missing`: asked for, and
 * not part of this version.
 */
export type OutputState = "ok" | "slow" | "failing" | "closed" | "missing";
