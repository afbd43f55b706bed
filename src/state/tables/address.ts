// Addresses as text, the way Falco writes descriptor names: `ip:port->ip:port`, `hex->hex path`.
// Bytes of an event, or the ends kept on a descriptor, come in; the id of the text goes out.
import type { Fd } from "./fd.ts";
import { FdKind } from "./fd.ts";
import type { Strings } from "./strings.ts";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** Bytes of a socket tuple of each family: family, then both addresses and ports. */
const TUPLE_V4 = 13;
const TUPLE_V6 = 37;
/** Family and the kernel addresses of a Unix socket's two ends, before its path. */
const TUPLE_UNIX = 17;
const COLON = 58;
const DOT = 46;
/** Stands for a NUL of an abstract name. */
const AT = 64;
const HEX = "0123456789abcdef";
/** IPv4 addresses whose bytes are shared; a power of two. */
const IPS = 1 << 10;
/** Tuples whose text is remembered; a power of two. */
const TUPLES = 1 << 12;

/** Whether `bytes` has the address at `at`. */
export function isAt(ip: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < ip.length; index++) if (ip[index] !== bytes[at + index]) return false;
  return true;
}

/** Whether the bytes are a whole socket tuple of their family. */
export function isTuple(bytes: Uint8Array, start: number, length: number): boolean {
  if (length === 0) return false;
  const family = bytes[start]!;
  if (family === AF_INET) return length >= TUPLE_V4;
  if (family === AF_INET6) return length >= TUPLE_V6;
  if (family === AF_UNIX) return length > TUPLE_UNIX && bytes[start + length - 1] === 0;
  return true;
}

/** Whether the bytes are a whole socket address of their family. */
export function isAddress(bytes: Uint8Array, start: number, length: number): boolean {
  if (length === 0) return false;
  const family = bytes[start]!;
  if (family === AF_INET) return length >= 7;
  if (family === AF_INET6) return length >= 19;
  if (family === AF_UNIX) return length >= 2 && bytes[start + length - 1] === 0;
  return true;
}

/** Whether an IPv6 address stands for an IPv4 one; the all-zero address does. */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  if (bytes[at + 10] === 0xff && bytes[at + 11] === 0xff) return true;
  for (let index = 10; index < 16; index++) if (bytes[at + index] !== 0) return false;
  return true;
}

export class AddressText {
  readonly #strings: Strings;
  #out = new Uint8Array(512);
  #view = new DataView(this.#out.buffer);
  #end = 0;
  /** Id of a tuple's bytes, id of its text. */
  readonly #tuples = new Int32Array(TUPLES << 1);
  #generation = 0;
  readonly #ips: (Uint8Array | undefined)[] = new Array(IPS).fill(undefined);

  constructor(strings: Strings) {
    this.#strings = strings;
  }

  /** The address of `size` bytes at `at`: the same object for the same IPv4 address, mostly. */
  ip(bytes: Uint8Array, at: number, size: number): Uint8Array {
    if (size !== 4) return bytes.slice(at, at + size);
    const hash = bytes[at]! * 7 ^ bytes[at + 1]! * 31 ^ bytes[at + 2]! * 131 ^ bytes[at + 3]!;
    const known = this.#ips[hash & (IPS - 1)];
    if (known !== undefined && isAt(known, bytes, at)) return known;
    return this.#ips[hash & (IPS - 1)] = bytes.slice(at, at + size);
  }

