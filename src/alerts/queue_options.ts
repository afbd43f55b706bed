// What a queue is made with: its output, how alerts are written there, and its bounds.
import type { BackOffOptions } from "./delivery/back_off.ts";
import type { Compose } from "./format/message.ts";
import type { Output } from "./outputs/output.ts";
import type { Spool } from "./spool/spool.ts";
import type { QueueEvent } from "./stats.ts";

export interface QueueOptions {
  readonly output: Output;
  readonly compose: Compose;
  /** Alerts waiting in memory at the most; the batch that is being written is not counted. */
  readonly capacity: number;
  readonly backOff: BackOffOptions;
  readonly spool?: Spool | undefined;
  /** Alerts that come within so long of each other are written in one go; 0: at once. */
  readonly lingerMs?: number;
  /** An output that has not taken a batch for so long is told of, such as a mount that hangs. */
  readonly stuckMs: number;
  /** Whoever reads it may take its time, such as a person with a pager. */
  readonly isWaitedFor?: boolean;
  readonly onEvent: (event: QueueEvent) => void;
  /** Milliseconds from anywhere. */
  readonly clock: () => number;
}
