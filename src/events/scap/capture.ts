// Events from capture files, one after another. Blocks of current events go into the engine's
// buffer as they come; what is older is converted on the way; state blocks are handed over through
// `snapshot`. Damage ends the run with one CaptureError, after everything before it was used.
import {
  BLOCK_EVENT,
  BLOCK_EVENT_FLAGS,
  BLOCK_EVENT_FLAGS_LARGE,
  BLOCK_EVENT_LARGE,
} from "../blocks.ts";
import { type EventSource, NEW_SNAPSHOT, type SourceStats } from "../source.ts";
import { reasonOf } from "../../files/reason.ts";
import { CaptureError } from "./capture_error.ts";
import { isCurrent } from "./convert.ts";
import { CaptureInput } from "./input.ts";
import { EventRewriter, isEventBlock } from "./rewrite.ts";
import { SECTION, STATE_TYPES } from "./state_types.ts";

const MAGIC = 0x1a2b3c4d;
const MAGIC_SWAPPED = 0x4d3c2b1a;
const FRAME_BYTES = 12;
/** Longest block that is read at all: a list of processes is closed at 64 MB and one entry. */
const BLOCK_BYTES_MAX = 65 << 20;
/** State blocks are handed over when there are so many bytes of them, a longer one by itself. */
const STATE_BYTES = 4 << 20;
const HELD_BYTES = 256 << 10;
/** What longer blocks needed is not kept: the next ones may be as long. */
const KEPT_BYTES = 16 << 20;
/** What is handed over at once is still in the processor's cache when it is looked at. A megabyte
 * at a time costs half as much again for each event. */
const WINDOW_BYTES = 64 << 10;
/** The same where most of it is not looked at by the engine. */
const WINDOW_SCANNED_BYTES = 256 << 10;

/** Returns how far the first `length` bytes hold whole blocks of current events, `found[0]`: how
 * many. */
export type Scan = (bytes: Uint8Array, length: number, found: Uint32Array) => number;

export interface Progress {
  /** Bytes of the files read so far, compressed as they are. */
  readonly read: number;
  /** Bytes of all files; 0 where one of them is a pipe. */
  readonly total: number;
}

export class CaptureSource implements EventSource {
  readonly name = "capture";
  readonly source = "syscall";
  readonly #paths: readonly string[];
  readonly #rewriter = new EventRewriter();
  #next = 0;
  #input: CaptureInput | undefined;
  #path = "";
  /** Offset in the plain stream of the first byte that is held. */
  #offset = 0;
  #takenBefore = 0;
  #total = 0;
  /** What was read and not yet handed over: `[#from, #to)`. */
  #held = new Uint8Array(HELD_BYTES);
  #view = new DataView(this.#held.buffer);
  #from = 0;
  #to = 0;
  /** Whether this file's events need work, so that they go through `#held` one by one. */
  #old = false;
  /** Why the input gives no more, where that is not its end. */
  #inputProblem: string | undefined;
  /** State blocks that wait to be handed over; the last one may be a view of `#held`. */
  #state = NOTHING;
  #stateBytes = 0;
  /** Whether the last block was a section's header: another one tells nothing new. */
  #afterSection = false;
  #failure: CaptureError | undefined;
  #events = 0;
  #skipped = 0;
  #scanner: Scan | undefined;
  readonly #found = new Uint32Array(1);

