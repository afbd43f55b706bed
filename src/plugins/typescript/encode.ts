// Values that a field's function gave → bytes of a column, in the plugin's thread; what is no value
// of the field's type is an Error of one line.
import type { PluginFieldType } from "../contract.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const encoder = new TextEncoder();

/** Writes the value; returns where it ends, -1 where there is no room. Throws for what is none. */
export type Encode = (value: unknown, into: Uint8Array, at: number) => number;

export const ENCODES: Readonly<Record<PluginFieldType, Encode>> = {
  string: (value, into, at) => {
    if (typeof value !== "string") throw unlike(value, "a text");
    // A NUL would end it for whoever takes it as C does.
    const text = value.includes("\0") ? value.slice(0, value.indexOf("\0")) : value;
    if (text.length <= SHORT) {
      const end = putShort(text, into, at);
      if (end >= 0) return end;
    }
    // The runtime does not write into shared memory.
    const bytes = encoder.encode(text);
    if (bytes.length > into.length - at) return -1;
    into.set(bytes, at);
    return at + bytes.length;
  },
  uint64: (value, into, at) => put64(whole(value, "a whole number from 0 on"), into, at),
  bool: (value, into, at) => {
    if (typeof value !== "boolean") throw unlike(value, "true or false");
    return put64(value ? 1n : 0n, into, at);
  },
  reltime: (value, into, at) => put64(whole(value, "nanoseconds"), into, at),
  abstime: (value, into, at) => put64(nanosecondsOf(value), into, at),
  ipaddr: (value, into, at) => putBytes(addressOf(value), into, at),
  ipnet: (value, into, at) => {
    const [address, prefix, more] = typeof value === "string" ? value.split("/") : [];
    const bytes = addressOf(address);
    const bits = Number(prefix);
    if (more !== undefined || !/^\d{1,3}$/.test(prefix ?? "") || bits > bytes.length * 8) {
      throw unlike(value, "a network such as 10.0.0.0/8");
    }
    return putBytes([...bytes, bits], into, at);
  },
};

/** A Date, milliseconds or nanoseconds since the epoch, as nanoseconds. */
export function nanosecondsOf(value: unknown): bigint {
  if (typeof value === "bigint" && value >= 0n && value <= U64_MAX) return value;
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms === "number" && ms >= 0 && ms < 1.8e13) {
    return BigInt(Math.trunc(ms)) * 1_000_000n +
      BigInt(Math.trunc((ms - Math.trunc(ms)) * 1_000_000));
  }
  throw unlike(value, "a time: a Date, milliseconds, or nanoseconds as a bigint");
}

function whole(value: unknown, wanted: string): bigint {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) value = BigInt(value);
  if (typeof value === "bigint" && value >= 0n && value <= U64_MAX) return value;
  throw unlike(value, wanted);
}

/** Characters of a text that is written one by one. */
const SHORT = 64;

/** Where it ends; -1: there is more in it than ASCII, or no room. */
function putShort(text: string, into: Uint8Array, at: number): number {
  if (text.length > into.length - at) return -1;
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place);
    if (code >= 0x80) return -1;
    into[at + place] = code;
  }
  return at + text.length;
}

function put64(value: bigint, into: Uint8Array, at: number): number {
  if (into.length - at < 8) return -1;
  let low = Number(value & 0xffff_ffffn);
  let high = Number(value >> 32n);
  for (let byte = 0; byte < 4; byte++) {
    into[at + byte] = low & 0xff;
    into[at + 4 + byte] = high & 0xff;
    low >>>= 8;
    high >>>= 8;
  }
  return at + 8;
}

function putBytes(bytes: readonly number[], into: Uint8Array, at: number): number {
  if (into.length - at < bytes.length) return -1;
  into.set(bytes, at);
  return at + bytes.length;
}

function addressOf(value: unknown): readonly number[] {
  const bytes = typeof value === "string" ? parsed(value) : undefined;
  if (bytes === undefined) throw unlike(value, "an address such as 10.0.0.1");
  return bytes;
}

function parsed(text: string): readonly number[] | undefined {
  if (!text.includes(":")) return parsed4(text);
  const last = text.lastIndexOf(":");
  const tail = text.includes(".") ? parsed4(text.slice(last + 1)) : [];
  if (tail === undefined) return undefined;
  const head = tail.length === 0 ? text : `${text.slice(0, last + 1)}0:0`;
  const halves = head.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const count = groups.reduce((sum, { length }) => sum + length, 0);
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined;
  const all = halves.length === 1
    ? groups[0]!
    : [...groups[0]!, ...Array(8 - count).fill("0"), ...groups[1]!];
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  const bytes = all.flatMap((group) => {
    const number = parseInt(group, 16);
    return [number >> 8, number & 0xff];
  });
  return tail.length === 0 ? bytes : [...bytes.slice(0, 12), ...tail];
}

function parsed4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  const isOne = parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return isOne ? parts.map(Number) : undefined;
}

function unlike(value: unknown, wanted: string): Error {
  const found = typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : typeof value === "number" || typeof value === "bigint" || typeof value === "boolean"
    ? String(value)
    : value instanceof Promise
    ? "a promise"
    : typeof value;
  return new TypeError(`expected ${wanted}, found ${found}`);
}
