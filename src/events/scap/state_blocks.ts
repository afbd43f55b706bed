// The blocks that say how the machine is: plain records come in, the newest version of each list
// goes out, as sysdig and Falco read them. The opposite of state/snapshot.ts, which reads them.
// Layouts: Falco's libs, userspace/libscap/scap_savefile.c. Entries of processes and descriptors
// say how long they are, so what Falco does not know of stands at their end, behind OWN_ENTRY_MARK.
import { BlockBuffer, LIST_MAX, NAME_MAX } from "./block_buffer.ts";
import {
  FD_LISTS,
  INTERFACE_LISTS,
  MACHINE_INFO,
  newest,
  PROCESS_LISTS,
  SECTION,
  USER_LISTS,
} from "./state_types.ts";

const MACHINE = newest(MACHINE_INFO);
const INTERFACES = newest(INTERFACE_LISTS);
const USERS = newest(USER_LISTS);
const PROCESSES = newest(PROCESS_LISTS);
const DESCRIPTORS = newest(FD_LISTS);
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LENGTH_UNKNOWN = 0xffff_ffff_ffff_ffffn;
const HOSTNAME_BYTES = 128;
/** Begins what is ours in an entry. */
export const OWN_ENTRY_MARK = 0x4e574f53;
/** Begins where a process lives, before what else is ours (bindings-rs/src/snapshot/block.rs). */
export const NAMESPACES_MARK = 0x4350534e;
/** Our own reader takes what a length of 16 bits can say. */
const OWN_TEXT_MAX = 65_535;
/** A process list is closed at this size and another begun: readers take any number of them. */
const PROCESS_LIST_BYTES = 1 << 26;

const encoder = new TextEncoder();

export interface MachineRecord {
  readonly cpus: number;
  readonly memoryBytes: bigint;
  readonly pidMax: bigint;
  readonly hostname: string;
  /** ns since the epoch. */
  readonly bootTs: bigint;
}

export interface InterfaceRecord {
  readonly name: string;
  /** 4 or 16 bytes, all three of the same size. */
  readonly address: Uint8Array;
  readonly netmask: Uint8Array;
  readonly broadcast: Uint8Array;
  readonly linkspeed: bigint;
}