  /** Text of a socket tuple parameter. */
  tuple(bytes: Uint8Array, start: number, length: number): number {
    const strings = this.#strings;
    if (this.#generation !== strings.generation) {
      this.#tuples.fill(0);
      this.#generation = strings.generation;
    }
    // The same tuple comes again and again: its bytes are known by their id.
    const id = strings.intern(bytes, start, start + length);
    const at = (id & (TUPLES - 1)) << 1;
    if (id !== 0 && this.#tuples[at] === id) return this.#tuples[at + 1]!;
    const text = this.#tupleText(bytes, start, length);
    this.#tuples[at] = id;
    return this.#tuples[at + 1] = text;
  }

  #tupleText(bytes: Uint8Array, start: number, length: number): number {
    this.#end = 0;
    const family = length === 0 ? -1 : bytes[start]!;
    if (!isTuple(bytes, start, length)) {
      this.#text(invalid(family, "NULL", "SOCKTUPLE"));
    } else if (family === AF_INET) {
      this.#v4(bytes, start + 1);
      this.#port(bytes, start + 5);
      this.#text("->");
      this.#v4(bytes, start + 7);
      this.#port(bytes, start + 11);
    } else if (family === AF_INET6) {
      const mapped = isMapped(bytes, start + 1) && isMapped(bytes, start + 19);
      this.#v6OrMapped(bytes, start + 1, mapped);
      this.#port(bytes, start + 17);
      this.#text("->");
      this.#v6OrMapped(bytes, start + 19, mapped);
      this.#port(bytes, start + 35);
    } else if (family === AF_UNIX) {
      this.#hex64(bytes, start + 1);
      this.#text("->");
      this.#hex64(bytes, start + 9);
      this.#text(" ");
      this.#unixName(bytes, start + TUPLE_UNIX, start + length);
    } else this.#text(`family ${family}`);
    return this.#id();
  }

  /** Text of a socket address parameter. */
  address(bytes: Uint8Array, start: number, length: number): number {
    this.#end = 0;
    const family = length === 0 ? -1 : bytes[start]!;
    if (!isAddress(bytes, start, length)) {
      this.#text(invalid(family, "<NA>", "SOCKADDR"));
    } else if (family === AF_INET) {
      this.#v4(bytes, start + 1);
      this.#port(bytes, start + 5);
    } else if (family === AF_INET6) {
      this.#v6(bytes, start + 1);
      this.#port(bytes, start + 17);
    } else if (family === AF_UNIX) this.#unixName(bytes, start + 1, start + length);
    else this.#text(`family ${family}`);
    return this.#id();
  }

  /** `source->destination` of an IP socket with two ends, as an event that changed it shows it. */
  connection(fd: Fd): number {
    this.#end = 0;
    const source = fd.sourceIp ?? NO_IP;
    const destination = fd.destinationIp ?? NO_IP;
    const withPorts = fd.l4proto === 6 || fd.l4proto === 17;
    if (!withPorts && fd.l4proto !== 1 && (fd.l4proto !== 255 || fd.kind === FdKind.Ipv6)) {
      this.#text("<unknown>");
      return this.#id();
    }
    this.#ends(source, destination, fd, withPorts);
    return this.#id();
  }

  /** The same with ports whatever the protocol: how a state dump's sockets are named. */
  dumped(fd: Fd): number {
    this.#end = 0;
    this.#ends(fd.sourceIp ?? NO_IP, fd.destinationIp ?? NO_IP, fd, true);
    return this.#id();
  }

  /** `ip:port` of a listening socket. */
  local(fd: Fd): number {
    this.#end = 0;
    this.#ip(fd.sourceIp ?? NO_IP);
    this.#byte(COLON);
    this.#number(fd.sourcePort);
    return this.#id();
  }

