// One-letter types of descriptors, as `fd.typechar` and the text of parameters have them.
import { type Fd, FdFlag, FdKind } from "../../state/tables/fd.ts";

const CHARS: Record<FdKind, string> = {
  [FdKind.Unknown]: "o",
  [FdKind.File]: "f",
  [FdKind.Directory]: "d",
  [FdKind.Ipv4]: "4",
  [FdKind.Ipv6]: "6",
  [FdKind.Unix]: "u",
  [FdKind.Pipe]: "p",
  [FdKind.Event]: "e",
  [FdKind.Signal]: "s",
  [FdKind.EventPoll]: "l",
  [FdKind.Inotify]: "i",
  [FdKind.Timer]: "t",
  [FdKind.Netlink]: "n",
  [FdKind.Bpf]: "b",
  [FdKind.UserFault]: "u",
  [FdKind.IoUring]: "r",
  [FdKind.Memfd]: "m",
  [FdKind.Pidfd]: "P",
  [FdKind.Unsupported]: "X",
};

export function fdTypeChar(fd: Fd): string {
  return CHARS[fd.kind];
}

/** Protocol number of an IP socket; 0 while nobody knows which end it is, but for raw sockets. */
export function protocolOf(fd: Fd): number {
  if (fd.kind !== FdKind.Ipv4 && fd.kind !== FdKind.Ipv6) return 0;
  const known = hasRole(fd) || (fd.flags & FdFlag.Listening) !== 0 || fd.l4proto === RAW;
  return known ? fd.l4proto : 0;
}

/** Names of protocols by number; others have none. */
export const PROTOCOLS: Readonly<Record<number, string>> = {
  6: "tcp",
  17: "udp",
  1: "icmp",
  255: "raw",
};

const RAW = 255;
const PROTOCOL_CHARS: Readonly<Record<number, string>> = { 6: "t", 17: "u", 1: "i", 255: "r" };

/** `t`, `u`, `i` or `r` for tcp, udp, icmp and raw; "" for others. */
export function ipProtocolChar(fd: Fd): string {
  return PROTOCOL_CHARS[protocolOf(fd)] ?? "";
}

/** Whether the socket is known to be one end of a connection: who is client is then known. */
export function hasRole(fd: Fd): boolean {
  return (fd.flags & (FdFlag.RoleClient | FdFlag.RoleServer)) !== 0;
}
