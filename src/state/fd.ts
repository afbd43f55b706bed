// What a descriptor points to, and the table of a process's descriptors.
import { MISSING } from "./strings.ts";

/** Kinds as `fd.type` names them; the index is FdKind. */
export const FD_TYPES = [
  "",
  "file",
  "directory",
  "ipv4",
  "ipv6",
  "unix",
  "pipe",
  "event",
  "signalfd",
  "eventpoll",
  "inotify",
  "timerfd",
  "netlink",
  "bpf",
  "userfaultfd",
  "io_uring",
  "memfd",
  "pidfd",
  "unsupported",
] as const;

export const enum FdKind {
  Unknown,
  File,
  Directory,
  Ipv4,
  Ipv6,
  Unix,
  Pipe,
  Event,
  Signal,
  EventPoll,
  Inotify,
  Timer,
  Netlink,
  Bpf,
  UserFault,
  IoUring,
  Memfd,
  Pidfd,
  Unsupported,
}

/** Bits of `Fd.flags`. */
export const enum FdFlag {
  RoleClient = 1,
  RoleServer = 2,
  /** The socket listens: it has a local end only (`fd.name` is `ip:port`). */
  Listening = 4,
  Connected = 8,
  ConnectPending = 16,
  ConnectFailed = 32,
  CloseOnExec = 64,
  UpperLayer = 128,
  LowerLayer = 256,
  /** Known from a state dump, not from an event. */
  FromSnapshot = 512,
}

/**
 * One descriptor. Tables of forked processes share the objects: whoever changes one puts a
 * changed copy in its own table.
 */
export class Fd {
  kind: FdKind;
  /** String id of `fd.name`. */
  name: number;
  /** String id of the path as the program gave it (`fd.nameraw`). */
  nameRaw: number = MISSING;
  flags = 0;
  openFlags = 0;
  dev = 0;
  /** Inode; a number where exact, else a bigint. */
  ino: number | bigint = 0;
  /** IPPROTO_* for IP sockets: 6 tcp, 17 udp, 1 icmp, 255 raw, 0 unknown. */
  l4proto = 0;
  /** IP sockets: the two ends as 4 or 16 bytes each (source first), and their ports. */
  sourceIp: Uint8Array | undefined;
  destinationIp: Uint8Array | undefined;
  sourcePort = 0;
  destinationPort = 0;
  /** Unix sockets: kernel addresses of the two ends. */
  unixSource = 0n;
  unixDestination = 0n;

  constructor(kind: FdKind, name: number) {
    this.kind = kind;
    this.name = name;
  }

  copy(): Fd {
    return Object.assign(new Fd(this.kind, this.name), this);
  }
}

/** Descriptors below this are held in a plain array, others in a Map. */
const DENSE_MAX = 1024;

/** The descriptors of one process, by number. */
export class FdTable {
  #dense: (Fd | undefined)[] = [];
  #sparse: Map<number, Fd> | undefined;
  size = 0;

  get(number: number): Fd | undefined {
    if (number >= 0 && number < DENSE_MAX) return this.#dense[number];
    return this.#sparse?.get(number);
  }

  set(number: number, fd: Fd): void {
    if (number < 0) return;
    if (number < DENSE_MAX) {
      const dense = this.#dense;
      while (dense.length <= number) dense.push(undefined);
      if (dense[number] === undefined) this.size++;
      dense[number] = fd;
      return;
    }
    this.#sparse ??= new Map();
    if (!this.#sparse.has(number)) this.size++;
    this.#sparse.set(number, fd);
  }

  delete(number: number): void {
    if (number >= 0 && number < DENSE_MAX) {
      if (number >= this.#dense.length || this.#dense[number] === undefined) return;
      this.#dense[number] = undefined;
      this.size--;
      return;
    }
    if (this.#sparse?.delete(number)) this.size--;
  }

  copy(): FdTable {
    const table = new FdTable();
    table.#dense = this.#dense.slice();
    if (this.#sparse) table.#sparse = new Map(this.#sparse);
    table.size = this.size;
    return table;
  }

  *entries(): Generator<[number, Fd]> {
    for (const [number, fd] of this.#dense.entries()) if (fd !== undefined) yield [number, fd];
    if (this.#sparse) yield* this.#sparse;
  }
}
