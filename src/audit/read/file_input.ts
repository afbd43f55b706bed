// Audit logs from front to back: files (plain or gzip), standard input, all plain files of a
// directory, the oldest first. Whole lines come out; a last line may lack its end.
import { CaptureInput } from "../../events/scap/input.ts";
import { GunzipError } from "../../events/scap/gunzip.ts";
import { reasonOf } from "../../files/reason.ts";
import type { AuditChunk, AuditInput, JudgedChunk } from "./audit_input.ts";

/** Bytes that are read at once. */
const CHUNK_BYTES = 1 << 20;
/** The longest line that is read; a webhook's body has no more. */
export const LINE_BYTES_MAX = 16 << 20;
const NEWLINE = 10;

export class AuditFileInput implements AuditInput {
  readonly name = "file";
  readonly #given: string[];
  /** Of what was given first; a directory's files. */
  readonly #paths: string[] = [];
  #path = "";
  #input: CaptureInput | undefined;
  #buffer = new Uint8Array(CHUNK_BYTES);
  /** What the buffer holds and was not handed over, from `#from` to `#to`. */
  #from = 0;
  #to = 0;
  /** The rest of a line that is too long goes by. */
  #skipping = false;
  #readBefore = 0;
  #totalBefore = 0;

  /** Looks at none of the paths yet: one may lie on a mount that hangs. */
  constructor(paths: readonly string[]) {
    this.#given = [...paths];
  }

  /** Throws an error of one line where a path cannot be listed or read. */
  take(): AuditChunk | "ended" {
    for (;;) {
      const input = this.#input ?? this.#next();
      if (input === undefined) return "ended";
      this.#makeRoom();
      if (this.#to === this.#buffer.length) return this.#refuseLine();
      const read = this.#readInto(input);
      const whole = this.#wholeLines(this.#to, read === 0);
      if (read === 0) this.#closeInput();
      if (whole !== undefined) return whole;
    }
  }

  judged(_chunk: JudgedChunk): void {}
  wait(): void {}

  progress(): { readonly read: number; readonly total: number } {
    return {
      read: this.#readBefore + (this.#input?.taken ?? 0),
      total: this.#totalBefore + (this.#input?.total ?? 0),
    };
  }

  close(): void {
    this.#closeInput();
    this.#paths.length = this.#given.length = 0;
  }

  #next(): CaptureInput | undefined {
    while (this.#paths.length === 0 && this.#given.length > 0) {
      this.#paths.push(...filesOf(this.#given.shift()!));
    }
    const path = this.#paths.shift();
    if (path === undefined) return undefined;
    this.#path = path;
    this.#from = this.#to = 0;
    this.#skipping = false;
    try {
      return this.#input = new CaptureInput(path);
    } catch (error) {
      throw new Error(`Cannot read the audit log ${path}: ${reasonOf(error)}`);
    }
  }

  #readInto(input: CaptureInput): number {
    try {
      const read = input.read(this.#buffer, this.#to);
      this.#to += read;
      if (read === 0 && input.isCutShort()) throw new GunzipError("it is cut off");
      return read;
    } catch (error) {
      const reason = error instanceof GunzipError ? error.message : reasonOf(error);
      throw new Error(`Cannot read the audit log ${this.#path}: ${reason}`);
    }
  }

  /** Hands over what ends with a newline; at the end of the file, all that is left. */
  #wholeLines(to: number, isEnd: boolean): AuditChunk | undefined {
    const end = isEnd ? to : this.#buffer.lastIndexOf(NEWLINE, to - 1) + 1;
    let from = this.#from;
    if (end <= from) return undefined;
    if (this.#skipping) {
      const first = this.#buffer.indexOf(NEWLINE, from);
      from = first < 0 || first >= end ? end : first + 1;
      this.#skipping = false;
    }
    this.#from = end;
    return from === end ? undefined : { bytes: this.#buffer.subarray(from, end), isLines: true };
  }

  /** What waits for its end moves to the front, into a larger buffer where it fills this one. */
  #makeRoom(): void {
    const waiting = this.#to - this.#from;
    const isFull = waiting === this.#buffer.length;
    if (isFull && waiting >= LINE_BYTES_MAX) return;
    const target = isFull ? new Uint8Array(waiting * 2) : this.#buffer;
    target.set(this.#buffer.subarray(this.#from, this.#to));
    this.#buffer = target;
    this.#from = 0;
    this.#to = waiting;
  }

  #refuseLine(): AuditChunk {
    this.#from = this.#to = 0;
    const wasSkipping = this.#skipping;
    this.#skipping = true;
    const chunk = { bytes: new Uint8Array(0), isLines: true };
    if (wasSkipping) return chunk;
    return { ...chunk, refused: `a line has more than ${LINE_BYTES_MAX} bytes` };
  }

  #closeInput(): void {
    if (this.#input === undefined) return;
    this.#readBefore += this.#input.taken;
    this.#totalBefore += this.#input.total;
    this.#input.close();
    this.#input = undefined;
  }
}

/** A directory's plain files, those first that were changed first. */
function filesOf(path: string): string[] {
  if (path === "-") return [path];
  try {
    if (!Deno.statSync(path).isDirectory) return [path];
    return [...Deno.readDirSync(path)]
      .map(({ name }) => `${path}/${name}`)
      .map((file) => ({ file, info: Deno.statSync(file) }))
      .filter(({ info }) => info.isFile)
      .sort((one, other) => Number(one.info.mtime ?? 0) - Number(other.info.mtime ?? 0))
      .map(({ file }) => file);
  } catch (error) {
    throw new Error(`Cannot read the audit log ${path}: ${reasonOf(error)}`);
  }
}