export interface UserRecord {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

export interface GroupRecord {
  readonly gid: number;
  readonly name: string;
}

/** One thread; texts are bytes as the kernel gave them, lists are NUL-separated. */
export interface ProcessRecord {
  readonly tid: number;
  readonly pid: number;
  readonly ptid: number;
  readonly sid: number;
  readonly vpgid: number;
  readonly pgid: number;
  readonly vtid: number;
  readonly vpid: number;
  readonly comm: Uint8Array;
  readonly exe: Uint8Array;
  readonly exepath: Uint8Array;
  readonly args: Uint8Array;
  readonly env: Uint8Array;
  readonly cwd: Uint8Array;
  readonly cgroups: Uint8Array;
  readonly root: Uint8Array;
  readonly fdLimit: bigint;
  /** PPM_CL_* bits. */
  readonly cloneFlags: number;
  readonly uid: number;
  readonly gid: number;
  readonly loginuid: number;
  readonly tty: number;
  readonly vmSizeKb: number;
  readonly vmRssKb: number;
  readonly vmSwapKb: number;
  readonly pageFaultsMajor: bigint;
  readonly pageFaultsMinor: bigint;
  readonly pidnsInitStartTs: bigint;
  readonly capInheritable: bigint;
  readonly capPermitted: bigint;
  readonly capEffective: bigint;
  readonly exeIno: bigint;
  readonly exeInoCtime: bigint;
  readonly exeInoMtime: bigint;
  readonly exeWritable: boolean;
  readonly exeUpperLayer: boolean;
  readonly exeLowerLayer: boolean;
  readonly exeFromMemfd: boolean;
  /** Ours: ns since the epoch, then what state/ makes of them. */
  readonly cloneTs: bigint;
  /** 0: not known. */
  readonly namespaces: number;
  readonly pidNamespace: number;
  readonly mountNamespace: number;
  readonly lastExecTs: bigint;
  readonly reaperTid: number;
  readonly ownFlags: number;
  readonly ownCwd: Uint8Array;
  /** The working directory in the process's words, where those differ. */
  readonly callerCwd: Uint8Array;
  readonly exeAgeAtStart: bigint;
  readonly exeAgeInPidns: bigint;
  /** Writes who made the process, and what is long. */
  readonly putMore: (out: BlockBuffer) => void;
}

/** Kinds of descriptors by their numbers in descriptor lists. */
export const enum ListedFd {
  Ipv4Socket = 3,
  Ipv6Socket = 4,
  Ipv4Server = 5,
  Ipv6Server = 6,
  Unix = 8,
  Unsupported = 10,
  File = 16,
}

export interface FdRecord {
  readonly number: number;
  readonly ino: number | bigint;
  /** A ListedFd, or another kind's number: those have a name only. */
  readonly type: number;
  readonly name: Uint8Array;
  /** Files. */
  readonly openFlags: number;
  readonly dev: number;
  /** Sockets: both ends, or the local one as the source of a server's. */
  readonly sourceIp: Uint8Array;
  readonly destinationIp: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Falco's number of the protocol: 0 unknown, 2 tcp, 3 udp, 4 icmp, 5 raw. */
  readonly l4proto: number;
  readonly unixSource: bigint;
  readonly unixDestination: bigint;
  /** Ours: what state/ makes of it, and the path as the program gave it. */
  readonly ownKind: number;
  readonly ownFlags: number;
  /** Its name where the list tells none, or not all of it. */
  readonly ownName: Uint8Array;
  readonly nameRaw: Uint8Array;
  /** The name in the caller's words, where those differ; ownFlags say that it is there. */
  readonly callerName: Uint8Array | undefined;
}

/** Every capture begins with it. */
export function putSection(out: BlockBuffer): void {
  out.beginBlock(SECTION);
  out.u32(BYTE_ORDER_MAGIC);
  out.u16(1);
  out.u16(2);
  out.u64(LENGTH_UNKNOWN);
  out.endBlock();
}

export function putMachine(out: BlockBuffer, machine: MachineRecord): void {
  out.beginBlock(MACHINE);
  out.u32(machine.cpus);
  out.u64(machine.memoryBytes);
  out.u64(machine.pidMax);
  const hostname = encoder.encode(machine.hostname).subarray(0, HOSTNAME_BYTES - 1);
  out.raw(hostname);
  out.zeros(HOSTNAME_BYTES - hostname.length);
  out.u64(machine.bootTs);
  // Flags and two reserved words.
  out.zeros(24);
  out.endBlock();
}

/** IPv4 before IPv6, as other readers expect. */
export function putInterfaces(out: BlockBuffer, interfaces: Iterable<InterfaceRecord>): void {
  const all = [...interfaces];
  out.beginBlock(INTERFACES);
  for (const size of [4, 16]) {
    for (const entry of all) {
      if (entry.address.length !== size) continue;
      const name = encoder.encode(entry.name).subarray(0, NAME_MAX);
      const at = out.openLength();
      out.u16(size === 4 ? 1 : 2);
      out.u16(name.length);
      out.raw(entry.address);
      out.raw(entry.netmask);
      out.raw(entry.broadcast);
      out.u64(entry.linkspeed);
      out.raw(name);
      // The one list whose entries do not count their own length.
      out.closeLength(at, 0);
    }
  }
  out.endBlock();
}

export function putUsers(
  out: BlockBuffer,
  users: Iterable<UserRecord>,
  groups: Iterable<GroupRecord>,
): void {
  out.beginBlock(USERS);
  for (const user of users) {
    const at = out.openLength();
    out.u8(0);
    out.u32(user.uid);
    out.u32(user.gid);
    out.text(encoder.encode(user.name), NAME_MAX);
    out.text(encoder.encode(user.homedir), NAME_MAX);
    out.text(encoder.encode(user.shell), NAME_MAX);
    out.closeLength(at, 4);
  }
  for (const group of groups) {
    const at = out.openLength();
    out.u8(1);
    out.u32(group.gid);
    out.text(encoder.encode(group.name), NAME_MAX);
    out.closeLength(at, 4);
  }
  out.endBlock();
}

export function putProcesses(out: BlockBuffer, processes: Iterable<ProcessRecord>): void {
  out.beginBlock(PROCESSES);
  let begun = out.length;
  for (const process of processes) {
    if (out.length - begun > PROCESS_LIST_BYTES) {
      out.endBlock();
      out.beginBlock(PROCESSES);
      begun = out.length;
    }
    putProcess(out, process);
  }
  out.endBlock();
}

function putProcess(out: BlockBuffer, process: ProcessRecord): void {
  const at = out.openLength();
  out.i64(process.tid);
  out.i64(process.pid);
  out.i64(process.ptid);
  out.i64(process.sid);
  out.i64(process.vpgid);
  out.text(process.comm);
  out.text(process.exe);
  out.text(process.exepath);
  out.list(process.args);
  out.text(process.cwd);
  out.u64(process.fdLimit);
  out.u32(process.cloneFlags);
  out.u32(process.uid);
  out.u32(process.gid);
  out.u32(process.vmSizeKb);
  out.u32(process.vmRssKb);
  out.u32(process.vmSwapKb);
  out.u64(process.pageFaultsMajor);
  out.u64(process.pageFaultsMinor);
  out.list(process.env);
  out.i64(process.vtid);
  out.i64(process.vpid);
  out.list(process.cgroups, LIST_MAX);
  out.text(process.root);
  out.u64(process.pidnsInitStartTs);
  out.u32(process.tty);
  out.u32(process.loginuid);
  out.u8(process.exeWritable ? 1 : 0);
  out.u64(process.capInheritable);
  out.u64(process.capPermitted);
  out.u64(process.capEffective);
  out.u8(process.exeUpperLayer ? 1 : 0);
  out.u64(process.exeIno);
  out.u64(process.exeInoCtime);
  out.u64(process.exeInoMtime);
  out.u8(process.exeFromMemfd ? 1 : 0);
  out.u8(process.exeLowerLayer ? 1 : 0);
  out.i64(process.pgid);
  out.u64(process.cloneTs);
  if (process.namespaces !== 0) {
    out.u32(NAMESPACES_MARK);
    out.u32(process.namespaces);
    out.u32(process.pidNamespace);
    out.u32(process.mountNamespace);
  }
  out.u32(OWN_ENTRY_MARK);
  out.u64(process.lastExecTs);
  out.i64(process.reaperTid);
  out.u32(process.ownFlags);
  out.text(process.ownCwd, OWN_TEXT_MAX);
  out.text(process.callerCwd, OWN_TEXT_MAX);
  out.u64(process.exeAgeAtStart);
  out.u64(process.exeAgeInPidns);
  process.putMore(out);
  out.closeLength(at, 4);
}

/** One block per process, the empty ones too, as other writers have it. */
export function putDescriptors(out: BlockBuffer, tid: number, fds: Iterable<FdRecord>): void {
  out.beginBlock(DESCRIPTORS);
  out.i64(tid);
  for (const fd of fds) putDescriptor(out, fd);
  out.endBlock();
}

function putDescriptor(out: BlockBuffer, fd: FdRecord): void {
  const at = out.openLength();
  out.i64(fd.number);
  if (typeof fd.ino === "number") out.i64(fd.ino);
  else out.u64(fd.ino);
  out.u8(fd.type);
  switch (fd.type) {
    case ListedFd.Ipv4Socket:
    case ListedFd.Ipv6Socket:
      putIp(out, fd.sourceIp, fd.type === ListedFd.Ipv4Socket ? 4 : 16);
      putIp(out, fd.destinationIp, fd.type === ListedFd.Ipv4Socket ? 4 : 16);
      out.u16(fd.sourcePort);
      out.u16(fd.destinationPort);
      out.u8(fd.l4proto);
      break;
    case ListedFd.Ipv4Server:
    case ListedFd.Ipv6Server:
      putIp(out, fd.sourceIp, fd.type === ListedFd.Ipv4Server ? 4 : 16);
      out.u16(fd.sourcePort);
      out.u8(fd.l4proto);
      break;
    case ListedFd.Unix:
      out.u64(fd.unixSource);
      out.u64(fd.unixDestination);
      out.text(fd.name);
      break;
    case ListedFd.File:
      out.u32(fd.openFlags);
      out.text(fd.name);
      out.u32(fd.dev);
      break;
    default:
      out.text(fd.name);
  }
  out.u32(OWN_ENTRY_MARK);
  out.u8(fd.ownKind);
  out.u32(fd.ownFlags);
  out.u32(fd.openFlags);
  out.u32(fd.dev);
  out.text(fd.nameRaw, OWN_TEXT_MAX);
  out.text(fd.ownName, OWN_TEXT_MAX);
  if (fd.callerName !== undefined) out.text(fd.callerName, OWN_TEXT_MAX);
  out.closeLength(at, 4);
}

function putIp(out: BlockBuffer, ip: Uint8Array, size: number): void {
  if (ip.length === size) out.raw(ip);
  else out.zeros(size);
}
