// What a queue asks of the spool of its output: messages that cannot be delivered now lie on disk,
// in order, and are taken from there again. None of it waits for a disk that hangs: what is asked
// is carried out in order by another thread, and an answer may come late or never.
import type { Message } from "../format/message.ts";

export interface SpoolStats {
  /** Messages and bytes that lie there. */
  readonly alerts: number;
  readonly bytes: number;
  /** Messages that were put there in this run. */
  readonly spooled: number;
  /** Times that it was full or could not be written, so that messages stayed in memory. */
  readonly refused: number;
  /** Records that were found broken, such as by a crash within a write, and cut off. */
  readonly cut: number;
  /** Why it does not work. */
  readonly reason?: string;
}

export interface Spool {
  /** Messages that are known to lie there. */
  readonly pending: number;
  /** Whether the disk has not answered for long. */
  readonly isStuck: boolean;
  /** Settles when it is known what the last run left, or that this is not to be known soon. */
  ready(): Promise<void>;
  /** Puts messages behind all others; says how many of them it took. Never rejects. */
  append(messages: readonly Message[]): Promise<number>;
  /** Puts messages in front of all others: those that are to be tried again. As `append`. */
  hold(messages: readonly Message[]): Promise<number>;
  /** The first messages, which stay; none where the disk does not answer. */
  read(): Promise<readonly Message[]>;
  /** So many of those last held or read are delivered, or will never be. */
  done(count: number): void;
  stats(): SpoolStats;
  /** Settles when all that was asked is carried out, or after so long. */
  close(timeoutMs: number): Promise<void>;
}
