// Takes one event block of a capture, whatever its age, and writes the block that the engine reads:
// the same bytes where the event is current, else a new block of the same kind.
//
// The oldest blocks (0x204, 0x208) have events whose header does not say how many parameters
// follow: the number is the one whose lengths add up to the event's length.
import {
  BLOCK_EVENT,
  BLOCK_EVENT_FLAGS,
  BLOCK_EVENT_FLAGS_LARGE,
  BLOCK_EVENT_LARGE,
} from "../blocks.ts";
import { HEADER_BYTES, PARAMS_MAX } from "../event.ts";
import { EVENTS } from "../table.ts";
import { Converter, type CurrentEvent, isCurrent } from "./convert.ts";

export const BLOCK_EVENT_V1 = 0x204;
export const BLOCK_EVENT_V1_EARLY = 0x8010abcd;
export const BLOCK_EVENT_FLAGS_V1 = 0x208;

const HEADER_BYTES_V1 = HEADER_BYTES - 4;
const LARGE = Uint8Array.from(EVENTS, (event) => event.flags.has("large_payload") ? 1 : 0);
/** Old captures give these events a length that is three bytes too long. */
const MISCOUNTED = new Set(
  EVENTS.filter((event) => /^(NOTIFICATION|INFRASTRUCTURE_EVENT)_E$/.test(event.id)).map((event) =>
    event.code
  ),
);

export class EventRewriter {
  /** Whether the last event had to be converted. */
  converted = false;
  readonly #converter = new Converter();

  /**
   * Rewrites the block of `length` bytes at `from`; returns the bytes written to `out` at `at` (0:
   * nothing is handed on), undefined where they do not fit, a text where the event is not sound.
   */
  rewrite(
    bytes: Uint8Array,
    from: number,
    length: number,
    out: Uint8Array,
    at: number,
  ): number | undefined | string {
    this.converted = false;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const type = view.getUint32(from, true);
    const isFirst = type === BLOCK_EVENT_V1 || type === BLOCK_EVENT_V1_EARLY ||
      type === BLOCK_EVENT_FLAGS_V1;
    const hasFlags = type === BLOCK_EVENT_FLAGS || type === BLOCK_EVENT_FLAGS_LARGE ||
      type === BLOCK_EVENT_FLAGS_V1;
    const event = from + (hasFlags ? 14 : 10);
    const end = from + length - 4;
    const header = isFirst ? HEADER_BYTES_V1 : HEADER_BYTES;
    if (event + header > end) return "an event block too short for an event";
    const code = view.getUint16(event + 20, true);
    const info = EVENTS[code];
    if (info === undefined) return 0;
    if (!isFirst && isCurrent(code, view.getUint32(event + 22, true))) {
      if (at + length > out.length) return undefined;
      out.set(bytes.subarray(from, from + length), at);
      return length;
    }
    this.converted = true;
    const eventEnd = event + view.getUint32(event + 16, true) - (MISCOUNTED.has(code) ? 3 : 0);
    const params = isFirst
      ? paramsV1(view, bytes, event, Math.min(eventEnd, end), info.params.length)
      : paramsOf(view, bytes, event, eventEnd, end);
    if (params === undefined) return `an event (${info.name}) whose parameters do not add up`;
    const tid = view.getBigUint64(event + 8, true);
    const current = this.#converter.convert({ code, tid, params });
    if (current === undefined) return 0;
    const flags = hasFlags ? view.getUint32(from + 10, true) : undefined;
    return write(current, bytes.subarray(event, event + 16), view, from + 8, flags, out, at);
  }
}

function paramsOf(
  view: DataView,
  bytes: Uint8Array,
  event: number,
  eventEnd: number,
  limit: number,
): Uint8Array[] | undefined {
  const count = view.getUint32(event + 22, true);
  const size = LARGE[view.getUint16(event + 20, true)] === 1 ? 4 : 2;
  if (count > PARAMS_MAX || eventEnd > limit) return undefined;
  let at = event + HEADER_BYTES + count * size;
  if (at > eventEnd) return undefined;
  const params: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const place = event + HEADER_BYTES + index * size;
    const length = size === 4 ? view.getUint32(place, true) : view.getUint16(place, true);
    if (at + length > eventEnd) return undefined;
    params.push(bytes.subarray(at, at + length));
    at += length;
  }
  return params;
}

function paramsV1(
  view: DataView,
  bytes: Uint8Array,
  event: number,
  eventEnd: number,
  countMax: number,
): Uint8Array[] | undefined {
  const lengths = event + HEADER_BYTES_V1;
  for (let count = countMax; count >= 0; count--) {
    const data = lengths + count * 2;
    if (data > eventEnd) continue;
    let sum = data;
    for (let index = 0; index < count; index++) sum += view.getUint16(lengths + index * 2, true);
    if (sum !== eventEnd) continue;
    const params: Uint8Array[] = [];
    let at = data;
    for (let index = 0; index < count; index++) {
      const length = view.getUint16(lengths + index * 2, true);
      params.push(bytes.subarray(at, at += length));
    }
    return params;
  }
  return undefined;
}

/** `head` is the event's time and thread; the CPU stands at `cpuAt` in the old block. */
function write(
  event: CurrentEvent,
  head: Uint8Array,
  old: DataView,
  cpuAt: number,
  flags: number | undefined,
  out: Uint8Array,
  at: number,
): number | undefined {
  const large = LARGE[event.code] === 1;
  const size = large ? 4 : 2;
  let length = HEADER_BYTES + event.params.length * size;
  for (const param of event.params) length += param.length;
  const start = flags === undefined ? 10 : 14;
  const total = Math.ceil((start + length + 4) / 4) * 4;
  if (at + total > out.length) return undefined;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const type = flags === undefined
    ? large ? BLOCK_EVENT_LARGE : BLOCK_EVENT
    : large
    ? BLOCK_EVENT_FLAGS_LARGE
    : BLOCK_EVENT_FLAGS;
  view.setUint32(at, type, true);
  view.setUint32(at + 4, total, true);
  view.setUint16(at + 8, old.getUint16(cpuAt, true), true);
  if (flags !== undefined) view.setUint32(at + 10, flags, true);
  out.set(head, at + start);
  view.setUint32(at + start + 16, length, true);
  view.setUint16(at + start + 20, event.code, true);
  view.setUint32(at + start + 22, event.params.length, true);
  let lengthAt = at + start + HEADER_BYTES;
  let dataAt = lengthAt + event.params.length * size;
  for (const param of event.params) {
    if (large) view.setUint32(lengthAt, param.length, true);
    else view.setUint16(lengthAt, param.length, true);
    lengthAt += size;
    out.set(param, dataAt);
    dataAt += param.length;
  }
  out.fill(0, dataAt, at + total - 4);
  view.setUint32(at + total - 4, total, true);
  return total;
}

/** Whether a block of this type holds an event. */
export function isEventBlock(type: number): boolean {
  return type === BLOCK_EVENT || type === BLOCK_EVENT_FLAGS || type === BLOCK_EVENT_LARGE ||
    type === BLOCK_EVENT_FLAGS_LARGE || type === BLOCK_EVENT_V1 ||
    type === BLOCK_EVENT_V1_EARLY || type === BLOCK_EVENT_FLAGS_V1;
}
