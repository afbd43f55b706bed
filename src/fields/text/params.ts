// An event's parameters as text, as `evt.arg.*` and `evt.args` show them: a raw form (`-2`, `3`)
// and, where there is one, what it stands for (`ENOENT`, `<f>/etc/passwd`, a user's name).
import { rawText } from "../../words/raw_text.ts";
import type { Param, ParamType } from "../../events/table.ts";
import { EVENTS, SYSCALLS } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import type { Context } from "../../state/contract/context.ts";
import { isCaller } from "../../state/contract/views.ts";
import { EMPTY, MISSING } from "../../state/tables/strings.ts";
import { socketAddressText, socketTupleText } from "./addresses.ts";
import { fdTypeChar, ipProtocolChar } from "./fd_types.ts";
import { flagNames, modeNames, signalSetText, valueNames } from "./flag_names.ts";
import { errnoName, signalName } from "./names.ts";
import { paramNumberText } from "./numbers.ts";
import { kernelPathOf } from "./kernel_paths.ts";
import { dateTimeText } from "./times.ts";
import { groupName, userName } from "./user_names.ts";

/** How byte buffers are written; the setting `buffer_format_base64`. */
export type BufferFormat = "dots" | "base64";

export const AT_FDCWD = -100;
/** Text of an empty parameter. */
export const NOT_AVAILABLE = "<NA>";
const PATH_BYTES_MAX = 4096;

/** Where `readParam` leaves its result; one object serves many calls. */
export class ParamText {
  raw = "";
  /** "" where the raw form says all. */
  resolved = "";
  /** What was read; the form that a parameter has of several. */
  type: ParamType = "NONE";
  /** The flags whose names were made last: nearly all events of a kind have the same. */
  #param: Param | undefined;
  #value = 0;
  #names = "";

  /** Of a parameter of flags, or of an enumeration. */
  nameFlags(param: Param, value: number): void {
    if (param !== this.#param || value !== this.#value) {
      this.#param = param;
      this.#value = value;
      const isOne = param.type.startsWith("ENUM");
      this.#names = isOne ? valueNames(param, value) : flagNames(param, value);
    }
    this.raw = String(value);
    this.resolved = this.#names;
  }

  /** What `evt.arg.*` shows. */
  get shown(): string {
    return this.resolved === "" ? this.raw : this.resolved;
  }
}

/** Parameters that the table gives the event and that its record may have. */
export function paramCount(event: Event): number {
  return EVENTS[event.code]!.params.length;
}

/** Index of the parameter called `name`; -1 where the event has none. */
export function paramIndex(code: number, name: string): number {
  return paramIndexes[code]!.get(name) ?? -1;
}

const paramIndexes: readonly ReadonlyMap<string, number>[] = EVENTS.map((info) =>
  new Map(info.params.map((param, index): [string, number] => [param.name, index]).reverse())
);

/** Reads parameter `index` of the context's event as text into `out`. */
export function readParam(
  context: Context,
  index: number,
  format: BufferFormat,
  out: ParamText,
): void {
  const event = context.event;
  const param = EVENTS[event.code]!.params[index]!;
  out.raw = "";
  out.resolved = "";
  out.type = "NONE";
  if (isMissingText(event, index, param)) {
    out.raw = NOT_AVAILABLE;
    return;
  }
  const start = event.param(index);
  const length = event.paramLength(index);
  if (length === 0) {
    out.raw = SHOWN_AS_NULL.has(param.type) ? "NULL" : NOT_AVAILABLE;
    return;
  }
  if (param.type !== "DYN") return readTyped(context, param, index, start, length, format, out);
  const form = param.dynamic?.[event.bytes[start]!];
  if (form === undefined) {
    out.raw = "INVALID DYNAMIC PARAMETER";
    return;
  }
  if (length === 1) {
    out.raw = "(null)";
    return;
  }
  // The format of the parameter, not that of its form, decides how numbers look.
  const typed: Param = { name: param.name, type: form.type, format: param.format };
  readTyped(context, typed, index, start + 1, length - 1, format, out);
}

/** Types whose absence reads `NULL` rather than `<NA>`. */
const SHOWN_AS_NULL: ReadonlySet<string> = new Set([
  "BYTEBUF",
  "SOCKTUPLE",
  "FDLIST",
  "CHARBUFARRAY",
  "CHARBUF_PAIR_ARRAY",
  "DYN",
]);

