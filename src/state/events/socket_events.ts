// Sockets: what they are bound and connected to, who is the client and who the server.
import type { Event } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";
import { AF_INET, AF_INET6, AF_UNIX, isAddress, isMapped, isTuple } from "../tables/address.ts";
import type { Context } from "../contract/context.ts";
import { Fd, FdFlag, FdKind, O_CLOEXEC } from "../tables/fd.ts";
import type { Tables } from "../tables/tables.ts";
import { RESULT, succeeded } from "../tables/results.ts";
import {
  hasEnds,
  IPPROTO_ICMP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isTcp,
  isUdp,
  overwriteBound,
  port,
  setConnected,
  setEnds,
  setUnixEnds,
  swapEnds,
} from "../tables/socket_ends.ts";
import { EMPTY } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";

const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const EINPROGRESS = 115;
const ACCEPT4 = codeOf("SOCKET_ACCEPT4_6_X");
const SOCKET = positionsOf("SOCKET_SOCKET_X", "fd", "domain", "type", "proto", "flags");
const { addr: BOUND } = positionsOf("SOCKET_BIND_X", "addr");
const { tuple: ENDS } = positionsOf(
  ["SOCKET_CONNECT_X", "SOCKET_ACCEPT_5_X", "SOCKET_ACCEPT4_6_X"],
  "tuple",
);
const { addr: ASKED } = positionsOf("SOCKET_CONNECT_X", "addr");
const { flags: ACCEPT4_FLAGS } = positionsOf("SOCKET_ACCEPT4_6_X", "flags");
const PAIR = positionsOf("SOCKET_SOCKETPAIR_X", "fd1", "fd2", "source", "peer");
/** Parameter that holds the tuple, by the code of the event that receives. */
const RECEIVED_TUPLE = new Map(
  ["SOCKET_RECV_X", "SOCKET_RECVFROM_X", "SOCKET_RECVMSG_X", "SOCKET_RECVMMSG_X"].map((id) =>
    [codeOf(id), positionsOf(id, "tuple").tuple] as const
  ),
);
const SENDS = ["SOCKET_SEND_X", "SOCKET_SENDTO_X", "SOCKET_SENDMSG_X"];
const SEND_CODES = new Set(SENDS.map(codeOf));
const { fd: SENT_FD } = positionsOf(SENDS, "fd");
const { tuple: SENT_TUPLE } = positionsOf([...SENDS, "SOCKET_SENDMMSG_X"], "tuple");
const SENDMMSG = codeOf("SOCKET_SENDMMSG_X");

export function onSocket(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined || !succeeded(event) || !event.has(SOCKET.proto)) return;
  const flags = event.has(SOCKET.flags) ? event.uint32(SOCKET.flags) : 0;
  addSocket(
    machine,
    context,
    event.int32(SOCKET.fd),
    event.uint32(SOCKET.domain),
    event.uint32(SOCKET.type),
    event.uint32(SOCKET.proto),
    flags,
  );
}

function addSocket(
  machine: Tables,
  context: Context,
  number: number,
  domain: number,
  type: number,
  protocol: number,
  flags: number,
): void {
  const kind = domain === AF_UNIX
    ? FdKind.Unix
    : domain === AF_INET
    ? FdKind.Ipv4
    : domain === AF_INET6
    ? FdKind.Ipv6
    : domain === AF_NETLINK
    ? FdKind.Netlink
    : FdKind.Unknown;
  const fd = new Fd(kind, EMPTY, EMPTY);
  fd.openFlags = flags;
  if (kind === FdKind.Ipv4 || kind === FdKind.Ipv6) fd.l4proto = protocolOf(type, protocol);
  machine.setFd(context, number, fd);
}

function protocolOf(type: number, protocol: number): number {
  switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_ICMP:
      return type === SOCK_RAW ? IPPROTO_RAW : protocol;
    case IPPROTO_RAW:
      return IPPROTO_RAW;
    case 0:
      if ((type & 0xff) === SOCK_STREAM) return IPPROTO_TCP;
      return (type & 0xff) === SOCK_DGRAM ? IPPROTO_UDP : 0;
    default:
      return 0;
  }
}

/** Puts a copy of the event's descriptor in its place, to be changed. */
function toChange(machine: Tables, context: Context): Fd {
  const fd = context.fd!.copy();
  machine.fdsOf(context.thread!)?.set(context.fdNumber, fd);
  context.fd = fd;
  return fd;
}

export function onBind(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.fd === undefined || !succeeded(event)) return;
  const start = event.has(BOUND) ? event.param(BOUND) : 0;
  const length = event.paramLength(BOUND);
  const { bytes } = event;
  if (!isAddress(bytes, start, length)) return;
  const fd = toChange(machine, context);
  const family = bytes[start]!;
  if (family === AF_INET && port(bytes, start + 5) > 0) {
    listen(fd, FdKind.Ipv4, bytes.slice(start + 1, start + 5), port(bytes, start + 5));
  } else if (family === AF_INET6 && port(bytes, start + 17) > 0) {
    const mapped = isMapped(bytes, start + 1);
    const ip = bytes.slice(start + (mapped ? 13 : 1), start + 17);
    listen(fd, mapped ? FdKind.Ipv4 : FdKind.Ipv6, ip, port(bytes, start + 17));
  }
  fd.name = machine.addresses.address(bytes, start, length);
}

