// Gzip in steps: plain bytes come in, compressed ones go out as they get ready. The stream is a
// row of members, each complete in itself: what was written up to the end of a member is a whole
// file, whatever happens afterwards. Readers of gzip take a row of members as one stream.
import { constants, createGzip } from "node:zlib";

/** The part of node:zlib's stream object that works synchronously; its types leave it out. */
interface Handle {
  onerror: (message: string, code: number) => void;
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
}

const OUT_BYTES = 64 << 10;
const NOTHING = new Uint8Array(1);

export class Gzip {
  readonly #stream: { close(): void };
  readonly #handle: Handle;
  /** What zlib left over of the output and of the input. */
  readonly #state: Uint32Array;
  readonly #emit: (bytes: Uint8Array) => void;
  readonly #out = new Uint8Array(OUT_BYTES);
  #filled = 0;
  /** Whether the last step ran out of room, so that zlib may hold more. */
  #wasFull = false;
  #open = false;

  /** `emit` takes the bytes before it returns: the memory is used again. */
  constructor(level: number, emit: (bytes: Uint8Array) => void) {
    const stream = createGzip({ level });
    const inner = stream as unknown as { _handle: Handle; _writeState: Uint32Array };
    this.#stream = stream;
    this.#handle = inner._handle;
    this.#state = inner._writeState;
    this.#emit = emit;
    this.#handle.onerror = (message) => {
      throw new Error(`zlib: ${message}`);
    };
  }

  write(bytes: Uint8Array, from: number, to: number): void {
    this.#open ||= from < to;
    for (let at = from; at < to;) at = to - this.#step(constants.Z_NO_FLUSH, bytes, at, to);
  }

  /** Ends the member, so that everything written so far can be read; hands all of it on. */
  endMember(): void {
    if (!this.#open) return;
    do this.#step(constants.Z_FINISH, NOTHING, 0, 0); while (this.#wasFull);
    this.#handOn();
    this.#handle.reset();
    this.#open = false;
  }

  close(): void {
    this.#stream.close();
  }

  /** Returns how much of the input is left. */
  #step(flush: number, bytes: Uint8Array, from: number, to: number): number {
    const room = OUT_BYTES - this.#filled;
    this.#handle.writeSync(flush, bytes, from, to - from, this.#out, this.#filled, room);
    this.#filled = OUT_BYTES - this.#state[0]!;
    this.#wasFull = this.#filled === OUT_BYTES;
    if (this.#wasFull) this.#handOn();
    return this.#state[1]!;
  }

  #handOn(): void {
    if (this.#filled === 0) return;
    const filled = this.#filled;
    this.#filled = 0;
    this.#emit(this.#out.subarray(0, filled));
  }
}
