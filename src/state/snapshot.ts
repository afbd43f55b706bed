// State blocks: the machine, its interfaces and users, the processes and their descriptors as they
// were when a capture began, or as the addon read them from /proc. Every version of each list is
// read; a list that ends within an entry gives the entries before.
import { OWN_ENTRY_MARK } from "../events/scap/state_blocks.ts";
import { Fd, FD_TYPES, FdFlag, FdKind } from "./fd.ts";
import { FdTable } from "./fd_table.ts";
import type { MachineState } from "./machine_state.ts";
import { isMapped } from "./address.ts";
import { Cursor } from "./snapshot_cursor.ts";
import { EMPTY } from "./strings.ts";
import { NO_BYTES, Thread, ThreadFlag } from "./thread.ts";

const SECTION = 0x0a0d0d0a;
/** Versions of the process list, oldest first, by block type. */
const PROCESS_LISTS = new Map([
  [0x202, 1],
  [0x8000abcd, 1],
  [0x207, 2],
  [0x8013abcd, 2],
  [0x209, 3],
  [0x8014abcd, 3],
  [0x210, 4],
  [0x211, 5],
  [0x212, 6],
  [0x213, 7],
  [0x214, 8],
  [0x215, 9],
]);
const FD_LIST_V2 = 0x218;
const USER_LIST_V2 = 0x220;
const INTERFACE_LIST_V2 = 0x219;
/** What a process entry's end holds at the most where two fields in its middle are missing, as
 * libs before 0.10 wrote it. */
const OLD_TAIL_BYTES = 29;
/** Falco's numbers of layer 4 protocols in descriptor lists, as IPPROTO_*. */
const L4_PROTOCOLS = [0, 0, 6, 17, 1, 255];
/** Clone flag (PPM_CL_*) of a thread in another pid namespace. */
const CHILD_IN_PIDNS = 1 << 29;

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
/** Bytes of what our own captures have behind a thread and behind a descriptor at the least. */
const OWN_THREAD_BYTES = 26;
const OWN_FD_BYTES = 21;
/** Flags of a thread that no list of Falco's tells. */
export const OWN_THREAD_FLAGS = ThreadFlag.Dead | ThreadFlag.Subreaper;
/** Bits behind those of FdFlag in the own part of a descriptor. */
export const enum OwnFdFlag {
  /** The raw name is there. */
  Raw = 1 << 16,
  /** The ends stand as the kernel has them, not as client and server. */
  Reversed = 1 << 17,
  NoSource = 1 << 18,
  NoDestination = 1 << 19,
}
const OWN_FD_FLAGS = 0xffff_0000;

export class Snapshot {
  /** Whether threads were loaded that have no kin yet. */
  unsettled = false;
  readonly #machine: MachineState;
  #loaded: Thread[] = [];
  readonly #serverPorts = new Set<number>();
  /** Addresses of the present descriptor as they are listed. */
  #listedEnds: { source: Uint8Array | undefined; destination: Uint8Array | undefined } = NO_ENDS;
  /** Descriptors of which a capture of ours told all: what is guessed for others they have. */
  readonly #restored = new Set<Fd>();

  constructor(machine: MachineState) {
    this.#machine = machine;
  }

