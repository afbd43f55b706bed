// Blocks → a capture that saker, sysdig and Falco read. State blocks come in first, then event
// blocks as a source gives them; they are copied as they are, but for the parameters of our own.
//
// Falco refuses an event with more parameters than its table has, so in a file ours stand behind
// the event, where its reader does not look, and the event says only Falco's count and length:
//
//   frame, cpu [, flags], event of Falco, path, second path, descriptors, u64 sequence, u8 lane,
//   zero padding, u16 lengths of the two paths and of the descriptors, u16 zero,
//   u32 OWN_TAIL_MARK, u32 total length
//
// `Event.moveTo` finds them there again.
import {
  BLOCK_EVENT,
  BLOCK_EVENT_FLAGS,
  BLOCK_EVENT_FLAGS_LARGE,
  BLOCK_EVENT_LARGE,
  STATE_ONLY,
} from "../blocks.ts";
import {
  HEADER_BYTES,
  OWN_FILES,
  OWN_LANE,
  OWN_PARAMS,
  OWN_SEQUENCE,
  OWN_TAIL_BYTES,
  OWN_TAIL_MARK,
  PARAMS_MAX,
} from "../event.ts";
import { EVENTS } from "../table.ts";
import { BlockBuffer } from "./block_buffer.ts";
import { type CaptureOutput, PIECE_BYTES } from "./output.ts";
import { putSection } from "./state_blocks.ts";

const PARAM_COUNTS = Uint8Array.from(EVENTS, (event) => event.params.length);
const IS_LARGE = Uint8Array.from(EVENTS, (event) => event.flags.has("large_payload") ? 1 : 0);
/** Falco's reader refuses a block that is longer, behind its first eight bytes, unless its type
 * says that it is large. */
const SMALL_BLOCK_BYTES = 65_536;
const OUT_BYTES = 128 << 10;
/** Sequence number and lane. */
const OWN_FIXED_BYTES = 9;

export class CaptureWriter {
  readonly output: CaptureOutput;
  /** Events that were written, as far as nobody has refused them. */
  events = 0;
  /** Events that are not in the capture: their piece was refused, or came behind one that was. */
  lost = 0;
  /**
   * A piece was refused. What follows it would be read with tables that miss what it changed, so
   * nothing is taken until a section begins anew.
   */
  hasGap = false;
  /** Event blocks that were not sound and were left out. */
  refused = 0;
  #out: Uint8Array = new Uint8Array(OUT_BYTES);
  #view: DataView = new DataView(this.#out.buffer);
  #at = 0;
  /** Events of the pieces that were taken. */
  #eventsTaken = 0;

  constructor(output: CaptureOutput) {
    this.output = output;
  }

  /**
   * Begins a section with the machine as it is before the next event, as whole state blocks: a
   * piece of its own, so that it is there as a whole or not at all.
   */
  begin(state: Uint8Array): void {
    this.secure();
    this.hasGap = false;
    const section = new BlockBuffer(64);
    putSection(section);
    this.output.write(section.bytes);
    this.output.write(state);
    this.secure();
  }

  /**
   * Writes the event block that stands at `[start, end)`; a `stateOnly` one keeps the tables
   * right and matches no rule. Total on any bytes.
   */
  write(view: DataView, start: number, end: number, stateOnly = false): void {
    if (this.hasGap) return void this.lost++;
    const room = end - start + OWN_TAIL_BYTES + 8;
    if (room > this.#out.length - this.#at) {
      this.#hand();
      if (room > this.#out.length) {
        this.#out = new Uint8Array(room);
        this.#view = new DataView(this.#out.buffer);
      }
    }
    const written = this.#copy(view, start, end, stateOnly);
    if (written === 0) this.refused++;
    else this.events++;
    this.#at += written;
  }

  /** Hands all that was written on, so that it can be read from the file. */
  secure(): void {
    this.#hand();
    this.#endPiece();
  }

  close(): void {
    this.secure();
    this.output.close();
  }

  #hand(): void {
    const filled = this.#at;
    this.#at = 0;
    if (filled === 0) return;
    this.output.write(this.#out, 0, filled);
    // Here whole blocks end.
    if (this.output.unsecured >= PIECE_BYTES) this.#endPiece();
  }

