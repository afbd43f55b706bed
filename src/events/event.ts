// One event, read in place. The bytes are those of a .scap event block; nothing is copied or
// decoded before somebody asks for it.
//
//   block:  u32 type, u32 total length, u16 cpu [, u32 flags], event, zero padding, u32 length
//   event:  u64 time (ns since the epoch), u64 tid, u32 length, u16 code, u32 parameter count,
//           that many u16 lengths (u32 for large payloads), the parameters back to back
//
// Events of our own drivers carry OWN_PARAMS more parameters after Falco's: the path that the
// kernel acted on (empty where there is none), the second such path (renames, links; of calls
// without parameters what the caller said; of a process that begins, executes or moves to other
// namespaces where it lives, probe-rs/src/namespaces.rs), what the kernel knows of the call's
// descriptors (own_files.ts), a u64 sequence number counted per CPU and lane, and one byte: the
// lane in its lowest bit, above it how the call came where it is not told as itself (VIA_NAMES). In
// a capture these stand behind the event (scap/writer.ts), since Falco refuses events with more
// parameters than its own.
import { EVENTS } from "./table.ts";

export const HEADER_BYTES = 26;
/** Parameters that our drivers append after those of the table. */
export const OWN_PARAMS = 5;
export const OWN_PATH = 0;
export const OWN_PATH2 = 1;
export const OWN_FILES = 2;
export const OWN_SEQUENCE = 3;
export const OWN_LANE = 4;
export const LANE_CRITICAL = 0;
export const LANE_BULK = 1;
/** How a call came: an operation of io_uring, or a younger call that is told as an older one. */
export const VIA_NAMES: readonly (string | undefined)[] = [
  undefined,
  "io_uring",
  "preadv2",
  "pwritev2",
  "fchmodat2",
];
/** Where a capture has our own parameters behind the event: u16 lengths of the two paths and of
 * what is known of the descriptors, u16 zero, and this mark; the last bytes of the block's body. */
export const OWN_TAIL_MARK = 0x324e574f;
export const OWN_TAIL_BYTES = 12;
/** Captures from before the descriptors: u16 lengths of the two paths, and this mark. */
const PATHS_TAIL_MARK = 0x4e574f53;
const PATHS_TAIL_BYTES = 8;
/** The shorter tail, a sequence number and a lane. */
const OWN_TAIL_BYTES_MIN = PATHS_TAIL_BYTES + 9;
/** More than any event of the table has; a record that claims more is refused. */
export const PARAMS_MAX = 64;

const PARAM_COUNTS = Uint8Array.from(EVENTS, (event) => event.params.length);
const LARGE = Uint8Array.from(EVENTS, (event) => event.flags.has("large_payload") ? 1 : 0);

/** A cursor over the events of one buffer: one object serves a whole run. */
export class Event {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  /** Offset of the event header in `bytes`. */
  offset = 0;
  /** Offset behind the event's last byte. */
  end = 0;
  code = 0;
  /** Thread id; -1 is what a driver writes when it knows none. */
  tid = 0;
  cpu = 0;
  /** `evt.num`: counted from 1 over a run. Set by whoever walks the events. */
  num = 0;
  /** Parameters that the record has, ours included. */
  paramCount = 0;
  /** Whether the record carries our own parameters after Falco's. */
  hasOwn = false;
  /** State-only events (block 0x217 with flag bit 0) update the tables and match no rule. */
  stateOnly = false;

  /** Offsets of the parameters, as far as they were asked for; the next ones' lengths. */
  readonly #starts = new Int32Array(2 * PARAMS_MAX);
  #known = 0;
  #lengths = 0;
  #large = false;
  /** Bytes that `bytes` has. */
  #size = 0;
  /** Where our own parameters stand behind the event: the offset of their tail; else 0. */
  #tail = 0;
  /** Bytes that such an event has of its descriptors. */
  #tailFiles = 0;

