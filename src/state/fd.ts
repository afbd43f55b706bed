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
 * One descriptor. Tables of forked processes, and numbers that were duplicated, share the objects:
 * whoever changes one puts a changed copy in its own table.
 */
export class Fd {
  kind: FdKind;
  /** String id of `fd.name`. */
  name: number;
  /** String id of the path as the program gave it (`fd.nameraw`). */
  nameRaw: number;
  /** FdFlag bits. */
  flags = 0;
  /** Falco's PPM_O_* bits. */
  openFlags = 0;
  dev = 0;
  /** Inode; a number where exact, else a bigint. */
  ino: number | bigint = 0;
  /** Process that a pidfd stands for; 0 for others. */
  pid = 0;
  /** IPPROTO_* for IP sockets: 6 tcp, 17 udp, 1 icmp, 255 raw, 0 unknown. */
  l4proto = 0;
  /** IP sockets: the two ends as 4 or 16 bytes each (source first), and their ports. A listening
   * or bound socket (FdFlag.Listening) has its local end in the source. */
  sourceIp: Uint8Array | undefined = undefined;
  destinationIp: Uint8Array | undefined = undefined;
  sourcePort = 0;
  destinationPort = 0;
  /** Unix sockets: kernel addresses of the two ends. */
  unixSource = 0n;
  unixDestination = 0n;
  /** What `withOpenFlags` made last. */
  #changed: Fd | undefined = undefined;

  constructor(kind: FdKind, name: number, nameRaw: number = MISSING) {
    this.kind = kind;
    this.name = name;
    this.nameRaw = nameRaw;
  }

  /** The same with other open flags: itself where they are its own, one copy for each change. */
  withOpenFlags(openFlags: number): Fd {
    if (openFlags === this.openFlags) return this;
    const made = this.#changed;
    if (made !== undefined && made.openFlags === openFlags) return made;
    const fd = this.copy();
    fd.openFlags = openFlags;
    return this.#changed = fd;
  }

  /** A copy that may be changed until it is put in a table. */
  copy(): Fd {
    const fd = new Fd(this.kind, this.name, this.nameRaw);
    fd.flags = this.flags;
    fd.openFlags = this.openFlags;
    fd.dev = this.dev;
    fd.ino = this.ino;
    fd.pid = this.pid;
    fd.l4proto = this.l4proto;
    fd.sourceIp = this.sourceIp;
    fd.destinationIp = this.destinationIp;
    fd.sourcePort = this.sourcePort;
    fd.destinationPort = this.destinationPort;
    fd.unixSource = this.unixSource;
    fd.unixDestination = this.unixDestination;
    return fd;
  }
}

/** Falco's PPM_O_* and related flags. */
const O_DIRECTORY = 1 << 10;
export const O_CLOEXEC = 1 << 12;
export const FD_UPPER_LAYER = 1 << 15;
export const FD_LOWER_LAYER = 1 << 16;
/** EPOLL_CLOEXEC and MFD_CLOEXEC as the events have them. */
export const KIND_CLOEXEC = 1;

export function isClosedOnExec(fd: Fd): boolean {
  if (fd.openFlags & O_CLOEXEC) return true;
  const kind = fd.kind;
  return (kind === FdKind.EventPoll || kind === FdKind.Memfd) &&
    (fd.openFlags & KIND_CLOEXEC) !== 0;
}

export function newFile(
  name: number,
  raw: number,
  flags: number,
  dev: number,
  ino: number | bigint,
): Fd {
  const fd = new Fd(flags & O_DIRECTORY ? FdKind.Directory : FdKind.File, name, raw);
  fd.openFlags = flags;
  fd.dev = dev;
  fd.ino = ino;
  if (flags & FD_UPPER_LAYER) fd.flags |= FdFlag.UpperLayer;
  if (flags & FD_LOWER_LAYER) fd.flags |= FdFlag.LowerLayer;
  return fd;
}