  #endPiece(): void {
    if (!this.output.secure()) {
      this.hasGap = true;
      this.lost += this.events - this.#eventsTaken;
      this.events = this.#eventsTaken;
    }
    this.#eventsTaken = this.events;
  }

  #copy(view: DataView, start: number, end: number, stateOnly: boolean): number {
    const type = view.getUint32(start, true);
    const flagged = type === BLOCK_EVENT_FLAGS || type === BLOCK_EVENT_FLAGS_LARGE;
    if (!flagged && type !== BLOCK_EVENT && type !== BLOCK_EVENT_LARGE) return 0;
    const event = start + (flagged ? 14 : 10);
    const limit = end - 4;
    if (event + HEADER_BYTES > limit) return 0;
    const length = view.getUint32(event + 16, true);
    const code = view.getUint16(event + 20, true);
    const count = view.getUint32(event + 22, true);
    if (code >= EVENTS.length || count > PARAMS_MAX || length > limit - event) return 0;
    const large = IS_LARGE[code] === 1 || type === BLOCK_EVENT_LARGE ||
      type === BLOCK_EVENT_FLAGS_LARGE;
    const out = this.#view;
    const at = this.#at;
    const withFlags = flagged || stateOnly;
    let to = at + 8;
    out.setUint16(to, view.getUint16(start + 8, true), true);
    to += 2;
    if (withFlags) {
      const flags = flagged ? view.getUint32(start + 10, true) : 0;
      out.setUint32(to, stateOnly ? flags | STATE_ONLY : flags, true);
      to += 4;
    }
    const behind = count === PARAM_COUNTS[code]! + OWN_PARAMS
      ? this.#splitEvent(view, event, length, code, count, to)
      : this.#wholeEvent(view, event, limit, to);
    if (behind === 0) return 0;
    const total = behind + 4 - at;
    const isLarge = large || total - 8 > SMALL_BLOCK_BYTES;
    out.setUint32(at, BLOCK_TYPES[(withFlags ? 1 : 0) + (isLarge ? 2 : 0)]!, true);
    out.setUint32(at + 4, total, true);
    out.setUint32(behind, total, true);
    return total;
  }

  /** An event as other writers have it, or one of ours that was read from a file. */
  #wholeEvent(view: DataView, event: number, limit: number, to: number): number {
    this.#take(view, event, limit, to);
    let behind = to + limit - event;
    // Where flags were put before the event, the block may still be whole: they are four bytes.
    while ((behind - this.#at) % 4 !== 0) this.#out[behind++] = 0;
    return behind;
  }

  /** An event of our drivers: its last parameters go behind it. */
  #splitEvent(
    view: DataView,
    event: number,
    length: number,
    code: number,
    count: number,
    to: number,
  ): number {
    const out = this.#view;
    const wide = IS_LARGE[code] === 1 ? 4 : 2;
    const falco = count - OWN_PARAMS;
    const lengths = event + HEADER_BYTES;
    const data = lengths + count * wide;
    if (data > event + length) return 0;
    const lengthOf = (index: number) =>
      wide === 4
        ? view.getUint32(lengths + index * 4, true)
        : view.getUint16(lengths + index * 2, true);
    let falcoBytes = 0;
    for (let index = 0; index < falco; index++) falcoBytes += lengthOf(index);
    const path = lengthOf(falco);
    const path2 = lengthOf(falco + 1);
    const files = lengthOf(falco + OWN_FILES);
    const ownBytes = path + path2 + files + OWN_FIXED_BYTES;
    const sound = lengthOf(falco + OWN_SEQUENCE) === 8 && lengthOf(falco + OWN_LANE) === 1 &&
      path <= 0xffff && path2 <= 0xffff && files <= 0xffff &&
      data + falcoBytes + ownBytes <= event + length;
    if (!sound) return 0;

    const head = HEADER_BYTES + falco * wide;
    this.#take(view, event, event + head, to);
    out.setUint32(to + 16, head + falcoBytes, true);
    out.setUint32(to + 22, falco, true);
    this.#take(view, data, data + falcoBytes + ownBytes, to + head);
    let behind = to + head + falcoBytes + ownBytes;
    while ((behind - this.#at) % 4 !== 0) this.#out[behind++] = 0;
    out.setUint16(behind, path, true);
    out.setUint16(behind + 2, path2, true);
    out.setUint16(behind + 4, files, true);
    out.setUint16(behind + 6, 0, true);
    out.setUint32(behind + 8, OWN_TAIL_MARK, true);
    return behind + OWN_TAIL_BYTES;
  }

  /** Copies `[from, to)` to `at`; short runs byte by byte, which is faster than a call. */
  #take(view: DataView, from: number, to: number, at: number): void {
    if (to - from > 96) {
      this.#out.set(new Uint8Array(view.buffer, view.byteOffset + from, to - from), at);
      return;
    }
    const out = this.#view;
    let index = from;
    for (; index + 4 <= to; index += 4, at += 4) {
      out.setInt32(at, view.getInt32(index, true), true);
    }
    for (; index < to; index++, at++) out.setUint8(at, view.getUint8(index));
  }
}

/** By whether there are flags, then whether the block is large. */
const BLOCK_TYPES = [BLOCK_EVENT, BLOCK_EVENT_FLAGS, BLOCK_EVENT_LARGE, BLOCK_EVENT_FLAGS_LARGE];
