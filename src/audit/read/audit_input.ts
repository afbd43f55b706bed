// Where an audit source takes its bytes from: a file, a queue that another thread fills.

/** Bytes to judge: one document, or whole lines of one document each. */
export interface AuditChunk {
  readonly bytes: Uint8Array;
  readonly isLines: boolean;
  /** Why something was left out before it. */
  readonly refused?: string;
}

/** What became of a chunk once all of its events were handed over and judged. */
export interface JudgedChunk {
  readonly events: number;
  readonly malformed: number;
  readonly reason: string | undefined;
}

export interface AuditInput {
  readonly name: string;
  /** The next chunk, which stays as it is until it is judged; undefined: nothing now, "ended". */
  take(): AuditChunk | "ended" | undefined;
  /** Every event of the chunk that was taken last was judged. */
  judged(chunk: JudgedChunk): void;
  /** Blocks until there may be something to take, or the time is over. */
  wait(timeoutMs: number): void;
  /** Bytes read, and bytes that there are, where that is known. */
  progress?(): { readonly read: number; readonly total: number };
  close(): void;
}
