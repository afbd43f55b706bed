// Events made by hand, for tests and benchmarks: an event's name and the values of its parameters
// in, the bytes of a .scap event out.
import { bytesOf } from "../words/raw_text.ts";
import { Event } from "./event.ts";
import { codeOf, EVENTS, type ParamType } from "./table.ts";

export type ParamValue = number | bigint | string | Uint8Array | undefined;

export interface EventValues {
  /** The table's id, such as SYSCALL_OPENAT_2_X. */
  readonly id: string;
  readonly tid: number;
  /** ns since the epoch. */
  readonly time?: bigint;
  /** By the parameters' names; those that are missing are empty. */
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Paths that the kernel resolved, and records of descriptors: makes the event one of our own
   * drivers. */
  readonly own?: { readonly path?: string; readonly path2?: string; readonly files?: Uint8Array };
}

const SIZES: Partial<Record<ParamType, number>> = {
  INT8: 1,
  UINT8: 1,
  FLAGS8: 1,
  ENUMFLAGS8: 1,
  SIGTYPE: 1,
  L4PROTO: 1,
  SOCKFAMILY: 1,
  INT16: 2,
  UINT16: 2,
  FLAGS16: 2,
  ENUMFLAGS16: 2,
  SYSCALLID: 2,
  PORT: 2,
  INT32: 4,
  UINT32: 4,
  FLAGS32: 4,
  ENUMFLAGS32: 4,
  UID: 4,
  GID: 4,
  MODE: 4,
  BOOL: 4,
  FD32: 4,
  PID32: 4,
};

/** The bytes of an event, without a block around them. */
export function eventBytes(
  { id, tid, time = 1_700_000_000_000_000_000n, params, own }: EventValues,
): Uint8Array {
  const code = codeOf(id);
  const parts = EVENTS[code]!.params.map(({ name, type }) => encode(params[name], type));
  if (own !== undefined) {
    parts.push(encode(own.path, "FSPATH"), encode(own.path2, "FSPATH"));
    parts.push(own.files ?? new Uint8Array(0), encode(1, "UINT64"), encode(0, "UINT8"));
  }
  const large = EVENTS[code]!.flags.has("large_payload");
  const lengths = parts.length * (large ? 4 : 2);
  const total = 26 + lengths + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, time, true);
  view.setBigUint64(8, BigInt(tid), true);
  view.setUint32(16, total, true);
  view.setUint16(20, code, true);
  view.setUint32(22, parts.length, true);
  let at = 26 + lengths;
  for (const [index, part] of parts.entries()) {
    if (large) view.setUint32(26 + index * 4, part.length, true);
    else view.setUint16(26 + index * 2, part.length, true);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function encode(value: ParamValue, type: ParamType): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return bytesOf(`${value}\0`);
  const size = SIZES[type] ?? 8;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true);
  return bytes.subarray(0, size);
}

/** Points an event at the bytes of another one. */
export function pointAt(event: Event, bytes: Uint8Array): void {
  event.bind(bytes);
  if (!event.moveTo(0, bytes.length)) throw new Error("The event's bytes are not sound");
}