/** Whether a text parameter is absent: empty without its NUL, or the driver's "(NULL)". */
export function isMissingText(event: Event, index: number, param: Param): boolean {
  if (param.type !== "CHARBUF" && param.type !== "FSPATH" && param.type !== "FSRELPATH") {
    return false;
  }
  const length = event.paramLength(index);
  if (length === 0) return true;
  if (length !== NULL_TEXT.length) return false;
  const start = event.param(index);
  for (let at = 0; at < length; at++) if (event.bytes[start + at] !== NULL_TEXT[at]) return false;
  return true;
}

const NULL_TEXT = new TextEncoder().encode("(NULL)\0");

/** The bytes of the record must hold `length` of them at `start`. */
function readTyped(
  context: Context,
  param: Param,
  index: number,
  start: number,
  length: number,
  format: BufferFormat,
  out: ParamText,
): void {
  const event = context.event;
  const { bytes } = event;
  out.type = param.type;
  switch (param.type) {
    case "FD":
    case "FD32":
      return readFd(context, wideNumber(event, start, length), out);
    case "PID":
    case "PID32": {
      const pid = wideNumber(event, start, length);
      out.raw = String(pid);
      const thread = context.machine.threads.get(Number(pid));
      if (thread !== undefined) out.resolved = context.machine.strings.text(thread.comm) ?? "";
      return;
    }
    case "ERRNO": {
      const result = wideNumber(event, start, length);
      out.raw = String(result);
      if (result < 0) out.resolved = errnoName(Number(result));
      return;
    }
    case "CHARBUF":
      out.raw = textAt(bytes, start, length);
      return;
    case "FSPATH":
    case "FSRELPATH":
      return readPath(context, param, index, start, length, out);
    case "BYTEBUF":
      out.raw = bufferText(bytes.subarray(start, start + length), format);
      return;
    case "SOCKADDR":
      out.raw = socketAddressText(bytes.subarray(start, start + length));
      return;
    case "SOCKTUPLE":
      out.raw = socketTupleText(bytes.subarray(start, start + length));
      return;
    case "FDLIST":
      out.raw = fdListText(context, start, length);
      return;
    case "SYSCALLID": {
      const id = length >= 2 ? event.view.getUint16(start, true) : 0;
      out.raw = String(id);
      out.resolved = syscallName(id) ?? "";
      return;
    }
    case "SIGTYPE":
      out.raw = String(bytes[start]);
      out.resolved = signalName(bytes[start]!);
      return;
    case "RELTIME":
      return readInterval(event, start, length, out);
    case "ABSTIME":
      out.raw = length >= 8
        ? dateTimeText(event.view.getBigUint64(start, true), "local", "ns")
        : NOT_AVAILABLE;
      return;
    case "FLAGS8":
    case "FLAGS16":
    case "FLAGS32":
    case "ENUMFLAGS8":
    case "ENUMFLAGS16":
    case "ENUMFLAGS32":
      return out.nameFlags(param, narrowNumber(event, start, length));
    case "MODE": {
      const value = narrowNumber(event, start, length);
      out.raw = paramNumberText(value, param.type, param.format);
      out.resolved = modeNames(param, value);
      return;
    }
    case "UID":
    case "GID": {
      const id = narrowNumber(event, start, length);
      if (id === 0xffffffff) {
        out.raw = "-1";
        out.resolved = "<NONE>";
        return;
      }
      // Written as a signed number, as Falco does.
      out.raw = String(id | 0);
      out.resolved = param.type === "UID" ? userName(context, id) : groupName(context, id);
      return;
    }
    case "SIGSET":
      out.raw = signalSetText(narrowNumber(event, start, length));
      return;
    case "INT64":
    case "UINT64": {
      const value = length >= 8 ? event.view.getBigInt64(start, true) : 0n;
      out.raw = paramNumberText(value, param.type, param.format);
      return;
    }
    case "INT8":
    case "INT16":
    case "INT32":
    case "UINT8":
    case "UINT16":
    case "UINT32": {
      const value = narrowNumber(event, start, length);
      out.raw = paramNumberText(value, param.type, param.format);
      return;
    }
    default:
      out.raw = "(n.a.)";
  }
}

/** A signed number of 4 or 8 bytes, exact. */
function wideNumber(event: Event, start: number, length: number): number | bigint {
  if (length === 4) return event.view.getInt32(start, true);
  if (length < 8) return 0;
  const high = event.view.getInt32(start + 4, true);
  if (high < -0x200000 || high >= 0x200000) return event.view.getBigInt64(start, true);
  return high * 0x1_0000_0000 + event.view.getUint32(start, true);
}

/** An unsigned number of up to 4 bytes. */
function narrowNumber(event: Event, start: number, length: number): number {
  if (length >= 4) return event.view.getUint32(start, true);
  return length >= 2 ? event.view.getUint16(start, true) : event.bytes[start]!;
}

