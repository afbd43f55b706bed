// Lists of descriptors in state blocks: what each of them pointed to when a capture began, and,
// once all are known, who of a socket's two ends is the server.
import { OWN_ENTRY_MARK } from "../../events/scap/state_blocks.ts";
import { isMapped } from "../tables/address.ts";
import { Fd, FD_TYPES, FdFlag, FdKind } from "../tables/fd.ts";
import { FdTable } from "../tables/fd_table.ts";
import type { Tables } from "../tables/tables.ts";
import type { Cursor } from "./snapshot_cursor.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";

/** Falco's numbers of layer 4 protocols in descriptor lists, as IPPROTO_*. */
const L4_PROTOCOLS = [0, 0, 6, 17, 1, 255];

/** Numbers of descriptor kinds in descriptor lists. */
export const LISTED_KINDS: readonly (FdKind | undefined)[] = [
  undefined,
  FdKind.File,
  FdKind.Directory,
  FdKind.Ipv4,
  FdKind.Ipv6,
  FdKind.Ipv4,
  FdKind.Ipv6,
  FdKind.Pipe,
  FdKind.Unix,
  FdKind.Event,
  FdKind.Unsupported,
  FdKind.Signal,
  FdKind.EventPoll,
  FdKind.Inotify,
  FdKind.Timer,
  FdKind.Netlink,
  FdKind.File,
  FdKind.Bpf,
  FdKind.UserFault,
  FdKind.IoUring,
  FdKind.Memfd,
  FdKind.Pidfd,
];
const V4_SOCKET = 3;
const V6_SOCKET = 4;
const V4_SERVER = 5;
const V6_SERVER = 6;
const UNIX_SOCKET = 8;
const FILE_V2 = 16;
const NO_ENDS = { source: undefined, destination: undefined };
/** Bytes of what our own captures have behind a descriptor at the least. */
const OWN_FD_BYTES = 21;
/** Bits behind those of FdFlag in the own part of a descriptor. */
export const enum OwnFdFlag {
  /** The raw name is there. */
  Raw = 1 << 16,
  /** The ends stand as the kernel has them, not as client and server. */
  Reversed = 1 << 17,
  NoSource = 1 << 18,
  NoDestination = 1 << 19,
  /** The name is there: of sockets it is not always made from the ends in the same way. */
  Named = 1 << 20,
  /** The caller's name is there. */
  Caller = 1 << 21,
}
const OWN_FD_FLAGS = 0xffff_0000;

export class SnapshotFds {
  readonly #machine: Tables;
  readonly #serverPorts = new Set<number>();
  /** Addresses of the present descriptor as they are listed. */
  #listedEnds: { source: Uint8Array | undefined; destination: Uint8Array | undefined } = NO_ENDS;
  /** Descriptors of which a capture of ours told all: what is guessed for others they have. */
  #restored = new WeakSet<Fd>();

  constructor(machine: Tables) {
    this.#machine = machine;
  }

  /** To be called when all threads have their roles. */
  forget(): void {
    this.#restored = new WeakSet();
  }

  /** Reads the body of one list: the thread, then its descriptors. `onlyFiles`: those of files of
   * which the table has no entry. */
  load(input: Cursor, withLength: boolean, onlyFiles = false): void {
    const machine = this.#machine;
    const thread = machine.threads.get(input.i64());
    while (input.left >= 4) {
      const from = input.at;
      const length = withLength ? input.u32() : 0;
      const number = input.i64();
      const ino = input.inode();
      const type = input.u8();
      const fd = this.#descriptor(input, type, length > 0 ? from + length : 0);
      if (input.cut || fd === undefined) return;
      fd.ino = ino;
      fd.flags |= FdFlag.FromSnapshot;
      if (length > 0) {
        if (input.at + OWN_FD_BYTES <= from + length) this.#ownPart(input, fd);
        input.goTo(from + length);
      }
      if (onlyFiles) {
        const isFile = fd.kind === FdKind.File || fd.kind === FdKind.Directory;
        if (!isFile || thread?.fds?.get(number)?.ino === ino) continue;
      }
      if (thread !== undefined) (thread.fds ??= new FdTable(machine.budget)).set(number, fd);
    }
  }

