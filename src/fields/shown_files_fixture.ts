// Descriptors for tests, for the table of what fields show: what the tables hold under a number,
// and what the kernel then says that it is (src/events/own_files.ts), in all pairs.
import { KIND_NONE } from "../events/own_files.ts";
import type { EventValues } from "../events/event_fixture.ts";
import { FdKind } from "../state/tables/fd.ts";
import { CHILD } from "./context_fixture.ts";
import { ADDRESS, TUPLE } from "./shown_fixture.ts";

const NUMBER = 9;

const by = (id: string, params: EventValues["params"]): EventValues => ({ id, tid: CHILD, params });
const socket = (domain: number, type: number) =>
  by("SOCKET_SOCKET_X", { fd: NUMBER, domain, type, proto: 0, flags: 0 });

/** By what is there, the events that put it under the number. */
export const HELD: Readonly<Record<string, readonly EventValues[]>> = {
  nothing: [],
  file: [by("SYSCALL_OPENAT_2_X", {
    ...{ fd: NUMBER, dirfd: -100, name: "/a/b", flags: 1, mode: 0, dev: 1, ino: 2 },
  })],
  pipe: [by("SYSCALL_PIPE2_X", { res: 0, fd1: NUMBER, fd2: 10, ino: 2, flags: 0 })],
  "a connection": [
    socket(2, 1),
    by("SOCKET_CONNECT_X", { res: 0, tuple: TUPLE.v4, fd: NUMBER, addr: ADDRESS.v4 }),
  ],
  "a server": [socket(2, 1), by("SOCKET_BIND_X", { res: 0, addr: ADDRESS.v4, fd: NUMBER })],
  "a datagram server": [
    socket(2, 2),
    by("SOCKET_BIND_X", { res: 0, addr: ADDRESS.v4, fd: NUMBER }),
  ],
  "a server of IPv6": [
    socket(10, 1),
    by("SOCKET_BIND_X", { res: 0, addr: ADDRESS.v6, fd: NUMBER }),
  ],
  "a datagram socket": [
    socket(10, 2),
    by("SOCKET_SENDTO_X", { res: 1, data: "x", fd: NUMBER, size: 1, tuple: TUPLE.v6 }),
  ],
  "a unix socket": [
    socket(1, 1),
    by("SOCKET_CONNECT_X", { res: 0, tuple: TUPLE.unix, fd: NUMBER, addr: ADDRESS.unix }),
  ],
  memory: [by("SYSCALL_MEMFD_CREATE_X", { fd: NUMBER, name: "m", flags: 0 })],
};

const FOLLOWS = 3;
const LISTENS = 10;

/** Number, kind, marks, length, flags, device and inode, then what follows. */
function record(kind: number, marks: number, more: readonly number[] = []): Uint8Array {
  return Uint8Array.of(
    ...[NUMBER, 0, 0, 0, kind, marks, more.length, 0],
    ...[3, 0, 0, 0, 0x01, 0x08, 0, 0],
    ...[77, 0, 0, 0, 0, 0, 0, 0],
    ...more,
  );
}

const text = (value: string) => [...new TextEncoder().encode(`${value}\0`)];
const at = (
  protocol: number,
  type: number,
  state: number,
  tuple: Uint8Array,
) => [protocol, 0, type, state, ...tuple];
const server = [2, 93, 184, 216, 34, 0xbb, 1, 0, 0, 0, 0, 0, 0];

const ipv6 = (...parts: (number | readonly number[])[]) => Uint8Array.from([10, ...parts.flat()]);
const zeros = (count: number) => new Array<number>(count).fill(0);
const mapped = (last: number) => [...zeros(10), 0xff, 0xff, 10, 0, 0, last];
const LOW = [22, 0];
const HIGH = [0, 4];

/** By what the kernel says, the records of the number. */
export const SAID: Readonly<Record<string, Uint8Array>> = {
  "no word": new Uint8Array(0),
  "cut short": record(FdKind.File, 0).slice(0, 20),
  "nothing": record(KIND_NONE, 0),
  "the same file": record(FdKind.File, FOLLOWS, text("/a/b")),
  "another file": record(FdKind.File, FOLLOWS, text("/c")),
  "a file that the call made": record(FdKind.File, FOLLOWS | 0x80, text("/c")),
  "a directory": record(FdKind.Directory, FOLLOWS, text("/a/b")),
  pipe: record(FdKind.Pipe, 0),
  memory: record(FdKind.Memfd, FOLLOWS, text("m")),
  "a connection": record(FdKind.Ipv4, 0, at(6, 1, 1, TUPLE.v4)),
  "the connection turned round": record(FdKind.Ipv4, 0, at(6, 1, 1, TUPLE.from)),
  "a server": record(FdKind.Ipv4, 0, at(6, 1, LISTENS, Uint8Array.from(server))),
  "a server of IPv6": record(FdKind.Ipv6, 0, at(6, 1, LISTENS, TUPLE.v6)),
  "a bound socket of IPv6": record(
    ...[FdKind.Ipv6, 0] as const,
    at(17, 2, 7, ipv6([...zeros(15), 1], LOW, zeros(18))),
  ),
  "a bound socket of a mapped address": record(
    ...[FdKind.Ipv6, 0] as const,
    at(6, 1, 7, ipv6(mapped(1), LOW, zeros(18))),
  ),
  "a socket without ends": record(FdKind.Ipv4, 0, at(6, 1, 7, Uint8Array.from([2, ...zeros(12)]))),
  "a mapped connection from a low port": record(
    ...[FdKind.Ipv6, 0] as const,
    at(6, 1, 1, ipv6(mapped(1), LOW, mapped(2), HIGH)),
  ),
  "a mapped connection between low ports": record(
    ...[FdKind.Ipv6, 0] as const,
    at(6, 1, 1, ipv6(mapped(1), LOW, mapped(2), [0xff, 3])),
  ),
  "a tuple cut short": record(FdKind.Ipv4, 0, at(6, 1, 1, TUPLE.v4.slice(0, 12))),
  "a raw socket": record(FdKind.Ipv4, 0, at(1, 3, 1, TUPLE.v4)),
  "datagrams over IPv6": record(FdKind.Ipv6, 0, at(17, 2, 1, TUPLE.v6)),
  "a unix socket": record(FdKind.Unix, 0, at(0, 1, 1, TUPLE.unix)),
  "another family": record(FdKind.Unknown, 0, at(0, 3, 1, Uint8Array.of(38))),
};

/** Calls that take the number. */
export const CALLS: readonly EventValues[] = [
  by("SYSCALL_FCHMOD_X", { res: 0, fd: NUMBER, mode: 0o600 }),
  by("SYSCALL_DUP_1_X", { res: NUMBER + 1, oldfd: NUMBER }),
  by("SOCKET_SENDTO_X", { res: 1, data: "x", fd: NUMBER, size: 1, tuple: TUPLE.v4 }),
];
