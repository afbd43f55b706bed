// Sockets as the kernel has them: which entry is the same socket, where it leads, and one made
// from nothing but the kernel's record (events/own_files.ts).
import { codeOf } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import type { OwnFiles } from "../../events/own_files.ts";
import { AF_INET, AF_INET6, AF_UNIX, isMapped } from "../tables/address.ts";
import { Fd, FdFlag, FdKind } from "../tables/fd.ts";
import type { FdTable } from "../tables/fd_table.ts";
import {
  hasEnds,
  IPPROTO_ICMP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IPPROTO_UDP,
  port,
  setEnds,
  setUnixEnds,
  swapEnds,
} from "../tables/socket_ends.ts";
import { EMPTY } from "../tables/strings.ts";
import type { Tables } from "../tables/tables.ts";

const CONNECT = codeOf("SOCKET_CONNECT_X");
const BIND = codeOf("SOCKET_BIND_X");
const SOCK_RAW = 3;
/** Ports below are given to servers. */
const PRIVILEGED = 1024;
const TUPLE_V4 = 13;
const TUPLE_V6 = 37;
const TUPLE_UNIX = 17;
/** The tuple of the present record, one of IPv4 where both its ends are mapped ones. */
const TUPLE = new Uint8Array(TUPLE_V6);

/** Whether a kind is one of sockets; families that Falco does not name are Unknown. */
export function isSocket(kind: number): boolean {
  return kind === FdKind.Unknown || kind === FdKind.Ipv4 || kind === FdKind.Ipv6 ||
    kind === FdKind.Unix || kind === FdKind.Netlink;
}

function isIp(kind: FdKind): boolean {
  return kind === FdKind.Ipv4 || kind === FdKind.Ipv6;
}

/** Whether the entry is of the same socket: one that is not known by its inode yet may be. */
export function isSameSocket({ kind, ino }: OwnFiles, fd: Fd): boolean {
  const isKind = fd.kind === kind || (kind === FdKind.Ipv6 && fd.kind === FdKind.Ipv4);
  return isKind && (fd.ino === 0 || fd.ino === ino);
}

/** An entry from the record alone. Calls that are about to set the ends begin without. */
export function makeSocket(tables: Tables, files: OwnFiles, fds: FdTable, event: Event): Fd {
  const fd = new Fd(files.kind, EMPTY, EMPTY, files.flags, 0, files.ino);
  if (isIp(fd.kind)) fd.l4proto = protocolOf(files);
  if (event.code === CONNECT || event.code === BIND) return fd;
  if (files.kind === FdKind.Unix) nameUnix(tables, fd, files, event);
  else if (isIp(fd.kind)) setOwnEnds(tables, fd, files, fds, event);
  return fd;
}

/** Has the entry lead where the socket leads; returns the entry, a changed copy where it did
 * not. */
export function leadSocket(
  tables: Tables,
  files: OwnFiles,
  fds: FdTable,
  fd: Fd,
  event: Event,
): Fd {
  if (!isIp(fd.kind)) return fd;
  const protocol = protocolOf(files);
  const isKnown = fd.l4proto === protocol;
  if (isKnown && leads(fd, files, event)) return fd;
  const changed = fd.copy();
  changed.l4proto = protocol;
  if (!leads(fd, files, event)) setOwnEnds(tables, changed, files, fds, event);
  else if (fd.sourceIp !== undefined && fd.destinationIp !== undefined) {
    changed.name = tables.addresses.connection(changed);
  }
  fds.set(files.number, changed);
  return changed;
}

/** Whether the entry's ends are the socket's. A socket without a peer has sent to anybody. */
function leads(fd: Fd, files: OwnFiles, event: Event): boolean {
  const size = readTuple(files, event);
  if (size === 0) return true;
  const tuple = TUPLE;
  const local = port(tuple, 1 + size);
  const isBound = (fd.flags & FdFlag.Listening) !== 0;
  if (files.listens) return isBound && fd.sourcePort === local;
  if (port(tuple, 3 + 2 * size) === 0) return true;
  return !isBound && hasEnds(fd, tuple, 0);
}

/** Puts the record's tuple into ours; returns the bytes of an address, 0 where it is none. */
function readTuple(files: OwnFiles, { bytes }: Event): 0 | 4 | 16 {
  const { tupleStart: start, tupleLength: length } = files;
  const tuple = TUPLE;
  if (length === TUPLE_V4 && bytes[start] === AF_INET) {
    for (let at = 0; at < TUPLE_V4; at++) tuple[at] = bytes[start + at]!;
    return 4;
  }
  if (length !== TUPLE_V6 || bytes[start] !== AF_INET6) return 0;
  if (!isMapped(bytes, start + 1) || !isMapped(bytes, start + 19)) {
    for (let at = 0; at < TUPLE_V6; at++) tuple[at] = bytes[start + at]!;
    return 16;
  }
  tuple[0] = AF_INET;
  for (let at = 0; at < 6; at++) {
    tuple[1 + at] = bytes[start + 13 + at]!;
    tuple[7 + at] = bytes[start + 31 + at]!;
  }
  return 4;
}

/** Sets both ends, or the one that the socket is bound to, its role, and the name. */
function setOwnEnds(tables: Tables, fd: Fd, files: OwnFiles, fds: FdTable, event: Event): void {
  const size = readTuple(files, event);
  if (size === 0) return;
  const tuple = TUPLE;
  const { addresses } = tables;
  const local = port(tuple, 1 + size);
  const remote = port(tuple, 3 + 2 * size);
  if (remote === 0) {
    if (local === 0) return;
    fd.kind = size === 4 ? FdKind.Ipv4 : FdKind.Ipv6;
    fd.sourceIp = addresses.ip(tuple, 1, size);
    fd.sourcePort = local;
    fd.destinationIp = undefined;
    fd.destinationPort = 0;
    fd.flags |= FdFlag.Listening | FdFlag.RoleServer;
    fd.name = addresses.local(fd);
    return;
  }
  fd.flags &= ~FdFlag.Listening;
  // Both ends anew, whatever the direction that they had.
  fd.sourceIp = fd.destinationIp = undefined;
  const protocol = fd.l4proto;
  setEnds(fd, tuple, 0, addresses);
  fd.l4proto = protocol;
  const isServer =
    fds.some((other) => (other.flags & FdFlag.Listening) !== 0 && other.sourcePort === local) ||
    (local < PRIVILEGED && remote >= PRIVILEGED);
  fd.flags &= ~(FdFlag.RoleClient | FdFlag.RoleServer);
  fd.flags |= FdFlag.Connected | (isServer ? FdFlag.RoleServer : FdFlag.RoleClient);
  if (isServer) swapEnds(fd);
  fd.name = addresses.connection(fd);
}

function nameUnix(tables: Tables, fd: Fd, files: OwnFiles, { bytes }: Event): void {
  const { tupleStart: start, tupleLength: length } = files;
  if (length <= TUPLE_UNIX || bytes[start] !== AF_UNIX) return;
  setUnixEnds(fd, bytes, start);
  // Pairs and sockets that lead nowhere have no name, as when their making is seen.
  if (length > TUPLE_UNIX + 1) fd.name = tables.addresses.tuple(bytes, start, length);
}

/** The protocol as descriptors keep it. */
function protocolOf({ protocol, type }: OwnFiles): number {
  if (type === SOCK_RAW) return IPPROTO_RAW;
  return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_ICMP
    ? protocol
    : 0;
}