  #descriptor(input: Cursor, type: number, end: number): Fd | undefined {
    const machine = this.#machine;
    const kind = LISTED_KINDS[type];
    if (kind === undefined) {
      if (end === 0 || type === 0) return undefined;
      return new Fd(FdKind.Unsupported, machine.strings.internPassing(`unknown-type:[${type}]`));
    }
    const fd = new Fd(kind, EMPTY);
    this.#listedEnds = NO_ENDS;
    switch (type) {
      case V4_SOCKET:
      case V6_SOCKET:
        this.#socket(input, fd, type === V4_SOCKET ? 4 : 16);
        break;
      case V4_SERVER:
      case V6_SERVER:
        fd.sourceIp = input.bytes(type === V4_SERVER ? 4 : 16);
        this.#listedEnds = { source: fd.sourceIp, destination: undefined };
        fd.sourcePort = input.u16();
        fd.l4proto = L4_PROTOCOLS[input.u8()] ?? 0;
        fd.flags |= FdFlag.Listening;
        fd.name = machine.addresses.local(fd);
        this.#serverPorts.add(fd.sourcePort);
        break;
      case UNIX_SOCKET:
        fd.unixSource = input.u64();
        fd.unixDestination = input.u64();
        fd.name = input.string(machine);
        fd.flags |= fd.name === EMPTY ? FdFlag.RoleClient : FdFlag.RoleServer;
        break;
      case FILE_V2:
        fd.openFlags = input.u32();
        fd.name = input.string(machine);
        if (end > 0 && input.at + 4 <= end) fd.dev = input.u32();
        break;
      default:
        fd.name = input.string(machine);
        if (kind === FdKind.Pidfd) fd.pid = pidOf(machine.strings.text(fd.name)!);
    }
    return fd;
  }

  /** What our own captures know besides (dump.ts). */
  #ownPart(input: Cursor, fd: Fd): void {
    if (input.u32() !== OWN_ENTRY_MARK) return;
    const kind = input.u8();
    const flags = input.u32();
    const openFlags = input.u32();
    const dev = input.u32();
    const raw = input.string(this.#machine);
    const name = input.string(this.#machine);
    const caller = flags & OwnFdFlag.Caller ? input.string(this.#machine) : MISSING;
    if (input.cut || kind >= FD_TYPES.length) return;
    fd.kind = kind;
    fd.flags = flags & ~OWN_FD_FLAGS;
    fd.openFlags = openFlags;
    fd.dev = dev;
    if (flags & OwnFdFlag.Named) fd.name = name;
    if (flags & OwnFdFlag.Raw) fd.nameRaw = raw;
    if (caller !== MISSING) {
      if (this.#machine.bothPaths) fd.callerName = caller;
      else if (!this.#machine.kernelPaths) fd.name = caller;
    }
    // Only sockets have room for their ends.
    if (this.#listedEnds !== NO_ENDS) {
      fd.sourceIp = this.#listedEnds.source;
      fd.destinationIp = this.#listedEnds.destination;
      if (flags & OwnFdFlag.Reversed) reverse(fd);
      if (flags & OwnFdFlag.NoSource) fd.sourceIp = undefined;
      if (flags & OwnFdFlag.NoDestination) fd.destinationIp = undefined;
    }
    if (fd.kind === FdKind.Ipv4) this.#restored.add(fd);
  }

  #socket(input: Cursor, fd: Fd, size: number): void {
    const machine = this.#machine;
    fd.sourceIp = input.bytes(size);
    fd.destinationIp = input.bytes(size);
    this.#listedEnds = { source: fd.sourceIp, destination: fd.destinationIp };
    fd.sourcePort = input.u16();
    fd.destinationPort = input.u16();
    fd.l4proto = L4_PROTOCOLS[input.u8()] ?? 0;
    if (input.cut) return;
    if (fd.l4proto === 6) fd.flags |= FdFlag.Connected;
    if (size === 16 && isMapped(fd.sourceIp, 0) && isMapped(fd.destinationIp, 0)) {
      fd.kind = FdKind.Ipv4;
      fd.sourceIp = fd.sourceIp.slice(12);
      fd.destinationIp = fd.destinationIp.slice(12);
    }
    if (fd.kind === FdKind.Ipv4) machine.interfaces.complete(fd);
    fd.name = machine.addresses.dumped(fd);
  }

  /** A connection from a port that somebody listens on is a server's: its ends change places. */
  giveRoles(thread: Thread): void {
    const fds = thread.fds;
    if (fds === undefined) return;
    for (const [number, fd] of fds.entries()) {
      if (fd.kind !== FdKind.Ipv4 || fd.flags & FdFlag.Listening || this.#restored.has(fd)) {
        continue;
      }
      const changed = fd.copy();
      if (this.#serverPorts.has(fd.sourcePort)) {
        changed.sourceIp = fd.destinationIp;
        changed.sourcePort = fd.destinationPort;
        changed.destinationIp = fd.sourceIp;
        changed.destinationPort = fd.sourcePort;
        changed.name = this.#machine.addresses.dumped(changed);
        changed.flags |= FdFlag.RoleServer;
      } else changed.flags |= FdFlag.RoleClient;
      fds.set(number, changed);
    }
  }
}

function reverse(fd: Fd): void {
  const { sourceIp, sourcePort } = fd;
  fd.sourceIp = fd.destinationIp;
  fd.sourcePort = fd.destinationPort;
  fd.destinationIp = sourceIp;
  fd.destinationPort = sourcePort;
}

function pidOf(name: string): number {
  const digits = /(\d+)$/.exec(name)?.[1];
  return digits === undefined ? 0 : Number(digits);
}
