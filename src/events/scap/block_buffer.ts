// A growing buffer that .scap blocks are put together in: what comes in is numbers and bytes in
// the order of the format, what goes out is whole blocks with padding and both lengths.
//
//   block:  u32 type, u32 total length, body, zero padding to 4 bytes, u32 total length

/** Longest text that other readers of captures take in a list; they refuse the whole file else. */
export const TEXT_MAX = 1023;
/** The same for arguments, environment and cgroups. */
export const LIST_MAX = 4096;
/** The same for what is told of users and groups. */
export const NAME_MAX = 255;

const SHORT_BYTES = 48;

export class BlockBuffer {
  /** Bytes that are in the buffer. */
  length = 0;
  #bytes: Uint8Array;
  #view: DataView;
  #blockAt = 0;

  constructor(capacity = 64 << 10) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What is in the buffer: a view that the next `put…` may leave stale. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** Opens a block; everything put until `endBlock` is its body. */
  beginBlock(type: number): void {
    this.#blockAt = this.length;
    this.u32(type);
    this.u32(0);
  }

  endBlock(): void {
    this.#room(8);
    while ((this.length - this.#blockAt) % 4 !== 0) this.#bytes[this.length++] = 0;
    const total = this.length - this.#blockAt + 4;
    this.u32(total);
    this.#view.setUint32(this.#blockAt + 4, total, true);
  }

  /** Takes the open block back. */
  dropBlock(): void {
    this.length = this.#blockAt;
  }

  /** Leaves room for a u32 length; returns where. */
  openLength(): number {
    this.u32(0);
    return this.length - 4;
  }

  /** Fills it with what was put since; `counted` bytes of the length itself included. */
  closeLength(at: number, counted: 0 | 4): void {
    this.#view.setUint32(at, this.length - at - 4 + counted, true);
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  u64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  /** A signed 64-bit number; exact for safe integers. */
  i64(value: number): void {
    this.#room(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(this.length, value - high * 0x1_0000_0000, true);
    this.#view.setInt32(this.length + 4, high, true);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#room(length);
    // Most texts are short, and for those a loop is faster than a call.
    if (length > SHORT_BYTES) this.#bytes.set(bytes, this.length);
    else for (let at = 0; at < length; at++) this.#bytes[this.length + at] = bytes[at]!;
    this.length += length;
  }

  zeros(count: number): void {
    this.#room(count);
    this.#bytes.fill(0, this.length, this.length + count);
    this.length += count;
  }

  /** A u16 length and the bytes, cut at `max`. */
  text(bytes: Uint8Array, max: number = TEXT_MAX): void {
    const cut = bytes.length > max ? bytes.subarray(0, max) : bytes;
    this.u16(cut.length);
    this.raw(cut);
  }

  /** A u16 length and a NUL-separated list with the NUL at its end, cut at `max`. */
  list(bytes: Uint8Array, max: number = LIST_MAX): void {
    if (bytes.length === 0) return this.u16(0);
    const closed = bytes[bytes.length - 1] === 0;
    const length = Math.min(bytes.length + (closed ? 0 : 1), max);
    this.u16(length);
    this.raw(bytes.subarray(0, length - 1));
    this.u8(0);
  }

  #room(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
