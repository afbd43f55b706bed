// The two ends of a socket as its descriptor keeps them, and how an event changes them.
import { type AddressText, AF_INET6, isAt, isMapped } from "./address.ts";
import { type Fd, FdFlag, FdKind } from "./fd.ts";

export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_RAW = 255;
const NO_IPV4 = new Uint8Array(4);
const NO_IPV6 = new Uint8Array(16);

export function setConnected(fd: Fd): void {
  fd.flags = (fd.flags & ~(FdFlag.ConnectPending | FdFlag.ConnectFailed)) | FdFlag.Connected;
}

/** Whether a tuple names the ends that an IP socket has, in either direction. */
export function hasEnds(fd: Fd, bytes: Uint8Array, start: number): boolean {
  const v6 = bytes[start] === AF_INET6;
  const { sourceIp, destinationIp } = fd;
  if (sourceIp === undefined || destinationIp === undefined) return false;
  if (fd.flags & FdFlag.Listening || fd.kind !== (v6 ? FdKind.Ipv6 : FdKind.Ipv4)) return false;
  const size = v6 ? 16 : 4;
  const sport = port(bytes, start + 1 + size);
  const dport = port(bytes, start + 3 + 2 * size);
  const sourceAt = start + 1;
  const destinationAt = start + 3 + size;
  if (sport === fd.sourcePort && dport === fd.destinationPort) {
    if (isAt(sourceIp, bytes, sourceAt) && isAt(destinationIp, bytes, destinationAt)) return true;
  }
  return dport === fd.sourcePort && sport === fd.destinationPort &&
    isAt(sourceIp, bytes, destinationAt) && isAt(destinationIp, bytes, sourceAt);
}

/**
 * Takes both ends from a tuple. Nothing changes where the tuple names the ends that are there, in
 * either direction. Returns whether anything did.
 *
 * Falco keeps what it knows of a socket in one piece of memory that each kind lays out in its own
 * way, so that a protocol is forgotten when the kind changes.
 */
export function setEnds(fd: Fd, bytes: Uint8Array, start: number, addresses: AddressText): boolean {
  const v6 = bytes[start] === AF_INET6;
  const size = v6 ? 16 : 4;
  const mapped = v6 && isMapped(bytes, start + 1) && isMapped(bytes, start + 19);
  const skip = mapped ? 12 : 0;
  const sourceAt = start + 1 + skip;
  const sport = port(bytes, start + 1 + size);
  const destinationAt = start + 3 + size + skip;
  const dport = port(bytes, start + 3 + 2 * size);
  const kind = v6 && !mapped ? FdKind.Ipv6 : FdKind.Ipv4;
  const none = kind === FdKind.Ipv4 ? NO_IPV4 : NO_IPV6;
  if (fd.flags & FdFlag.Listening) {
    fd.flags &= ~FdFlag.Listening;
    fd.sourceIp = fd.destinationIp = undefined;
    fd.sourcePort = fd.destinationPort = 0;
    if (mapped) fd.l4proto = 0;
  } else if (fd.kind !== kind) {
    fd.l4proto = fd.sourcePort = fd.destinationPort = 0;
  }
  fd.kind = kind;
  const source = sized(fd.sourceIp, none);
  const destination = sized(fd.destinationIp, none);
  const same = isAt(source, bytes, sourceAt) && sport === fd.sourcePort &&
    isAt(destination, bytes, destinationAt) && dport === fd.destinationPort;
  const reversed = isAt(source, bytes, destinationAt) && dport === fd.sourcePort &&
    isAt(destination, bytes, sourceAt) && sport === fd.destinationPort;
  if (same || reversed) return false;
  fd.sourceIp = addresses.ip(bytes, sourceAt, none.length);
  fd.sourcePort = sport;
  fd.destinationIp = addresses.ip(bytes, destinationAt, none.length);
  fd.destinationPort = dport;
  return true;
}

/**
 * Data came to a bound IPv6 socket. Falco leaves it a bound one, and its port and protocol are
 * overwritten with the first bytes of the other address.
 */
export function overwriteBound(fd: Fd, bytes: Uint8Array, start: number): void {
  fd.sourceIp = bytes.slice(start + 1, start + 17);
  fd.sourcePort = port(bytes, start + 19);
  fd.l4proto = [0, 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW][bytes[start + 21]!] ??
    0;
}

function sized(ip: Uint8Array | undefined, none: Uint8Array): Uint8Array {
  return ip === undefined || ip.length !== none.length ? none : ip;
}

export function setUnixEnds(fd: Fd, bytes: Uint8Array, start: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  fd.unixSource = view.getBigUint64(start + 1, true);
  fd.unixDestination = view.getBigUint64(start + 9, true);
}

export function swapEnds(fd: Fd): void {
  const { sourceIp, sourcePort } = fd;
  fd.sourceIp = fd.destinationIp;
  fd.sourcePort = fd.destinationPort;
  fd.destinationIp = sourceIp;
  fd.destinationPort = sourcePort;
}

export function isTcp(fd: Fd): boolean {
  return fd.kind === FdKind.Ipv4 && (fd.flags & FdFlag.Listening) === 0 &&
    fd.l4proto === IPPROTO_TCP;
}

export function isUdp(fd: Fd): boolean {
  return fd.kind === FdKind.Ipv4 && (fd.flags & FdFlag.Listening) === 0 &&
    fd.l4proto === IPPROTO_UDP;
}

export function port(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8;
}