function listen(fd: Fd, kind: FdKind, ip: Uint8Array, at: number): void {
  fd.kind = kind;
  fd.sourceIp = ip;
  fd.sourcePort = at;
  fd.flags |= FdFlag.Listening | FdFlag.RoleServer;
}

export function onConnect(machine: Tables, context: Context): void {
  const { event } = context;
  const wasEntered = machine.entries.takeConnect(event.tid);
  if (context.thread === undefined || context.fd === undefined) return;
  if (!succeeded(event) && event.int64(RESULT) !== -EINPROGRESS) return;
  const fd = toChange(machine, context);
  setConnected(fd);
  const { bytes } = event;
  if (!event.has(ENDS)) {
    if (wasEntered && event.has(ASKED)) connectTo(machine, fd, event);
    return;
  }
  const start = event.param(ENDS);
  if (!isTuple(bytes, start, event.paramLength(ENDS))) return;
  const family = bytes[start]!;
  if (family === AF_INET || family === AF_INET6) {
    const changed = setEnds(fd, bytes, start, machine.addresses);
    const swaps = changed && (fd.flags & FdFlag.RoleServer) !== 0 && isUdp(fd);
    if (swaps) swapEnds(fd);
    const asTold = !swaps && (fd.l4proto === IPPROTO_TCP || fd.l4proto === IPPROTO_UDP);
    fd.name = asTold
      ? machine.addresses.tuple(bytes, start, event.paramLength(ENDS))
      : machine.addresses.connection(fd);
  } else {
    if (fd.kind !== FdKind.Unix || family !== AF_UNIX) return;
    setUnixEnds(fd, bytes, start);
    fd.name = machine.addresses.tuple(bytes, start, event.paramLength(ENDS));
  }
  if ((fd.flags & (FdFlag.RoleClient | FdFlag.RoleServer)) === 0) fd.flags |= FdFlag.RoleClient;
}

/** An old capture's connect begins. */
export function onConnectEntry(machine: Tables, { event, thread }: Context): void {
  if (thread !== undefined) machine.entries.keep(event, EMPTY);
}

/** There is no tuple, only the address that was asked for: its end is set, and no name. */
function connectTo(machine: Tables, fd: Fd, event: Event): void {
  const { bytes } = event;
  const start = event.param(ASKED);
  const length = event.paramLength(ASKED);
  if (!isAddress(bytes, start, length)) return;
  const family = bytes[start]!;
  if (family === AF_INET) {
    fd.kind = FdKind.Ipv4;
    fd.destinationIp = machine.addresses.ip(bytes, start + 1, 4);
    fd.destinationPort = port(bytes, start + 5);
  } else if (family === AF_INET6) {
    const mapped = isMapped(bytes, start + 1);
    fd.kind = mapped ? FdKind.Ipv4 : FdKind.Ipv6;
    fd.destinationIp = machine.addresses.ip(bytes, start + (mapped ? 13 : 1), mapped ? 4 : 16);
    fd.destinationPort = port(bytes, start + 17);
  } else fd.name = machine.addresses.address(bytes, start, length);
}

export function onAccept(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined || !event.has(RESULT) || !succeeded(event)) return;
  const number = context.fdNumber = event.int32(RESULT);
  const start = event.has(ENDS) ? event.param(ENDS) : 0;
  const { bytes } = event;
  if (!isTuple(bytes, start, event.paramLength(ENDS))) return;
  const family = bytes[start]!;
  const fd = new Fd(FdKind.Unix, EMPTY, EMPTY);
  if (family === AF_INET || family === AF_INET6) {
    setEnds(fd, bytes, start, machine.addresses);
    fd.l4proto = IPPROTO_TCP;
  } else if (family === AF_UNIX) setUnixEnds(fd, bytes, start);
  else return;
  fd.name = machine.addresses.tuple(bytes, start, event.paramLength(ENDS));
  if (event.code === ACCEPT4 && event.has(ACCEPT4_FLAGS)) {
    fd.openFlags = event.uint32(ACCEPT4_FLAGS) & O_CLOEXEC;
  }
  fd.flags = FdFlag.RoleServer | FdFlag.Connected;
  machine.setFd(context, number, fd);
}

export function onSocketpair(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined || !succeeded(event) || !event.has(PAIR.peer)) return;
  const one = event.int32(PAIR.fd1);
  const other = event.int32(PAIR.fd2);
  if (one === other) {
    context.fd = undefined;
    return;
  }
  const fd = new Fd(FdKind.Unix, EMPTY, EMPTY);
  fd.unixSource = event.uint64(PAIR.source);
  fd.unixDestination = event.uint64(PAIR.peer);
  machine.setFd(context, one, fd);
  machine.setFd(context, other, fd);
}

