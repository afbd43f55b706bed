// The main thread's end of the queue of audit events: pieces go to the thread that judges them, in
// order; what that thread is not done with is bounded, by pieces and by bytes.
import type { AuditPiece, AuditSink, AuditVerdict } from "../../audit/contract.ts";

export interface SinkBounds {
  readonly pieces: number;
  readonly bytes: number;
}

export const SINK_BOUNDS: SinkBounds = { pieces: 256, bytes: 64 << 20 };

export interface SinkNumbers {
  /** Pieces that are not judged yet, and their bytes. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Pieces that there was no room for. */
  readonly busy: number;
}

interface Asked {
  readonly bytes: number;
  readonly answer: (verdict: AuditVerdict) => void;
}

export class QueueSink implements AuditSink {
  readonly #send: (number: number, piece: AuditPiece) => void;
  readonly #bounds: SinkBounds;
  readonly #asked = new Map<number, Asked>();
  #bytes = 0;
  #last = 0;
  #busy = 0;
  #ended = false;

  constructor(send: (number: number, piece: AuditPiece) => void, bounds = SINK_BOUNDS) {
    this.#send = send;
    this.#bounds = bounds;
  }

  offer(piece: AuditPiece): Promise<AuditVerdict> | "busy" {
    const bytes = piece.bytes.length;
    const { size } = this.#asked;
    // One piece is taken in any case, however large: whoever offers it has a bound of its own.
    const isFull = size >= this.#bounds.pieces || this.#bytes + bytes > this.#bounds.bytes;
    if (this.#ended || (isFull && size > 0)) {
      this.#busy++;
      return "busy";
    }
    const number = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<AuditVerdict>();
    this.#asked.set(number, { bytes, answer: resolve });
    this.#bytes += bytes;
    this.#send(number, piece);
    return promise;
  }

  /** A piece's events were judged. */
  judged(number: number, verdict: AuditVerdict): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#asked.delete(number);
    this.#bytes -= asked.bytes;
    asked.answer(verdict);
  }

  /** Nobody judges any more: what was not judged is said so, and all else is refused. */
  end(): void {
    this.#ended = true;
    for (const number of [...this.#asked.keys()]) {
      this.judged(number, { events: 0, malformed: 0, reason: "saker is ending" });
    }
  }

  numbers(): SinkNumbers {
    return { waiting: this.#asked.size, waitingBytes: this.#bytes, busy: this.#busy };
  }
}
