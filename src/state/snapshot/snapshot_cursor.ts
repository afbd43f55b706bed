// Reads numbers and texts within the body of a state block. Past its end everything is zero and
// `cut` is set, so that the reader of any bytes ends.
import type { Tables } from "../tables/tables.ts";
import { EMPTY } from "../tables/strings.ts";
import { NO_BYTES } from "../tables/seen_bytes.ts";

const decoder = new TextDecoder();

export class Cursor {
  at: number;
  cut = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.at;
  }

  goTo(at: number): void {
    if (at < this.at || at > this.#end) {
      this.cut = true;
      this.at = this.#end;
    } else this.at = at;
  }

  skip(length: number): void {
    this.goTo(this.at + length);
  }

  u8(): number {
    return this.#take(1) ? this.#view.getUint8(this.at - 1) : 0;
  }

  u16(): number {
    return this.#take(2) ? this.#view.getUint16(this.at - 2, true) : 0;
  }

  u32(): number {
    return this.#take(4) ? this.#view.getUint32(this.at - 4, true) : 0;
  }

  u64(): bigint {
    return this.#take(8) ? this.#view.getBigUint64(this.at - 8, true) : 0n;
  }

  i64big(): bigint {
    return this.#take(8) ? this.#view.getBigInt64(this.at - 8, true) : 0n;
  }

  i64(): number {
    return Number(this.i64big());
  }

  inode(): number | bigint {
    const value = this.u64();
    return value < 1n << 53n ? Number(value) : value;
  }

  /** A copy of the bytes. */
  bytes(length: number): Uint8Array {
    return this.#take(length) ? this.#bytes.slice(this.at - length, this.at) : NO_BYTES;
  }

  raw(length: number): Uint8Array {
    return length === 0 ? NO_BYTES : this.bytes(length);
  }

  text(length: number): string {
    return decoder.decode(this.bytes(length));
  }

  /** A u16 length and the string's bytes, interned. */
  string(machine: Tables): number {
    const length = this.u16();
    if (!this.#take(length)) return EMPTY;
    return machine.strings.intern(this.#bytes, this.at - length, this.at);
  }

  /** The same for a NUL-separated list, the NUL at its end left out. */
  list(machine: Tables): number {
    const length = this.u16();
    if (!this.#take(length)) return EMPTY;
    const end = length > 0 && this.#bytes[this.at - 1] === 0 ? this.at - 1 : this.at;
    return machine.strings.intern(this.#bytes, this.at - length, end);
  }

  #take(length: number): boolean {
    if (length > this.#end - this.at) {
      this.cut = true;
      this.at = this.#end;
      return false;
    }
    this.at += length;
    return true;
  }
}
