// Gunzip in steps, straight into the caller's memory: compressed bytes come in, the plain ones go
// where the caller wants them. Several gzip members one after another are read as one.
import { constants, createGunzip } from "node:zlib";

/** The part of node:zlib's stream object that works synchronously; its types leave it out. */
interface Handle {
  onerror: (message: string, code: number) => void;
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

/** zlib found bytes that are no gzip stream. */
export class GunzipError extends Error {}

export class Gunzip {
  readonly #stream = createGunzip();
  readonly #handle: Handle;
  readonly #state: Uint32Array;
  #problem: string | undefined;

  constructor() {
    const inner = this.#stream as unknown as { _handle: Handle; _writeState: Uint32Array };
    this.#handle = inner._handle;
    this.#state = inner._writeState;
    this.#handle.onerror = (message) => this.#problem ??= message;
  }

  /**
   * Inflates from `input[from, to)` to `output[at, limit)`; returns how much it wrote. `taken`
   * says how much of the input it used. Throws GunzipError once nothing sound is left.
   */
  write(input: Uint8Array, from: number, to: number, output: Uint8Array, at: number): number {
    this.taken = 0;
    if (this.#problem !== undefined) throw new GunzipError(this.#problem);
    const room = output.length - at;
    this.#handle.writeSync(constants.Z_NO_FLUSH, input, from, to - from, output, at, room);
    const written = room - this.#state[0]!;
    this.taken = to - from - this.#state[1]!;
    if (this.#problem !== undefined && written === 0) throw new GunzipError(this.#problem);
    return written;
  }

  /** Bytes of input that the last `write` used. */
  taken = 0;

  /** Whether the stream ended where its writer ended it; to be asked when all input was given. */
  isComplete(): boolean {
    if (this.#problem !== undefined) return false;
    const none = new Uint8Array(1);
    this.#handle.writeSync(constants.Z_FINISH, none, 0, 0, none, 0, 1);
    return this.#problem === undefined;
  }

  close(): void {
    this.#stream.close();
  }
}