  /**
   * Opens the first file and reads up to its first event. Throws CaptureError where a file cannot
   * be opened or is no capture.
   */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    for (const path of paths) this.#total += sizeOf(path);
    this.#openNext();
    if (this.#stateBytes === 0 && this.#failure !== undefined) {
      this.close();
      throw this.#failure;
    }
  }

  /** Throws CaptureError once everything before the damage was handed over. */
  read(buffer: Uint8Array): number {
    for (;;) {
      if (this.#stateBytes > 0) return NEW_SNAPSHOT;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#input === undefined) return -1;
      const written = this.#old ? this.#readSlow(buffer) : this.#readFast(buffer);
      if (written > 0) return written;
      if (this.#stateBytes === 0 && this.#failure === undefined) this.#openNext();
    }
  }

  /** Leaves the search for the ends of blocks to another, who says the same. */
  scanWith(scanner: Scan): void {
    this.#scanner = scanner;
  }

  /** A file has its next events at once, a pipe may be long in coming by them. */
  get isPiecemeal(): boolean {
    return this.#input !== undefined && this.#input.total > 0;
  }

  /** A capture is never waited for. */
  wait(_timeoutMs: number): void {}

  stats(): SourceStats {
    return { events: this.#events, lost: [0, 0], truncated: this.#skipped, programs: 0 };
  }

  /** The state blocks before the next event, the section's header first. */
  snapshot(): Uint8Array {
    const state = this.#state.subarray(0, this.#stateBytes);
    this.#stateBytes = 0;
    // A view of `#held` is let go; memory of its own serves for the next blocks, since it is looked
    // at before anything else is read.
    if (this.#state.buffer === this.#held.buffer) this.#state = NOTHING;
    // What a long block needed is not kept.
    const held = this.#to - this.#from;
    if (this.#held.length > KEPT_BYTES && held <= HELD_BYTES) this.#resize(HELD_BYTES);
    return state;
  }

  /** Everything in a capture is handed over. */
  setInterest(_codes: ReadonlySet<number>): void {}

  progress(): Progress {
    return { read: this.#takenBefore + (this.#input?.taken ?? 0), total: this.#total };
  }

  close(): void {
    this.#input?.close();
    this.#input = undefined;
  }

  /** Current events go into the buffer as they come; what is not one is left to `#readSlow`. */
  #readFast(buffer: Uint8Array): number {
    const held = this.#to - this.#from;
    const most = this.#scanner === undefined ? WINDOW_BYTES : WINDOW_SCANNED_BYTES;
    const window = buffer.length > most ? buffer.subarray(0, most) : buffer;
    if (held >= window.length) return this.#readSlow(buffer);
    window.set(this.#held.subarray(this.#from, this.#to));
    const needed = held < FRAME_BYTES ? FRAME_BYTES : this.#view.getUint32(this.#from + 4, true);
    const filled = this.#fill(window, held, needed);
    const end = this.#scanner === undefined
      ? this.#scan(window, filled)
      : this.#scanner(window, filled, this.#found);
    if (this.#scanner !== undefined) this.#events += this.#found[0]!;
    this.#offset += end;
    this.#hold(window, end, filled);
    return end > 0 ? end : this.#readSlow(buffer);
  }

  /** Takes block by block through `#held`: any kind, any age. */
  #readSlow(buffer: Uint8Array): number {
    let at = 0;
    while (this.#ensure(FRAME_BYTES)) {
      const type = this.#view.getUint32(this.#from, true);
      const length = this.#view.getUint32(this.#from + 4, true);
      if (length < FRAME_BYTES || length > BLOCK_BYTES_MAX) {
        this.#fail(`damaged: a block of ${length} bytes`);
        return at;
      }
      if (!isEventBlock(type)) {
        if (at > 0) return at;
        if (type !== SECTION && !STATE_TYPES.has(type)) {
          if (!this.#skip(length)) break;
          continue;
        }
        if (!this.#ensure(length)) break;
        if (!this.#takeState(type, length)) return 0;
        continue;
      }
      this.#afterSection = false;
      if (this.#stateBytes > 0 || buffer.length === 0) return at;
      // What was read of a pipe is not kept back until more comes.
      if (at > 0 && this.#to - this.#from < length) return at;
      if (!this.#ensure(length)) break;
      const written = this.#rewriter.rewrite(this.#held, this.#from, length, buffer, at);
      if (typeof written === "string") {
        this.#fail(`damaged: ${written}`);
        return at;
      }
      if (written === undefined) {
        if (at > 0) return at;
        this.#skipped++;
      } else {
        if (this.#rewriter.converted) this.#old = true;
        if (written > 0) this.#events++;
        at += written;
      }
      this.#take(length);
      if (at > 0 && this.#to - this.#from < FRAME_BYTES) return at;
    }
    if (at === 0 && this.#stateBytes === 0) this.#finish();
    return at;
  }

  /** Reads until `target` is full; a pipe only until `needed`, since more may be long in coming. */
  #fill(target: Uint8Array, at: number, needed: number): number {
    if (this.#inputProblem !== undefined) return at;
    const wanted = this.#input!.total === 0 ? Math.min(needed, target.length) : target.length;
    try {
      while (at < wanted) {
        const read = this.#input!.read(target, at);
        if (read === 0) break;
        at += read;
      }
    } catch (error) {
      this.#inputProblem = messageOf(error);
    }
    return at;
  }

  /** How far the buffer holds whole blocks of current events. */
  #scan(buffer: Uint8Array, limit: number): number {
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    let at = 0;
    let events = 0;
    while (at + 36 <= limit) {
      const type = view.getUint32(at, true);
      let event = at + 10;
      if (type !== BLOCK_EVENT && type !== BLOCK_EVENT_LARGE) {
        if (type !== BLOCK_EVENT_FLAGS && type !== BLOCK_EVENT_FLAGS_LARGE) break;
        event += 4;
        if (event + 26 > limit) break;
      }
      const length = view.getUint32(at + 4, true);
      if (length < 40 || length > limit - at) break;
      if (!isCurrent(view.getUint16(event + 20, true), view.getUint32(event + 22, true))) break;
      at += length;
      events++;
    }
    this.#events += events;
    return at;
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (length > this.#held.length) this.#grow(length);
    this.#held.set(bytes.subarray(from, to));
    this.#from = 0;
    this.#to = length;
  }

  /** Makes room for so many bytes: twice as much as is needed, but of what is long. */
  #grow(length: number): void {
    let size = this.#held.length;
    while (size < length && size < STATE_BYTES) size *= 2;
    this.#resize(Math.max(size, length));
  }

  #resize(size: number): void {
    const other = new Uint8Array(size);
    other.set(this.#held.subarray(this.#from, this.#to));
    this.#to -= this.#from;
    this.#from = 0;
    this.#held = other;
    this.#view = new DataView(other.buffer);
  }

  /** Passes over so many bytes; false where there are not as many. */
  #skip(length: number): boolean {
    for (let left = length; left > 0;) {
      if (!this.#ensure(Math.min(left, HELD_BYTES))) return false;
      const step = Math.min(left, this.#to - this.#from);
      this.#take(step);
      left -= step;
    }
    return true;
  }

  /** Whether `#held` has so many bytes, after reading on where it has not. */
  #ensure(length: number): boolean {
    if (this.#to - this.#from >= length) return true;
    if (length > this.#held.length) this.#grow(Math.max(length, HELD_BYTES));
    else if (this.#from > 0) {
      this.#held.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#to = this.#fill(this.#held, this.#to, this.#from + length);
    return this.#to - this.#from >= length;
  }

  #take(length: number): void {
    this.#from += length;
    this.#offset += length;
  }

  #takeState(type: number, length: number): boolean {
    const from = this.#from;
    if (type === SECTION) {
      if (!this.#checkSection(from)) return false;
      if (this.#afterSection) {
        this.#take(length);
        return true;
      }
    }
    // What waits is handed over first.
    if (this.#stateBytes > 0 && this.#stateBytes + length > STATE_BYTES) return false;
    this.#afterSection = type === SECTION;
    if (length > STATE_BYTES) {
      // It stays where it is until it was looked at: nothing is read before.
      this.#state = this.#held.subarray(from, from + length);
      this.#stateBytes = length;
      this.#take(length);
      return false;
    }
    this.#keepState(this.#held.subarray(from, from + length));
    this.#take(length);
    return true;
  }

  #keepState(block: Uint8Array): void {
    const needed = this.#stateBytes + block.length;
    if (needed > this.#state.length) {
      let size = Math.max(this.#state.length, HELD_BYTES);
      while (size < needed) size *= 2;
      const larger = new Uint8Array(size);
      larger.set(this.#state.subarray(0, this.#stateBytes));
      this.#state = larger;
    }
    this.#state.set(block, this.#stateBytes);
    this.#stateBytes = needed;
  }

  #checkSection(from: number): boolean {
    const magic = this.#view.getUint32(from + 8, true);
    if (magic === MAGIC_SWAPPED) {
      this.#fail("it was written on a machine of the other byte order");
    } else if (magic !== MAGIC) this.#fail("it is no capture: its first block is another");
    else if (this.#view.getUint16(from + 12, true) > 1) {
      this.#fail(`its format has version ${this.#view.getUint16(from + 12, true)}, 1 is known`);
    } else return true;
    return false;
  }

  /** Opens the next file, if there is one, and reads the state blocks that it begins with. */
  #openNext(): void {
    if (this.#input !== undefined) {
      this.#takenBefore += this.#input.taken;
      this.close();
    }
    const path = this.#paths[this.#next++];
    if (path === undefined) return;
    this.#path = path;
    this.#offset = this.#from = this.#to = 0;
    this.#old = false;
    try {
      this.#input = new CaptureInput(path);
    } catch (error) {
      this.#failure = new CaptureError(path, undefined, messageOf(error));
      return;
    }
    if (this.#ensure(FRAME_BYTES) && this.#view.getUint32(this.#from, true) === SECTION) {
      this.#readSlow(NOTHING);
    } else this.#fail(this.#inputProblem ?? "it is no capture");
  }

  /** The input has ended; what is held is no whole block. */
  #finish(): void {
    if (this.#failure !== undefined) return;
    const left = this.#to - this.#from;
    if (this.#inputProblem !== undefined) this.#fail(`damaged: ${this.#inputProblem}`, left);
    else if (left > 0 || this.#input!.isCutShort()) this.#fail("it is cut short", left);
  }

  #fail(reason: string, behind = 0): void {
    this.#failure ??= new CaptureError(this.#path, this.#offset + behind, reason);
  }
}

const NOTHING = new Uint8Array(0);

function messageOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "it may not be read";
  return reasonOf(error);
}

function sizeOf(path: string): number {
  try {
    return path === "-" ? 0 : Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