  /** Points the cursor at another buffer. */
  bind(bytes: Uint8Array): void {
    if (this.bytes === bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#size = bytes.length;
  }

  /**
   * Moves to the event whose header stands at `offset` and which must end by `limit`. Returns
   * whether the record can be read: its header fits and its code is in the table. Parameters are
   * found when they are asked for; one that claims to reach behind the event ends with it.
   */
  moveTo(offset: number, limit: number): boolean {
    if (offset + HEADER_BYTES > limit) return false;
    const view = this.view;
    const length = view.getUint32(offset + 16, true);
    const code = view.getUint16(offset + 20, true);
    const count = view.getUint32(offset + 22, true);
    if (code >= EVENTS.length || count > PARAMS_MAX || length > limit - offset) return false;
    const large = LARGE[code] === 1;
    const data = offset + HEADER_BYTES + count * (large ? 4 : 2);
    const end = offset + length;
    if (data > end) return false;
    this.offset = offset;
    this.end = end;
    this.code = code;
    const high = view.getInt32(offset + 12, true);
    this.tid = high === 0
      ? view.getUint32(offset + 8, true)
      : high * 0x1_0000_0000 + view.getUint32(offset + 8, true);
    this.paramCount = count;
    this.#lengths = offset + HEADER_BYTES;
    this.#large = large;
    this.#starts[0] = data;
    this.#known = 0;
    this.hasOwn = count === PARAM_COUNTS[code]! + OWN_PARAMS;
    this.#tail = 0;
    if (limit - end >= OWN_TAIL_BYTES_MIN) this.#findTail(end, limit);
    return true;
  }

  /**
   * Offsets of the first `count` parameters and of what follows them: parameter `i` stands from
   * `[i]` to `[i + 1]`; one that the record lacks is empty. The same array at each call, right
   * until the cursor moves: for those who read several parameters of many events.
   */
  offsets(count: number): Int32Array {
    if (this.#known < count) {
      const reached = count < this.paramCount ? count : this.paramCount;
      if (this.#known < reached) this.#reach(reached);
      const starts = this.#starts;
      for (let index = reached + 1; index <= count; index++) starts[index] = starts[reached]!;
    }
    return this.#starts;
  }

  /** Offset of parameter `index`; the event's end where the record has fewer. */
  param(index: number): number {
    if (index >= this.paramCount) return this.end;
    if (index > this.#known) this.#reach(index);
    return this.#starts[index]!;
  }

  /** Bytes of parameter `index`; 0 where it is empty or the record has fewer parameters. */
  paramLength(index: number): number {
    if (index >= this.paramCount) return 0;
    if (index >= this.#known) this.#reach(index + 1);
    return this.#starts[index + 1]! - this.#starts[index]!;
  }

  /** Whether parameter `index` (of the table) is there and not empty. */
  has(index: number): boolean {
    return this.paramLength(index) > 0;
  }

  /** Index of one of our own parameters (OWN_PATH …); only where `hasOwn`. */
  own(which: number): number {
    return this.paramCount - OWN_PARAMS + which;
  }

  /** How the call came, where it is not told as itself: one of VIA_NAMES. */
  via(): string | undefined {
    return this.hasOwn ? VIA_NAMES[this.uint8(this.own(OWN_LANE)) >> 1] : undefined;
  }

  /** Time in nanoseconds since the epoch. Allocates: not for the common path. */
  time(): bigint {
    return this.view.getBigUint64(this.offset, true);
  }

  /** The same in whole milliseconds, to a quarter of a microsecond; allocates nothing. */
  timeMs(): number {
    const { view, offset } = this;
    const ns = view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
    return Math.floor(ns / 1e6);
  }

  // A number is read whatever its parameter's length: one that the record lacks, or that would
  // stand behind the memory's end, is 0.

  /** A signed 64-bit parameter as a number; exact below 2^53. */
  int64(index: number): number {
    const at = this.#place(index, 8);
    if (at < 0) return 0;
    const low = this.view.getInt32(at, true);
    const high = this.view.getInt32(at + 4, true);
    // Nearly every value fits in 32 bits: those stay small integers in the engine.
    if (high === low >> 31) return low;
    return high * 0x1_0000_0000 + (low >>> 0);
  }

  /** The low half of a 64-bit parameter: enough for descriptors, results and ids. */
  int32(index: number): number {
    const at = this.#place(index, 4);
    return at < 0 ? 0 : this.view.getInt32(at, true);
  }

  uint32(index: number): number {
    const at = this.#place(index, 4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }

  uint16(index: number): number {
    const at = this.#place(index, 2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }

  uint8(index: number): number {
    const at = this.#place(index, 1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  /** A 64-bit inode number: a number where exact, else a bigint. */
  inode(index: number): number | bigint {
    const at = this.#place(index, 8);
    if (at < 0) return 0;
    const high = this.view.getUint32(at + 4, true);
    if (high >= 0x20_0000) return this.view.getBigUint64(at, true);
    return high * 0x1_0000_0000 + this.view.getUint32(at, true);
  }

  uint64(index: number): bigint {
    const at = this.#place(index, 8);
    return at < 0 ? 0n : this.view.getBigUint64(at, true);
  }

  /** Offset behind the last byte of a NUL-terminated parameter, its NUL left out. */
  textEnd(index: number): number {
    const start = this.param(index);
    const end = start + this.paramLength(index);
    return end > start && this.bytes[end - 1] === 0 ? end - 1 : end;
  }

  /** Where `size` bytes of a parameter can be read; -1 where they cannot. */
  #place(index: number, size: number): number {
    if (index >= this.paramCount) return -1;
    if (index > this.#known) this.#reach(index);
    const at = this.#starts[index]!;
    return at + size > this.#size ? -1 : at;
  }

  /** Our own parameters behind an event of a capture. */
  #findTail(end: number, limit: number): void {
    const view = this.view;
    const mark = view.getUint32(limit - 4, true);
    let tail: number;
    let files = 0;
    if (mark === OWN_TAIL_MARK) {
      tail = limit - OWN_TAIL_BYTES;
      files = view.getUint16(tail + 4, true);
    } else if (mark === PATHS_TAIL_MARK) tail = limit - PATHS_TAIL_BYTES;
    else return;
    if (this.paramCount !== PARAM_COUNTS[this.code]) return;
    if (end + view.getUint16(tail, true) + view.getUint16(tail + 2, true) + files + 9 > tail) {
      return;
    }
    this.#tail = tail;
    this.#tailFiles = files;
    this.hasOwn = true;
    this.paramCount += OWN_PARAMS;
  }

  #reachTail(): void {
    const starts = this.#starts;
    const first = this.paramCount - OWN_PARAMS;
    if (this.#known < first) this.#reach(first);
    starts[first] = this.end;
    starts[first + 1] = this.end + this.view.getUint16(this.#tail, true);
    starts[first + 2] = starts[first + 1]! + this.view.getUint16(this.#tail + 2, true);
    starts[first + 3] = starts[first + 2]! + this.#tailFiles;
    starts[first + 4] = starts[first + 3]! + 8;
    starts[first + 5] = starts[first + 4]! + 1;
    this.#known = this.paramCount;
  }

  /** Finds the parameters' offsets up to `index`, which is at most `paramCount`. */
  #reach(index: number): void {
    if (this.#tail !== 0 && index > this.paramCount - OWN_PARAMS) return this.#reachTail();
    const starts = this.#starts;
    const view = this.view;
    const end = this.end;
    let known = this.#known;
    let at = starts[known]!;
    let from = this.#lengths;
    this.#known = index;
    if (this.#large) {
      for (; known < index; from += 4) {
        at += view.getUint32(from, true);
        if (at > end) at = end;
        starts[++known] = at;
      }
    } else {
      for (; known < index; from += 2) {
        at += view.getUint16(from, true);
        if (at > end) at = end;
        starts[++known] = at;
      }
    }
    this.#lengths = from;
  }
}
