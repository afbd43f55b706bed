// Event blocks of a batch, one after another, for those who copy them: where each begins and ends,
// its time and its code. Nothing is checked that the reader of the batch will check anyway.
import {
  BLOCK_EVENT,
  BLOCK_EVENT_FLAGS,
  BLOCK_EVENT_FLAGS_LARGE,
  BLOCK_EVENT_LARGE,
} from "../blocks.ts";
import { HEADER_BYTES } from "../event.ts";

const FRAME_BYTES = 12;

export class BlockCopy {
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The present block. */
  start = 0;
  end = 0;
  /** Offset of its event's header; what a cursor on the event has as `offset`. */
  event = 0;
  stateOnly = false;
  #bytes: Uint8Array | undefined;
  #limit = 0;

  /** Begins before the first of `length` bytes. */
  begin(bytes: Uint8Array, length: number): void {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.start = this.end = 0;
    this.#limit = length;
  }

  /** Goes no further than `limit`. */
  limit(limit: number): void {
    this.#limit = limit;
  }

  /** Goes to the next event block; false at the end, or where a frame does not fit. */
  next(): boolean {
    const view = this.view;
    for (;;) {
      const at = this.end;
      if (at + FRAME_BYTES > this.#limit) return false;
      const length = view.getUint32(at + 4, true);
      if (length < FRAME_BYTES || length > this.#limit - at) return false;
      this.start = at;
      this.end = at + length;
      const type = view.getUint32(at, true);
      if (type === BLOCK_EVENT || type === BLOCK_EVENT_LARGE) {
        this.event = at + 10;
        this.stateOnly = false;
      } else if (type === BLOCK_EVENT_FLAGS || type === BLOCK_EVENT_FLAGS_LARGE) {
        this.event = at + 14;
        if (this.event > this.end) continue;
        this.stateOnly = (view.getUint32(at + 10, true) & 1) !== 0;
      } else continue;
      if (this.event + HEADER_BYTES + 4 <= this.end) return true;
    }
  }

  /** Makes the present block the next one. */
  back(): void {
    this.end = this.start;
  }

  /** ns since the epoch. */
  get time(): bigint {
    return this.view.getBigUint64(this.event, true);
  }

  get code(): number {
    return this.view.getUint16(this.event + 20, true);
  }
}
