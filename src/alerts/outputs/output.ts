// The contract of everything that alerts go to. Each output stands behind a queue of its own
// (../queue.ts) and passes the shared suite in output_suite_test.ts.
import type { Alert } from "../../engine/contract/alert.ts";

export interface Output {
  readonly name: string;
  /** Rejects where alerts cannot be written now; absent where that shows only on writing. */
  check?(): Promise<void>;
  /**
   * Writes the alerts in order; settles when all of them have left this process. Rejects where
   * they could not be written: with PartlyWritten where some of them were, with OutputClosed where
   * nobody will ever read them again.
   */
  write(alerts: readonly Alert[]): Promise<void>;
  /** Closes and opens again what is open, as SIGUSR1 asks for after a log was rotated. */
  reopen(): void;
  close(): void;
}

/** The reader has gone for good, such as the other end of a pipe. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}
