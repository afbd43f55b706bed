// Arguments and environments that are longer than Falco's drivers tell: put together from the two
// pieces that our own probe has of them, and bounded in what they take together.
import type { Event } from "../../events/event.ts";
import { NO_BYTES } from "./seen_bytes.ts";

/** What Falco's drivers tell of arguments, and of an environment, at the most. */
export const SHORT_BYTES = 4096;
/** Bytes of all long lists that are held; beyond it the older half is shortened. */
const HELD_MAX = 32 << 20;
/** Bytes at each end of a list that was shortened. */
const END_BYTES = 2000;
/** What stands where a piece is missing, as a string of its own. */
const GAP: Uint8Array = new TextEncoder().encode("…\0");
/** Before the two tails: u32 bytes of all arguments, u32 of the environment, u16 of each tail. */
const HEAD_BYTES = 12;
/** Behind them: where the process lives (residence_events.ts), which alone is there otherwise. */
const PLACE_BYTES = 12;

/** Of a process with long lists: how long both are, in bytes with their NULs, and whether pieces of
 * them are missing. */
export interface Lists {
  readonly args: number;
  readonly env: number;
  readonly argsCut: boolean;
  readonly envCut: boolean;
}

export class LongLists {
  /** Bytes that are held, as far as they are known to be. */
  #held = 0;
  #lists: Uint8Array[] = [];
  readonly #shorten: (lists: ReadonlySet<Uint8Array>) => void;

  /** `shorten` puts the short form in the place of each of these lists, wherever it is held. */
  constructor(shorten: (lists: ReadonlySet<Uint8Array>) => void) {
    this.#shorten = shorten;
  }

  clear(): void {
    this.#lists = [];
    this.#held = 0;
  }

  /** Counts a list that is held from now on. */
  keep(list: Uint8Array): Uint8Array {
    if (list.length <= SHORT_BYTES) return list;
    this.#lists.push(list);
    this.#held += list.length;
    if (this.#held > HELD_MAX) this.#shortenOlder();
    return list;
  }

  #shortenOlder(): void {
    let at = 0;
    while (this.#held > HELD_MAX / 2) this.#held -= this.#lists[at++]!.length;
    const older = new Set(this.#lists.slice(0, at));
    this.#lists = this.#lists.slice(at);
    this.#shorten(older);
  }
}

/** Whether the head of a list, as its parameter has it, and its tail are all of its `total` bytes:
 * the head's last byte is a NUL of the driver's. */
export function isWhole(head: number, tail: number, total: number): boolean {
  return total - tail < head;
}

/** Both in one; a gap between them is marked. */
export function joinPieces(head: Uint8Array, tail: Uint8Array, total: number): Uint8Array {
  if (!isWhole(head.length, tail.length, total)) return concat(closed(head), GAP, tail);
  return concat(head.subarray(0, Math.max(0, total - tail.length)), NO_BYTES, tail);
}

/** Both ends of a list. */
export function shortOf(list: Uint8Array): Uint8Array {
  if (list.length <= SHORT_BYTES) return list;
  return concat(closed(list.slice(0, END_BYTES)), GAP, list.subarray(list.length - END_BYTES));
}

/** Reads what our probe has of an execution's lists behind its parameters; false where there is
 * nothing, since they are not long. */
export class Pieces {
  args = 0;
  env = 0;
  argsTail: Uint8Array = NO_BYTES;
  envTail: Uint8Array = NO_BYTES;

  read(event: Event, index: number): boolean {
    const length = event.paramLength(index);
    if (length < HEAD_BYTES + PLACE_BYTES) return false;
    const at = event.param(index);
    const { view, bytes } = event;
    const argsTail = view.getUint16(at + 8, true);
    const envTail = view.getUint16(at + 10, true);
    if (HEAD_BYTES + argsTail + envTail + PLACE_BYTES !== length) return false;
    this.args = view.getUint32(at, true);
    this.env = view.getUint32(at + 4, true);
    const tails = at + HEAD_BYTES;
    this.argsTail = bytes.subarray(tails, tails + argsTail);
    this.envTail = bytes.subarray(tails + argsTail, tails + argsTail + envTail);
    return true;
  }
}

/** The same with a NUL at its end. */
function closed(head: Uint8Array): Uint8Array {
  if (head.length === 0 || head[head.length - 1] === 0) return head;
  return concat(head, Uint8Array.of(0), NO_BYTES);
}

function concat(one: Uint8Array, two: Uint8Array, three: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + two.length + three.length);
  whole.set(one);
  whole.set(two, one.length);
  whole.set(three, one.length + two.length);
  return whole;
}
