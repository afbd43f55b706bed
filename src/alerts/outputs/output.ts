// The contract of everything that alerts go to. Each output stands behind a queue of its own
// (../queue.ts), which tries again what could not be written, and passes the shared suite in
// output_suite_fixture.ts.
import type { Message } from "../format/message.ts";
import type { ReadersStats } from "../stats.ts";

export interface Output {
  readonly name: string;
  /** Rejects where alerts cannot be written now; absent where that shows only on writing. */
  check?(): Promise<void>;
  /**
   * Writes the messages in order; settles when all of them have left this process. Rejects where
   * they could not be written: with PartlyWritten where some of them were, with OutputClosed where
   * nobody will ever read them again. `onMoved` is told of each step, where there are several.
   */
  write(messages: readonly Message[], onMoved?: () => void): Promise<void>;
  /** Closes and opens again what is open, as SIGUSR1 asks for after a log was rotated. */
  reopen(): void;
  /** A write that is under way ends soon, and says how far it came. */
  close(): void;
  /**
   * Of an output that hands what was written to readers of its own: settles when they have it, or
   * have taken nothing for so long.
   */
  settled?(patienceMs: number): Promise<void>;
  /** Of such an output: what is known of its readers, beside what its queue knows. */
  readers?(): ReadersStats;
}

/** For outputs of many steps: what a closed one has for the step that it is at. */
export const CLOSING_MS = 800;

/** The reader has gone for good, such as the other end of a pipe. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

export interface PartlyOptions {
  /** Messages behind the written ones that the other side will never take. */
  readonly refused?: number;
  /** The other side asks to be left alone for so long. */
  readonly againMs?: number | undefined;
}

/** Some messages arrived, the others did not. */
export class PartlyWritten extends Error {
  override readonly name = "PartlyWritten";
  readonly written: number;
  readonly refused: number;
  readonly againMs: number;

  constructor(written: number, cause: unknown, { refused = 0, againMs = 0 }: PartlyOptions = {}) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.written = written;
    this.refused = refused;
    this.againMs = againMs;
  }
}
