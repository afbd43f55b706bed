// Where a capture is written: a file or standard output, gzip or plain. Whole blocks come in, and
// what is on the disk is a sound capture up to the last `secure`, whatever happens afterwards.
import { closeSync, constants, openSync } from "node:fs";
import { reasonOf as wordsFor } from "../../files/reason.ts";
import type { DescriptorReserve } from "../../files/reserve.ts";
import { Gzip } from "./gzip.ts";

/** The capture cannot be written on. The message is one line. */
export class CaptureWriteError extends Error {
  override readonly name = "CaptureWriteError";
  /** Standard output has no reader any more, which is nobody's mistake. */
  readonly readerGone: boolean;

  constructor(path: string, cause: unknown) {
    super(`Cannot write capture "${path}": ${reasonOf(cause)}`, { cause });
    this.readerGone = cause instanceof Deno.errors.BrokenPipe;
  }
}

export interface OutputOptions {
  /** `-` is standard output. */
  readonly path: string;
  /** 1 (fast) to 9 (small); 0: plain. */
  readonly compression: number;
  /** Refuse a path where something is already: for names that we make up ourselves. */
  readonly mustBeNew: boolean;
  /** Descriptors for it where no other is left. */
  readonly reserve?: DescriptorReserve;
}

const PLAIN_BYTES = 256 << 10;

export class CaptureOutput {
  readonly path: string;
  /** Bytes that are in the file. */
  written = 0;
  readonly #file: Deno.FsFile | typeof Deno.stdout;
  readonly #gzip: Gzip | undefined;
  readonly #reserve: DescriptorReserve | undefined;
  readonly #plain: Uint8Array;
  #filled = 0;
  /** The file is a sound capture up to here. */
  #secured = 0;
  #failed = false;

  /** Throws CaptureWriteError where the file cannot be made. It is its owner's alone (0600). */
  constructor({ path, compression, mustBeNew, reserve }: OutputOptions) {
    this.path = path === "-" ? "standard output" : path;
    this.#reserve = reserve;
    const open = () => openFile(path, mustBeNew);
    try {
      this.#file = path === "-" ? Deno.stdout : reserve === undefined ? open() : reserve.open(open);
    } catch (error) {
      throw new CaptureWriteError(this.path, error);
    }
    this.#gzip = compression > 0 ? new Gzip(compression, (bytes) => this.#emit(bytes)) : undefined;
    this.#plain = new Uint8Array(compression > 0 ? 0 : PLAIN_BYTES);
  }

  /** Bytes in the file that a failure would take back. */
  get unsecured(): number {
    return this.written - this.#secured;
  }

  /** Bytes that were taken and are not in the file yet are not counted in `written`. */
  write(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (this.#gzip !== undefined) return this.#gzip.write(bytes, from, to);
    if (to - from > PLAIN_BYTES - this.#filled) {
      this.#emitPlain();
      if (to - from >= PLAIN_BYTES) return this.#emit(bytes.subarray(from, to));
    }
    this.#plain.set(bytes.subarray(from, to), this.#filled);
    this.#filled += to - from;
  }

  /** Puts everything into the file; what is there then stays sound. Only behind whole blocks. */
  secure(): void {
    if (this.#gzip !== undefined) this.#gzip.endMember();
    else this.#emitPlain();
    this.#secured = this.written;
  }

  /** Throws CaptureWriteError where the last bytes cannot be written; the file is closed then. */
  close(): void {
    try {
      if (!this.#failed) this.secure();
    } finally {
      this.#gzip?.close();
      if (this.#file !== Deno.stdout) (this.#file as Deno.FsFile).close();
      this.#reserve?.refill();
    }
  }

  #emitPlain(): void {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) this.#emit(this.#plain.subarray(0, filled));
  }

  #emit(bytes: Uint8Array): void {
    if (this.#failed) return;
    try {
      for (let at = 0; at < bytes.length;) {
        const count = this.#file.writeSync(bytes.subarray(at));
        at += count;
        this.written += count;
      }
    } catch (error) {
      this.#failed = true;
      this.#cutBack();
      throw new CaptureWriteError(this.path, error);
    }
  }

  /** Takes back what would be half a member or half a block. */
  #cutBack(): void {
    if (this.#file === Deno.stdout) return;
    try {
      (this.#file as Deno.FsFile).truncateSync(this.#secured);
      this.written = this.#secured;
    } catch {
      // A device or a pipe: what was written stays, and the reader says that it is cut short.
    }
  }
}

/** A FIFO that nobody reads is an error: opening it would wait. */
function openFile(path: string, mustBeNew: boolean): Deno.FsFile {
  const isFifo = !mustBeNew && isFifoAt(path);
  const reader = isFifo ? openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) : undefined;
  try {
    return Deno.openSync(path, {
      write: true,
      create: !mustBeNew,
      createNew: mustBeNew,
      truncate: !mustBeNew,
      mode: 0o600,
    });
  } finally {
    if (reader !== undefined) closeSync(reader);
  }
}

function isFifoAt(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    return false;
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.AlreadyExists) return "there is a file of that name";
  if (cause instanceof Deno.errors.NotFound) return "there is no such directory";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.BrokenPipe) return "its reader has gone";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/No space left/i.test(message)) return "no space left on the device";
  if (/Is a directory/i.test(message)) return "it is a directory";
  return wordsFor(cause);
}
