// An event's parameters as typed values, as `evt.rawarg.*` gives them to comparisons: numbers as
// numbers, text as text, bytes as bytes.
import { EVENTS, type Param, type ParamType } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import type { Value } from "../row/field.ts";
import { isMissingText, NOT_AVAILABLE, textAt } from "./params.ts";

/** Value of parameter `index`; undefined where it is empty (`<NA>` for text, as Falco has it). */
export function paramValue(event: Event, index: number): Value {
  const param = EVENTS[event.code]!.params[index]!;
  if (isMissingText(event, index, param)) return NOT_AVAILABLE;
  const length = event.paramLength(index);
  if (length === 0) return undefined;
  return valueAt(event, param, event.param(index), length);
}

function valueAt(event: Event, param: Param, start: number, length: number): Value {
  const { view, bytes } = event;
  switch (param.type) {
    case "CHARBUF":
    case "FSPATH":
    case "FSRELPATH":
      return textAt(bytes, start, length);
    case "INT8":
      return view.getInt8(start);
    case "INT16":
      return length >= 2 ? view.getInt16(start, true) : undefined;
    case "INT32":
      return length >= 4 ? view.getInt32(start, true) : undefined;
    case "INT64":
    case "ERRNO":
    case "FD":
    case "PID":
    case "FD32":
    case "PID32":
      return signed(event, start, length);
    case "UINT64":
    case "RELTIME":
    case "ABSTIME":
      return length >= 8 ? exact(view.getBigUint64(start, true)) : undefined;
    default:
      return NUMERIC.has(param.type) ? unsigned(event, start, length) : bytes.slice(
        start,
        start + length,
      );
  }
}

/** Unsigned numbers of up to 32 bits. */
const NUMERIC: ReadonlySet<ParamType> = new Set([
  "UINT8",
  "UINT16",
  "UINT32",
  "FLAGS8",
  "FLAGS16",
  "FLAGS32",
  "ENUMFLAGS8",
  "ENUMFLAGS16",
  "ENUMFLAGS32",
  "UID",
  "GID",
  "MODE",
  "PORT",
  "BOOL",
  "SIGTYPE",
  "SIGSET",
  "SYSCALLID",
  "L4PROTO",
  "SOCKFAMILY",
]);

const WIDE: ReadonlySet<ParamType> = new Set([
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "UINT64",
  "RELTIME",
  "ABSTIME",
  "ERRNO",
  "FD",
  "PID",
  "FD32",
  "PID32",
]);

/** Whether values of the type are numbers. */
export function isNumber(type: ParamType): boolean {
  return NUMERIC.has(type) || WIDE.has(type);
}

function unsigned(event: Event, start: number, length: number): number {
  if (length >= 4) return event.view.getUint32(start, true);
  return length >= 2 ? event.view.getUint16(start, true) : event.bytes[start]!;
}

function signed(event: Event, start: number, length: number): number | bigint | undefined {
  if (length === 4) return event.view.getInt32(start, true);
  if (length < 8) return undefined;
  const low = event.view.getInt32(start, true);
  const high = event.view.getInt32(start + 4, true);
  return high === low >> 31 ? low : exact(event.view.getBigInt64(start, true));
}

/** A number where that is exact, else a bigint. */
export function exact(value: bigint): number | bigint {
  return value >= -SAFE && value <= SAFE ? Number(value) : value;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** What an event returned: its first parameter, of 4 or 8 bytes; 0 where that has another size. */
export function returnValue(event: Event): number | bigint {
  const length = event.paramLength(0);
  if (length !== 4 && length !== 8) return 0;
  return signed(event, event.param(0), length)!;
}

/** Whether an event of this code returns something: system calls that have parameters. */
export function hasReturnValue(code: number): boolean {
  return RETURNS[code] === 1;
}

const GENERIC_X = 1;

const RETURNS = Uint8Array.from(EVENTS, (info) => {
  const isExit = info.code % 2 === 1;
  const returns = isExit && info.code !== GENERIC_X && info.params.length > 0 &&
    info.kind.includes("syscall");
  return returns ? 1 : 0;
});