  #ends(source: Uint8Array, destination: Uint8Array, fd: Fd, withPorts: boolean): void {
    this.#ip(source);
    if (withPorts) {
      this.#byte(COLON);
      this.#number(fd.sourcePort);
    }
    this.#text("->");
    this.#ip(destination);
    if (withPorts) {
      this.#byte(COLON);
      this.#number(fd.destinationPort);
    }
  }

  #id(): number {
    return this.#strings.internView(this.#view, this.#out, 0, this.#end);
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#out[this.#end++] = byte;
  }

  #text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#byte(text.charCodeAt(at));
  }

  #cString(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && bytes[at] !== 0; at++) this.#byte(bytes[at]!);
  }

  /** A path up to its NUL, or an abstract name by its length: our probe puts an "@" where its first
   * NUL was, as tools show it, and so are those inside shown. */
  #unixName(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] !== AT) return this.#cString(bytes, start, end);
    for (let at = start; at < end - 1; at++) this.#byte(bytes[at] === 0 ? AT : bytes[at]!);
  }

  #number(value: number): void {
    this.#room(10);
    this.#end = putNumber(this.#out, this.#end, value);
  }

  #room(count: number): void {
    if (this.#end + count <= this.#out.length) return;
    const larger = new Uint8Array(this.#out.length * 2 + count);
    larger.set(this.#out);
    this.#out = larger;
    this.#view = new DataView(larger.buffer);
  }

  #port(bytes: Uint8Array, at: number): void {
    this.#byte(COLON);
    this.#number(bytes[at]! | bytes[at + 1]! << 8);
  }

  #ip(ip: Uint8Array): void {
    if (ip.length === 4) this.#v4(ip, 0);
    else this.#v6(ip, 0);
  }

  #v4(bytes: Uint8Array, at: number): void {
    this.#room(15);
    let to = this.#end;
    const out = this.#out;
    for (let index = 0; index < 4; index++) {
      if (index > 0) out[to++] = DOT;
      to = putNumber(out, to, bytes[at + index]!);
    }
    this.#end = to;
  }

  #v6OrMapped(bytes: Uint8Array, at: number, mapped: boolean): void {
    if (mapped) this.#v4(bytes, at + 12);
    else this.#v6(bytes, at);
  }

  /** As inet_ntop writes it. */
  #v6(bytes: Uint8Array, at: number): void {
    const [from, length] = zeroRun(bytes, at);
    const dotted = from === 0 &&
      (length === 6 || (length === 5 && bytes[at + 10] === 0xff && bytes[at + 11] === 0xff));
    for (let word = 0; word < 8; word++) {
      if (word >= from && word < from + length) {
        if (word === from) this.#byte(COLON);
        continue;
      }
      if (word > 0) this.#byte(COLON);
      if (word === 6 && dotted) {
        this.#v4(bytes, at + 12);
        return;
      }
      this.#hex(bytes[at + word * 2]! << 8 | bytes[at + word * 2 + 1]!);
    }
    if (length > 0 && from + length === 8) this.#byte(COLON);
  }

  #hex(value: number): void {
    if (value >= 16) this.#hex(value >>> 4);
    this.#byte(HEX.charCodeAt(value & 15));
  }

  #hex64(bytes: Uint8Array, at: number): void {
    let started = false;
    for (let index = 7; index >= 0; index--) {
      const byte = bytes[at + index]!;
      if (started || byte > 15) this.#byte(HEX.charCodeAt(byte >>> 4));
      if (started || byte > 0 || index === 0) {
        this.#byte(HEX.charCodeAt(byte & 15));
        started = true;
      }
    }
  }
}

const NO_IP = new Uint8Array(4);

/** Puts a number's digits; returns the place behind them. */
function putNumber(out: Uint8Array, to: number, value: number): number {
  let rest = value;
  let end = to + 1;
  for (let above = value; above >= 10; above = Math.trunc(above / 10)) end++;
  for (let at = end - 1; at >= to; at--) {
    const higher = Math.trunc(rest / 10);
    out[at] = 48 + rest - higher * 10;
    rest = higher;
  }
  return end;
}

/** The longest run of zero words, the first of equals; a single word is no run. */
function zeroRun(bytes: Uint8Array, at: number): [from: number, length: number] {
  let best = -1;
  let bestLength = 1;
  let length = 0;
  for (let word = 0; word < 8; word++) {
    const zero = bytes[at + word * 2] === 0 && bytes[at + word * 2 + 1] === 0;
    length = zero ? length + 1 : 0;
    if (length > bestLength) {
      best = word - length + 1;
      bestLength = length;
    }
  }
  return best < 0 ? [-1, 0] : [best, bestLength];
}

function invalid(family: number, empty: string, what: string): string {
  if (family === -1) return empty;
  if (family === AF_UNIX) return "INVALID PATH";
  if (family === AF_INET) return "INVALID IPv4";
  if (family === AF_INET6) return "INVALID IPv6";
  return `INVALID ${what}`;
}