  /** Reads a run of whole blocks. */
  loadBlocks(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 12 <= bytes.length;) {
      const length = view.getUint32(at + 4, true);
      if (length < 12 || at + length > bytes.length) return;
      this.load(view.getUint32(at, true), bytes, at + 8, at + length - 4);
      at += length;
    }
  }

  /** Reads the body of one block. */
  load(type: number, bytes: Uint8Array, start: number, end: number): void {
    const input = new Cursor(bytes, start, end);
    const version = PROCESS_LISTS.get(type);
    if (version !== undefined) return this.#processes(input, version);
    switch (type) {
      case 0x201:
      case 0x8002abcd:
        return this.#machineInfo(input);
      case 0x205:
      case 0x8011abcd:
      case INTERFACE_LIST_V2:
        return this.#interfaces(input, type === INTERFACE_LIST_V2);
      case 0x206:
      case 0x8012abcd:
      case USER_LIST_V2:
        return this.#users(input, type === USER_LIST_V2);
      case 0x203:
      case 0x8001abcd:
      case FD_LIST_V2:
        return this.#descriptors(input, type === FD_LIST_V2);
      case SECTION:
        if (this.#machine.threads.size > 0) this.#machine.reset();
    }
  }

  /** Gives the loaded threads their kin, and the loaded sockets their roles. */
  settle(): void {
    const machine = this.#machine;
    const loaded = this.#loaded;
    this.#loaded = [];
    this.unsettled = false;
    for (const thread of loaded) {
      machine.relate(thread);
      if (thread.group === undefined) continue;
      if (thread.isDead) thread.group.alive--;
      if (thread.flags & ThreadFlag.Subreaper) thread.group.reaper = true;
    }
    for (const thread of loaded) {
      thread.containerId = machine.containers.match(thread.cgroups);
      this.#giveRoles(thread);
    }
    this.#restored.clear();
    machine.lineage++;
  }

  #machineInfo(input: Cursor): void {
    const machine = this.#machine;
    machine.cpus = input.u32();
    machine.memoryBytes = input.u64();
    machine.pidMax = input.u64();
    input.skip(128);
    machine.bootTs = input.u64();
  }

  #interfaces(input: Cursor, withLength: boolean): void {
    while (input.left >= 8) {
      const length = withLength ? input.u32() : 0;
      const from = input.at;
      const type = input.u16();
      const nameLength = input.u16();
      const size = type === 1 || type === 3 ? 4 : 16;
      const address = input.bytes(size);
      const netmask = input.bytes(size);
      const broadcast = input.bytes(size);
      const hasSpeed = type === 1 || type === 2;
      const linkspeed = hasSpeed ? input.u64() : 0n;
      const name = input.text(nameLength);
      if (input.cut || type < 1 || type > 4) return;
      this.#machine.interfaces.add({ name, address, netmask, broadcast, linkspeed });
      if (withLength) input.goTo(from + length);
    }
  }

  #users(input: Cursor, withLength: boolean): void {
    while (input.left >= 4) {
      const from = input.at;
      const length = withLength ? input.u32() : 0;
      const isUser = input.u8() === 0;
      if (isUser) {
        const uid = input.u32();
        const gid = input.u32();
        const name = input.text(input.u16());
        const homedir = input.text(input.u16());
        const shell = input.text(input.u16());
        if (input.cut) return;
        this.#machine.users.addUser("", { uid, gid, name, homedir, shell });
      } else {
        const gid = input.u32();
        const name = input.text(input.u16());
        if (input.cut) return;
        this.#machine.users.addGroup("", { gid, name });
      }
      if (withLength) input.goTo(from + length);
    }
  }

  #processes(input: Cursor, version: number): void {
    while (input.left >= 4) {
      const from = input.at;
      const length = version >= 9 ? input.u32() : 0;
      const thread = this.#process(input, version, from, length);
      if (thread === undefined) return;
      if (length > 0) input.goTo(from + length);
      if (this.#machine.add(thread) === undefined) continue;
      this.#loaded.push(thread);
      this.unsettled = true;
    }
  }

  #process(input: Cursor, version: number, from: number, length: number): Thread | undefined {
    const machine = this.#machine;
    const thread = new Thread(input.i64(), input.i64());
    thread.ptid = input.i64();
    thread.sid = version >= 6 ? input.i64() : -1;
    thread.vpgid = version >= 8 ? input.i64() : -1;
    thread.pgid = -1;
    thread.comm = input.string(machine);
    thread.exe = input.string(machine);
    if (version >= 7) thread.exepath = withoutDeleted(machine, input.string(machine));
    thread.args = input.raw(input.u16());
    const cwd = input.string(machine);
    thread.fdLimit = input.i64big();
    const flags = input.u32();
    thread.uid = input.u32();
    thread.gid = input.u32();
    if (version >= 2) {
      thread.vmSizeKb = input.u32();
      thread.vmRssKb = input.u32();
      thread.vmSwapKb = input.u32();
      thread.pageFaultsMajor = input.u64();
      thread.pageFaultsMinor = input.u64();
    }
    const env = version >= 3 ? input.raw(input.u16()) : NO_BYTES;
    thread.vtid = version >= 4 ? input.i64() : -1;
    thread.vpid = version >= 4 ? input.i64() : -1;
    if (version >= 4) thread.cgroups = input.list(machine);
    if (version >= 5) thread.root = input.string(machine);
    if (input.cut) return undefined;
    thread.reaperTid = -1;
    const end = length > 0 ? from + length : input.at;
    const cwdKnown = this.#tail(input, thread, end);
    thread.cloneFlags = flags;
    thread.flags |= ThreadFlag.FromSnapshot;
    if (flags & CHILD_IN_PIDNS) thread.flags |= ThreadFlag.InPidNamespace;
    if (thread.isMain) {
      thread.env = env;
      if (!cwdKnown) thread.cwd = machine.paths.joinDirectory(EMPTY, cwd);
    }
    return thread;
  }

  /** What later versions added to the last list's entries; an entry may end before any of it.
   * Whether it told the working directory too. */
  #tail(input: Cursor, thread: Thread, end: number): boolean {
    if (end - input.at > OLD_TAIL_BYTES) {
      if (input.at + 8 <= end) thread.pidnsInitStartTs = input.u64();
      if (input.at + 4 <= end) thread.tty = input.u32();
    }
    if (input.at + 4 <= end) thread.loginuid = input.u32();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeWritable, input.u8());
    if (input.at + 8 <= end) thread.capInheritable = input.u64();
    if (input.at + 8 <= end) thread.capPermitted = input.u64();
    if (input.at + 8 <= end) thread.capEffective = input.u64();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeUpperLayer, input.u8());
    if (input.at + 8 <= end) thread.exeIno = input.u64();
    if (input.at + 8 <= end) thread.exeInoCtime = input.u64();
    if (input.at + 8 <= end) thread.exeInoMtime = input.u64();
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeFromMemfd, input.u8());
    if (input.at + 1 <= end) setFlag(thread, ThreadFlag.ExeLowerLayer, input.u8());
    if (input.at + 8 <= end) thread.pgid = input.i64();
    // Ours: our own snapshot of /proc knows when a thread was made.
    if (input.at + 8 <= end) thread.cloneTs = input.u64();
    // What our own captures know besides (dump.ts).
    if (input.at + OWN_THREAD_BYTES > end || input.u32() !== OWN_ENTRY_MARK) return false;
    thread.lastExecTs = input.u64();
    thread.reaperTid = input.i64();
    thread.flags |= input.u32() & OWN_THREAD_FLAGS;
    thread.cwd = input.string(this.#machine);
    return true;
  }

  #descriptors(input: Cursor, withLength: boolean): void {
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
    if (input.cut || kind >= FD_TYPES.length) return;
    fd.kind = kind;
    fd.flags = flags & ~OWN_FD_FLAGS;
    fd.openFlags = openFlags;
    fd.dev = dev;
    fd.name = name;
    if (flags & OwnFdFlag.Raw) fd.nameRaw = raw;
    fd.sourceIp = this.#listedEnds.source;
    fd.destinationIp = this.#listedEnds.destination;
    if (flags & OwnFdFlag.Reversed) reverse(fd);
    if (flags & OwnFdFlag.NoSource) fd.sourceIp = undefined;
    if (flags & OwnFdFlag.NoDestination) fd.destinationIp = undefined;
    this.#restored.add(fd);
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
  #giveRoles(thread: Thread): void {
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

/** The path without the kernel's " (deleted)" behind it. */
export function withoutDeleted(machine: MachineState, path: number): number {
  const { strings } = machine;
  const length = strings.length(path);
  if (length <= DELETED.length || strings.byteAt(path, length - 1) !== 41) return path;
  const text = strings.bytes(path);
  for (let at = 0; at < DELETED.length; at++) {
    if (text[length - DELETED.length + at] !== DELETED.charCodeAt(at)) return path;
  }
  return strings.intern(text.slice(), 0, length - DELETED.length);
}

const DELETED = " (deleted)";

function reverse(fd: Fd): void {
  const { sourceIp, sourcePort } = fd;
  fd.sourceIp = fd.destinationIp;
  fd.sourcePort = fd.destinationPort;
  fd.destinationIp = sourceIp;
  fd.destinationPort = sourcePort;
}

function setFlag(thread: Thread, flag: ThreadFlag, value: number): void {
  if (value !== 0) thread.flags |= flag;
}

function pidOf(name: string): number {
  const digits = /(\d+)$/.exec(name)?.[1];
  return digits === undefined ? 0 : Number(digits);
}