function readFd(context: Context, number: number | bigint, out: ParamText): void {
  out.raw = String(number);
  const thread = context.thread;
  if (thread === undefined) return;
  if (number === AT_FDCWD) {
    out.resolved = "AT_FDCWD";
    return;
  }
  if (number < 0) {
    out.resolved = errnoName(Number(number));
    return;
  }
  const fd = context.machine.fdsOf(thread)?.get(Number(number));
  if (fd === undefined) return;
  const name = context.machine.strings.text(context.nameOf(fd)) ?? "";
  out.resolved = `<${fdTypeChar(fd)}${ipProtocolChar(fd)}>${name}`;
}

function readPath(
  context: Context,
  param: Param,
  index: number,
  start: number,
  length: number,
  out: ParamText,
): void {
  const { event, thread, machine } = context;
  const raw = textAt(event.bytes, start, length);
  out.raw = raw;
  const resolved = kernelPathOf(context, index);
  if (resolved !== MISSING) {
    const text = machine.strings.text(resolved)!;
    if (text !== raw) out.resolved = text;
    return;
  }
  if (thread === undefined || raw === "" || raw.startsWith("/") || raw === NOT_AVAILABLE) return;
  const id = machine.strings.intern(event.bytes, start, event.textEnd(index));
  const directory = directoryOf(context, param);
  out.resolved = machine.strings.text(machine.join(directory, id)) ?? "";
}

/** Id of the directory that a relative path parameter starts from; it ends with a slash. */
function directoryOf(context: Context, param: Param): number {
  const { event, machine } = context;
  const process = context.process ?? context.thread!;
  const at = param.type === "FSRELPATH" ? param.dirfd : undefined;
  if (at === undefined || EVENTS[event.code]!.params[at]?.type !== "FD") {
    return context.cwdOf(process);
  }
  const dirfd = event.has(at) ? event.int32(at) : AT_FDCWD;
  if (dirfd === AT_FDCWD) return context.cwdOf(process);
  const fd = machine.fdsOf(process)?.get(dirfd);
  if (fd === undefined || fd.name === EMPTY) return EMPTY;
  return machine.directoryOf(process, dirfd, EMPTY, isCaller(context.view));
}

function fdListText(context: Context, start: number, length: number): string {
  const { event, thread, machine } = context;
  if (thread === undefined || length < 2) return "";
  const fds = machine.fdsOf(thread);
  const parts: string[] = [];
  const count = event.view.getUint16(start, true);
  for (let index = 0, at = start + 2; index < count; index++, at += 10) {
    if (at + 10 > start + length) break;
    const number = event.view.getBigInt64(at, true);
    const fd = number >= 0n ? fds?.get(Number(number)) : undefined;
    const flags = event.view.getInt16(at + 8, true) >>> 0;
    const shown = BigInt.asUintN(64, number);
    parts.push(`${shown}:${fd === undefined ? "?" : fdTypeChar(fd)}${flags.toString(16)}`);
  }
  return parts.join(" ");
}

function readInterval(event: Event, start: number, length: number, out: ParamText): void {
  if (length < 8) {
    out.raw = NOT_AVAILABLE;
    return;
  }
  const nanoseconds = event.view.getBigUint64(start, true);
  if (nanoseconds === 0xffff_ffff_ffff_ffffn) {
    out.raw = "none";
    return;
  }
  out.raw = String(nanoseconds);
  out.resolved = `${shortNumber(Number(nanoseconds) / 1e9)}s`;
}

/** A number as C's %g writes it: six significant digits, no zeros at the end. */
function shortNumber(value: number): string {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [digits, power] = value.toExponential(5).split("e") as [string, string];
  const sign = power.startsWith("-") ? "-" : "+";
  return `${String(Number(digits))}e${sign}${power.slice(1).padStart(2, "0")}`;
}

/** Bytes as text: what does not print becomes a dot. */
export function bufferText(bytes: Uint8Array, format: BufferFormat): string {
  if (format === "base64") return base64(bytes);
  let text = "";
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  return text;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The text of `length` bytes up to its NUL, its bytes kept (words/raw_text.ts). */
export function textAt(bytes: Uint8Array, start: number, length: number): string {
  let end = start;
  const limit = start + Math.min(length, PATH_BYTES_MAX * 16);
  while (end < limit && bytes[end] !== 0) end++;
  return end === start ? "" : rawText(bytes.subarray(start, end));
}

const syscallNames = new Map(SYSCALLS.map((call) => [call.sc, call.name]));

/** Name of a system call by the code that a generic event carries. */
export function syscallName(sc: number): string | undefined {
  return sc === 0 ? "unknown" : syscallNames.get(sc);
}
