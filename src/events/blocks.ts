// A walk over .scap blocks that lie in memory, as a source's `read` and a snapshot give them.
//
//   block:  u32 type, u32 total length, body, zero padding, u32 total length
import type { Event } from "./event.ts";

export const BLOCK_EVENT = 0x216;
export const BLOCK_EVENT_FLAGS = 0x217;
export const BLOCK_EVENT_LARGE = 0x221;
export const BLOCK_EVENT_FLAGS_LARGE = 0x222;

/** Type, both lengths. */
const FRAME_BYTES = 12;
const CPU_BYTES = 2;
const FLAGS_BYTES = 4;
/** Flag of an event that only keeps the tables right. */
export const STATE_ONLY = 1;

/** What `next` found. */
export const enum Step {
  End,
  /** The event cursor stands on a sound event. */
  Event,
  /** A block of state: `type`, and its body from `start` to `end`. */
  State,
  /** An event block whose event is not sound; the walk goes on behind it. */
  Malformed,
}

export class BlockWalk {
  /** Type of the present block. */
  type = 0;
  /** Body of the present block. */
  start = 0;
  end = 0;
  readonly event: Event;
  #at = 0;
  #limit = 0;

  /** The walk moves this cursor from event to event. */
  constructor(event: Event) {
    this.event = event;
  }

  /** Begins a walk over the first `length` bytes. */
  begin(bytes: Uint8Array, length: number): void {
    this.event.bind(bytes);
    this.#at = 0;
    this.#limit = length;
  }

  /** The next block is the one at `offset`; it must end by `limit`. */
  seek(offset: number, limit: number): void {
    this.#at = offset;
    this.#limit = limit;
  }

  /** Moves to the next block. Ends early where a frame does not fit: what follows is unknown. */
  next(): Step {
    const at = this.#at;
    const { event } = this;
    if (at + FRAME_BYTES > this.#limit) {
      this.#at = this.#limit;
      return at === this.#limit ? Step.End : Step.Malformed;
    }
    const type = event.view.getUint32(at, true);
    const length = event.view.getUint32(at + 4, true);
    if (length < FRAME_BYTES || length > this.#limit - at) {
      this.#at = this.#limit;
      return Step.Malformed;
    }
    this.#at = at + length;
    this.type = type;
    this.start = at + 8;
    this.end = at + length - 4;
    switch (type) {
      case BLOCK_EVENT:
      case BLOCK_EVENT_LARGE:
        event.stateOnly = false;
        return this.#moveTo(this.start + CPU_BYTES);
      case BLOCK_EVENT_FLAGS:
      case BLOCK_EVENT_FLAGS_LARGE:
        if (this.end - this.start < CPU_BYTES + FLAGS_BYTES) return Step.Malformed;
        event.stateOnly = (event.view.getUint32(this.start + CPU_BYTES, true) & STATE_ONLY) !== 0;
        return this.#moveTo(this.start + CPU_BYTES + FLAGS_BYTES);
      default:
        return Step.State;
    }
  }

  #moveTo(offset: number): Step {
    const { event } = this;
    if (!event.moveTo(offset, this.end)) return Step.Malformed;
    event.cpu = event.view.getUint16(this.start, true);
    return Step.Event;
  }
}
