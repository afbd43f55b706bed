// The bytes of a capture on their way out, gzip or plain, in pieces of whole blocks: bytes come in,
// and a sink takes each piece or refuses it as a whole. So what it took is a sound capture,
// whatever happens afterwards.
import { codeOf, reasonOf as wordsFor } from "../../files/reason.ts";
import { Gzip } from "./gzip.ts";

/** The capture cannot be written on. The message is one line. */
export class CaptureWriteError extends Error {
  override readonly name = "CaptureWriteError";
  /** Standard output has no reader any more, which is nobody's mistake. */
  readonly readerGone: boolean;

  /** `cause` has the system's code. */
  constructor(path: string, cause: unknown) {
    super(`Cannot write capture "${path}": ${reasonOf(cause)}`, { cause });
    this.readerGone = codeOf(cause) === "EPIPE";
  }
}

/** Where pieces go. */
export interface CaptureSink {
  /**
   * Takes the first `length` bytes, whose memory is used again; false where they are refused, and
   * nothing of them will be in the capture.
   */
  take(bytes: Uint8Array, length: number): boolean;
  close(): void;
}

export interface OutputOptions {
  /** 1 (fast) to 9 (small); 0: plain. */
  readonly compression: number;
  readonly sink: CaptureSink;
}

/** A piece is handed on at about this size; one with the machine's state may be larger. */
export const PIECE_BYTES = 256 << 10;
const ROOM_BYTES = PIECE_BYTES + (128 << 10);

export class CaptureOutput {
  readonly #sink: CaptureSink;
  readonly #gzip: Gzip | undefined;
  #piece = new Uint8Array(ROOM_BYTES);
  #filled = 0;
  #taken = 0;

  constructor({ compression, sink }: OutputOptions) {
    this.#sink = sink;
    this.#gzip = compression > 0 ? new Gzip(compression, (bytes) => this.#put(bytes)) : undefined;
  }

  /** Bytes of the capture; what gzip holds back is not counted yet. */
  get written(): number {
    return this.#taken + this.#filled;
  }

  /** Bytes of the piece that is not handed on yet. */
  get unsecured(): number {
    return this.#filled;
  }

  write(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (this.#gzip !== undefined) this.#gzip.write(bytes, from, to);
    else this.#put(bytes.subarray(from, to));
  }

  /** Hands the piece on; whether it was taken. Only behind whole blocks. */
  secure(): boolean {
    this.#gzip?.endMember();
    const filled = this.#filled;
    if (filled === 0) return true;
    this.#filled = 0;
    const isTaken = this.#sink.take(this.#piece, filled);
    if (isTaken) this.#taken += filled;
    // Room for the state of a large machine is not held for the events behind it.
    if (this.#piece.length > ROOM_BYTES) this.#piece = new Uint8Array(ROOM_BYTES);
    return isTaken;
  }

  close(): void {
    this.#gzip?.close();
    this.#sink.close();
  }

  #put(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > this.#piece.length) {
      const larger = new Uint8Array(Math.max(needed, this.#piece.length * 2));
      larger.set(this.#piece.subarray(0, this.#filled));
      this.#piece = larger;
    }
    this.#piece.set(bytes, this.#filled);
    this.#filled = needed;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such directory",
  EACCES: "permission denied",
  EPIPE: "its reader has gone",
  ENOTBLK: "it is a disk, not a file",
};

function reasonOf(cause: unknown): string {
  return WORDS[codeOf(cause) ?? ""] ?? wordsFor(cause);
}
