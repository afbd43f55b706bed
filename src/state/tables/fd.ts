// What a descriptor points to, and the table of a process's descriptors.
import { flagValue } from "../../events/table.ts";
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

/** What only sockets and pidfds have; most descriptors are neither. */
class Peer {
  pid = 0;
  l4proto = 0;
  sourceIp: Uint8Array | undefined = undefined;
  destinationIp: Uint8Array | undefined = undefined;
  sourcePort = 0;
  destinationPort = 0;
  unixSource = 0n;
  unixDestination = 0n;

  copy(): Peer {
    const peer = new Peer();
    peer.pid = this.pid;
    peer.l4proto = this.l4proto;
    peer.sourceIp = this.sourceIp;
    peer.destinationIp = this.destinationIp;
    peer.sourcePort = this.sourcePort;
    peer.destinationPort = this.destinationPort;
    peer.unixSource = this.unixSource;
    peer.unixDestination = this.unixDestination;
    return peer;
  }
}

/** Read where a descriptor has none; never written. */
const NO_PEER = new Peer();

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
  /** String id of the name that the caller gave it, joined and folded; MISSING: `name`. */
  callerName = MISSING;
  /** String id of the path that the kernel last gave the file; MISSING where it was not told. */
  kernelName: number = MISSING;
  /** String ids of the path as the host sees it, and of the name that rules have for its inode;
   * MISSING for nearly all: there is none. */
  hostName: number = MISSING;
  inodeName: number = MISSING;
  /** FdFlag bits. */
  flags = 0;
  /** Falco's PPM_O_* bits. */
  openFlags: number;
  dev: number;
  /** Inode; a number where exact, else a bigint. */
  ino: number | bigint;
  #peer: Peer | undefined = undefined;
  /** What `withOpenFlags` made last. */
  #changed: Fd | undefined = undefined;

  constructor(
    kind: FdKind,
    name: number,
    nameRaw: number = MISSING,
    openFlags = 0,
    dev = 0,
    ino: number | bigint = 0,
  ) {
    this.kind = kind;
    this.name = name;
    this.nameRaw = nameRaw;
    this.openFlags = openFlags;
    this.dev = dev;
    this.ino = ino;
  }

  /** Process that a pidfd stands for; 0 for others. */
  get pid(): number {
    return (this.#peer ?? NO_PEER).pid;
  }
  set pid(pid: number) {
    (this.#peer ??= new Peer()).pid = pid;
  }

  /** IPPROTO_* for IP sockets: 6 tcp, 17 udp, 1 icmp, 255 raw, 0 unknown. */
  get l4proto(): number {
    return (this.#peer ?? NO_PEER).l4proto;
  }
  set l4proto(protocol: number) {
    (this.#peer ??= new Peer()).l4proto = protocol;
  }

  /** IP sockets: the two ends as 4 or 16 bytes each (source first), and their ports. A listening
   * or bound socket (FdFlag.Listening) has its local end in the source. The bytes are shared: they
   * are replaced, not changed. */
  get sourceIp(): Uint8Array | undefined {
    return (this.#peer ?? NO_PEER).sourceIp;
  }
  set sourceIp(ip: Uint8Array | undefined) {
    (this.#peer ??= new Peer()).sourceIp = ip;
  }

  get destinationIp(): Uint8Array | undefined {
    return (this.#peer ?? NO_PEER).destinationIp;
  }
  set destinationIp(ip: Uint8Array | undefined) {
    (this.#peer ??= new Peer()).destinationIp = ip;
  }

  get sourcePort(): number {
    return (this.#peer ?? NO_PEER).sourcePort;
  }
  set sourcePort(port: number) {
    (this.#peer ??= new Peer()).sourcePort = port;
  }

  get destinationPort(): number {
    return (this.#peer ?? NO_PEER).destinationPort;
  }
  set destinationPort(port: number) {
    (this.#peer ??= new Peer()).destinationPort = port;
  }

  /** Unix sockets: kernel addresses of the two ends. */
  get unixSource(): bigint {
    return (this.#peer ?? NO_PEER).unixSource;
  }
  set unixSource(address: bigint) {
    (this.#peer ??= new Peer()).unixSource = address;
  }

  get unixDestination(): bigint {
    return (this.#peer ?? NO_PEER).unixDestination;
  }
  set unixDestination(address: bigint) {
    (this.#peer ??= new Peer()).unixDestination = address;
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
    const fd = new Fd(this.kind, this.name, this.nameRaw, this.openFlags, this.dev, this.ino);
    fd.kernelName = this.kernelName;
    fd.flags = this.flags;
    fd.callerName = this.callerName;
    fd.hostName = this.hostName;
    fd.inodeName = this.inodeName;
    const peer = this.#peer;
    if (peer !== undefined) fd.#peer = peer.copy();
    return fd;
  }
}

/** String id of the name that the caller gave the descriptor. */
export function callerNameOf(fd: Fd): number {
  return fd.callerName === MISSING ? fd.name : fd.callerName;
}

/** Falco's PPM_O_* and related flags. */
const O_DIRECTORY = flagValue("file_flags", "O_DIRECTORY");
export const O_CLOEXEC = flagValue("file_flags", "O_CLOEXEC");
export const FD_UPPER_LAYER = flagValue("file_flags", "FD_UPPER_LAYER");
export const FD_LOWER_LAYER = flagValue("file_flags", "FD_LOWER_LAYER");
/** EPOLL_CLOEXEC and MFD_CLOEXEC as the events have them. */
export const KIND_CLOEXEC = 1;

/** Open flags that say that an exec closes it; of a file, KIND_CLOEXEC is another one. */
export function cloexecBits({ kind }: Fd): number {
  return kind === FdKind.EventPoll || kind === FdKind.Memfd ? O_CLOEXEC | KIND_CLOEXEC : O_CLOEXEC;
}

export function isClosedOnExec(fd: Fd): boolean {
  return (fd.openFlags & cloexecBits(fd)) !== 0;
}

export function newFile(
  name: number,
  raw: number,
  flags: number,
  dev: number,
  ino: number | bigint,
): Fd {
  const kind = flags & O_DIRECTORY ? FdKind.Directory : FdKind.File;
  const fd = new Fd(kind, name, raw, flags, dev, ino);
  if (flags & (FD_UPPER_LAYER | FD_LOWER_LAYER)) {
    if (flags & FD_UPPER_LAYER) fd.flags |= FdFlag.UpperLayer;
    if (flags & FD_LOWER_LAYER) fd.flags |= FdFlag.LowerLayer;
  }
  return fd;
}
