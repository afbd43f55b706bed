// The bytes of a capture: a plain or gzip file, or standard input, read front to back.
import { Gunzip } from "./gunzip.ts";

/** Compressed bytes read at once. */
const CHUNK_BYTES = 256 << 10;

export class CaptureInput {
  /** Bytes of the file, compressed as they are; 0 where that is not known. */
  readonly total: number;
  /** How many of them were read. */
  taken = 0;
  readonly #file: Deno.FsFile | typeof Deno.stdin;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #from = 0;
  #to = 0;
  #gunzip: Gunzip | undefined;
  #ended = false;

  /** Throws what Deno.openSync throws; `-` is standard input. */
  constructor(path: string) {
    if (path === "-") {
      this.#file = Deno.stdin;
      this.total = 0;
    } else {
      const file = Deno.openSync(path);
      this.#file = file;
      const info = file.statSync();
      if (info.isDirectory) {
        file.close();
        throw new Error("it is a directory");
      }
      this.total = info.isFile ? info.size : 0;
    }
    try {
      while (this.#to < 2 && this.#fill());
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#chunk[0] === 0x1f && this.#chunk[1] === 0x8b && this.#to >= 2) {
      this.#gunzip = new Gunzip();
    }
  }

  /**
   * Reads into `target` from `at` on; returns the bytes read, 0 at the end. Throws GunzipError
   * where the compressed data is damaged.
   */
  read(target: Uint8Array, at: number): number {
    if (at >= target.length) return 0;
    if (this.#gunzip !== undefined) return this.#inflate(this.#gunzip, target, at);
    if (this.#from < this.#to) {
      const length = Math.min(this.#to - this.#from, target.length - at);
      target.set(this.#chunk.subarray(this.#from, this.#from + length), at);
      this.#from += length;
      return length;
    }
    const read = this.#ended ? null : this.#file.readSync(target.subarray(at));
    if (read === null) {
      this.#ended = true;
      return 0;
    }
    this.taken += read;
    return read;
  }

  /** Whether a compressed stream ended before its end; to be asked after `read` gave 0. */
  isCutShort(): boolean {
    return this.#gunzip !== undefined && !this.#gunzip.isComplete();
  }

  close(): void {
    this.#gunzip?.close();
    if (this.#file !== Deno.stdin) this.#file.close();
  }

  #inflate(gunzip: Gunzip, target: Uint8Array, at: number): number {
    for (;;) {
      if (this.#from === this.#to && !this.#fill()) {
        // zlib may still hold bytes that did not fit before.
        return gunzip.write(this.#chunk, 0, 0, target, at);
      }
      const written = gunzip.write(this.#chunk, this.#from, this.#to, target, at);
      this.#from += gunzip.taken;
      if (written > 0) return written;
      // What follows a complete stream and is no other stream is not looked at.
      if (gunzip.taken === 0) return 0;
    }
  }

  #fill(): boolean {
    if (this.#ended) return false;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    const read = this.#file.readSync(this.#chunk.subarray(this.#to));
    if (read === null) {
      this.#ended = true;
      return false;
    }
    this.#to += read;
    this.taken += read;
    return true;
  }
}