/** Every call that reads from a descriptor. */
export function onRead(machine: Tables, context: Context): void {
  const fd = context.fd;
  if (
    fd === undefined || (fd.kind !== FdKind.Ipv4 && fd.kind !== FdKind.Ipv6 &&
      fd.kind !== FdKind.Unix)
  ) return;
  const { event } = context;
  if (!succeeded(event)) return;
  used(machine, context, RECEIVED_TUPLE.get(event.code) ?? -1, true);
}

/** Every call that writes to a descriptor. */
export function onWrite(machine: Tables, context: Context): void {
  const { event, thread } = context;
  const sends = SEND_CODES.has(event.code);
  if (sends && context.fd === undefined && thread !== undefined) inferSocket(machine, context);
  const fd = context.fd;
  if (fd === undefined || !succeeded(event)) return;
  const hasTuple = sends || event.code === SENDMMSG;
  if (!hasTuple && fd.kind !== FdKind.Ipv4 && fd.kind !== FdKind.Ipv6) return;
  used(machine, context, hasTuple ? SENT_TUPLE : -1, false);
}

/** Data went through the socket: it is connected, and the tuple may say more of its ends. */
function used(
  machine: Tables,
  context: Context,
  tupleParam: number,
  incoming: boolean,
): void {
  const { event } = context;
  let fd = context.fd!;
  const isIp = (fd.kind === FdKind.Ipv4 || fd.kind === FdKind.Ipv6) &&
    (fd.flags & FdFlag.Listening) === 0;
  if (
    isIp && (fd.flags & (FdFlag.Connected | FdFlag.ConnectPending | FdFlag.ConnectFailed)) !==
      FdFlag.Connected
  ) {
    fd = toChange(machine, context);
    setConnected(fd);
  }
  if (tupleParam < 0 || (fd.name !== EMPTY && isTcp(fd))) return;
  if (!event.has(tupleParam)) return;
  const start = event.param(tupleParam);
  const { bytes } = event;
  if (!isTuple(bytes, start, event.paramLength(tupleParam))) return;
  const family = bytes[start]!;
  if ((family === AF_INET || family === AF_INET6) && hasEnds(fd, bytes, start)) return;
  fd = toChange(machine, context);
  if (family === AF_UNIX) {
    fd.kind = FdKind.Unix;
    setUnixEnds(fd, bytes, start);
    fd.name = machine.addresses.tuple(bytes, start, event.paramLength(tupleParam));
    return;
  }
  if (
    family === AF_INET6 && fd.kind === FdKind.Ipv6 && fd.flags & FdFlag.Listening &&
    !(isMapped(bytes, start + 1) && isMapped(bytes, start + 19))
  ) {
    overwriteBound(fd, bytes, start);
    fd.name = machine.addresses.tuple(bytes, start, event.paramLength(tupleParam));
    return;
  }
  if (
    (family === AF_INET || family === AF_INET6) && !setEnds(fd, bytes, start, machine.addresses)
  ) return;
  if (fd.l4proto === 0 && (fd.kind === FdKind.Ipv4 || fd.kind === FdKind.Ipv6)) {
    fd.l4proto = IPPROTO_UDP;
  }
  if (fd.kind === FdKind.Ipv4 || fd.kind === FdKind.Ipv6) {
    machine.interfaces.complete(fd);
    const roles = FdFlag.RoleClient | FdFlag.RoleServer;
    if ((fd.flags & roles) === 0) guessRole(machine, context.thread!, fd, incoming);
    const swapped = incoming ? FdFlag.RoleClient : FdFlag.RoleServer;
    if (fd.flags & swapped) swapEnds(fd);
    fd.name = machine.addresses.connection(fd);
  } else fd.name = machine.addresses.tuple(bytes, start, event.paramLength(tupleParam));
}

/** A send through a descriptor that was never seen: taken for a UDP socket. */
function inferSocket(machine: Tables, context: Context): void {
  const { event } = context;
  if (!event.has(RESULT) || !succeeded(event)) return;
  if (!event.has(SENT_TUPLE) || !event.has(SENT_FD)) return;
  const family = event.uint8(SENT_TUPLE);
  if (family !== AF_INET && family !== AF_INET6) return;
  addSocket(machine, context, event.int32(SENT_FD), family, SOCK_DGRAM, IPPROTO_UDP, 0);
}

/** A port that the process is bound to makes it the server. */
function guessRole(machine: Tables, thread: Thread, fd: Fd, incoming: boolean): void {
  const fds = machine.fdsOf(thread);
  const isBound = fds?.some((other) =>
    other.kind === FdKind.Ipv4 &&
    (other.flags & FdFlag.Listening ? other.sourcePort : other.destinationPort) ===
      fd.destinationPort
  );
  if (!isBound) {
    fd.flags |= FdFlag.RoleClient;
    return;
  }
  const isClientPort = fds!.some((other) =>
    other.kind === FdKind.Ipv4 && (other.flags & FdFlag.Listening) === 0 &&
    other.sourcePort === fd.sourcePort
  );
  fd.flags |= !isClientPort || incoming ? FdFlag.RoleServer : FdFlag.RoleClient;
}
