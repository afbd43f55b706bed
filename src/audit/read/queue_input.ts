// Pieces that another thread hands over, in the order in which they came; each is answered once all
// of its events are judged. How many may wait is for the one who hands them over.
import type { AuditPiece, AuditVerdict } from "../contract.ts";
import type { AuditChunk, AuditInput, JudgedChunk } from "./audit_input.ts";

export interface QueueOptions {
  readonly onJudged: (number: number, verdict: AuditVerdict) => void;
  /** Blocks until a piece may have come, or the time is over. */
  readonly wait: (timeoutMs: number) => void;
}

interface Waiting {
  readonly number: number;
  readonly piece: AuditPiece;
}

export class QueueInput implements AuditInput {
  readonly name = "queue";
  readonly #options: QueueOptions;
  #waiting: Waiting[] = [];
  #taken: number | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  put(number: number, piece: AuditPiece): void {
    this.#waiting.push({ number, piece });
  }

  take(): AuditChunk | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    this.#taken = next.number;
    return { bytes: next.piece.bytes, isLines: next.piece.lines === true };
  }

  judged({ events, malformed, reason }: JudgedChunk): void {
    if (this.#taken === undefined) return;
    const number = this.#taken;
    this.#taken = undefined;
    this.#options.onJudged(number, {
      events,
      malformed,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  wait(timeoutMs: number): void {
    if (this.#waiting.length === 0) this.#options.wait(timeoutMs);
  }

  close(): void {
    this.#waiting = [];
  }
}
