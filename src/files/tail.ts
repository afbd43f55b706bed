// One open file that somebody appends lines to: whole lines come out, as they are there. A line
// that is not at its end yet waits, however often it is looked at; a file that was made shorter, or
// begun anew in its place, is read from its start.
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { NotRegular } from "./reason.ts";

/** Where in which file the next line begins: enough to go on after a restart. */
export interface TailPosition {
  readonly dev: number;
  readonly ino: number;
  readonly offset: number;
  /** Its first bytes, in hexadecimal: another file may have the same number later. */
  readonly head: string;
}

export interface TailOptions {
  /** Longer lines are passed over and counted. */
  readonly lineBytesMax: number;
  /** Where to begin: at the last line's start, at the file's, or where somebody was before. */
  readonly from: "end" | "start" | number;
  readonly nowMs: number;
}

const READ_BYTES = 256 << 10;
/** What tells that a file was begun anew: an audit event's first bytes hold its id. */
const HEAD_BYTES = 192;
/** A line without its newline that did not grow for so long may be all that there is. */
const UNENDED_MS = 1_000;

const LF = 10;
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export class Tail {
  readonly dev: number;
  readonly ino: number;
  readonly #descriptor: number;
  readonly #lineBytesMax: number;
  #head: Buffer;
  /** Where in the file the first byte of `#waiting` stands. */
  #offset: number;
  /** Begin of a line whose end did not come yet. */
  #waiting: Buffer = Buffer.alloc(0);
  #grewMs: number;
  /** The rest of a line that is too long goes by. */
  #skipping = false;
  /** Lines that were passed over, and files that were made shorter. */
  tooLong = 0;
  shortened = 0;

  /** Opens the file; throws what `reasonOf` has words for. Waits where its mount hangs. */
  constructor(path: string, { lineBytesMax, from, nowMs }: TailOptions) {
    // Asked before it is opened: opening a device may have effects.
    if (!Deno.statSync(path).isFile) throw new NotRegular("it is no regular file");
    this.#descriptor = openSync(path, FLAGS);
    const info = fstatSync(this.#descriptor);
    if (!info.isFile()) {
      closeSync(this.#descriptor);
      throw new NotRegular("it is no regular file");
    }
    this.dev = info.dev;
    this.ino = info.ino;
    this.#lineBytesMax = lineBytesMax;
    this.#grewMs = nowMs;
    this.#head = this.#readAt(0, HEAD_BYTES);
    this.#offset = from === "start"
      ? 0
      : from === "end"
      ? this.#lastLine(info.size)
      : Math.min(from, info.size);
  }

  position(): TailPosition {
    const { dev, ino } = this;
    return { dev, ino, offset: this.#offset, head: this.#head.toString("hex") };
  }

  /** Whether it is the file that somebody was at before. */
  isAt({ dev, ino, offset, head }: TailPosition): boolean {
    const known = Buffer.from(head, "hex");
    return dev === this.dev && ino === this.ino && offset <= this.size() &&
      this.#head.subarray(0, known.length).equals(known);
  }

  size(): number {
    return fstatSync(this.#descriptor).size;
  }

  isRemoved(): boolean {
    return fstatSync(this.#descriptor).nlink === 0;
  }

  /** Goes on at a place where `isAt` was true. */
  goTo({ offset }: TailPosition): void {
    this.#offset = offset;
  }

  /** Whole lines, or undefined where there is none at the moment. */
  read(nowMs: number): Uint8Array | undefined {
    this.#lookForNewStart();
    for (;;) {
      const piece = this.#readAt(this.#offset + this.#waiting.length, READ_BYTES);
      if (piece.length === 0) return this.#unended(nowMs);
      this.#grewMs = nowMs;
      const lines = this.#take(piece);
      if (lines !== undefined) return lines;
    }
  }

  /** The begin of a line, where nothing more will come. */
  rest(): Uint8Array | undefined {
    const rest = this.#waiting;
    this.#offset += rest.length;
    this.#waiting = Buffer.alloc(0);
    return this.#skipping || rest.length === 0 ? undefined : rest;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #take(piece: Buffer): Uint8Array | undefined {
    let from = 0;
    if (this.#skipping) {
      const end = piece.indexOf(LF);
      from = end < 0 ? piece.length : end + 1;
      this.#offset += from;
      if (end < 0) return undefined;
      this.#skipping = false;
    }
    const end = piece.lastIndexOf(LF) + 1;
    if (end <= from) {
      this.#waiting = Buffer.concat([this.#waiting, piece.subarray(from)]);
      if (this.#waiting.length > this.#lineBytesMax) {
        this.tooLong++;
        this.#skipping = true;
        this.#offset += this.#waiting.length;
        this.#waiting = Buffer.alloc(0);
      }
      return undefined;
    }
    const lines = Buffer.concat([this.#waiting, piece.subarray(from, end)]);
    this.#offset += lines.length;
    this.#waiting = Buffer.from(piece.subarray(end));
    return lines;
  }

  /** A whole document whose newline does not come; the newline is an empty line when it does. */
  #unended(nowMs: number): Uint8Array | undefined {
    const { length } = this.#waiting;
    if (length === 0 || this.#skipping || nowMs - this.#grewMs < UNENDED_MS) return undefined;
    this.#grewMs = Infinity;
    try {
      JSON.parse(this.#waiting.toString());
    } catch {
      // It is only its begin.
      return undefined;
    }
    return this.rest();
  }

  #lookForNewStart(): void {
    const isShorter = this.size() < this.#offset + this.#waiting.length;
    const head = this.#readAt(0, Math.max(this.#head.length, HEAD_BYTES));
    const isOther = !head.subarray(0, this.#head.length).equals(this.#head);
    this.#head = head;
    if (!isShorter && !isOther) return;
    this.shortened++;
    this.#offset = 0;
    this.#waiting = Buffer.alloc(0);
    this.#skipping = false;
  }

  #readAt(offset: number, most: number): Buffer {
    const piece = Buffer.allocUnsafe(most);
    return piece.subarray(0, readSync(this.#descriptor, piece, 0, most, offset));
  }

  /** Where the line begins that the file ends with: an event that is half written is not lost. */
  #lastLine(size: number): number {
    for (let to = size; to > 0 && size - to < this.#lineBytesMax;) {
      const from = Math.max(0, to - READ_BYTES);
      const at = this.#readAt(from, to - from).lastIndexOf(LF);
      if (at >= 0) return from + at + 1;
      to = from;
      if (to === 0) return 0;
    }
    return size;
  }
}
