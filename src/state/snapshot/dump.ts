// The tables as the state blocks of a capture: what snapshot.ts reads, it writes. Other readers
// of captures find the lists that they know; what only saker knows stands at the entries' ends.
import { BlockBuffer, TEXT_MAX } from "../../events/scap/block_buffer.ts";
import {
  type FdRecord,
  ListedFd,
  type ProcessRecord,
  putDescriptors,
  putInterfaces,
  putMachine,
  putProcesses,
  putUsers,
} from "../../events/scap/state_blocks.ts";
import {
  CONTAINERS_AWAITED,
  putCluster,
  putContainer,
  putContainerGroup,
  putContainerUser,
} from "../../events/scap/state_events.ts";
import { containerJson } from "../tables/containers.ts";
import { BirthWriter } from "./births.ts";
import { type Fd, FdFlag, FdKind } from "../tables/fd.ts";
import type { FdTable } from "../tables/fd_table.ts";
import type { Tables } from "../tables/tables.ts";
import { OWN_THREAD_FLAGS } from "./snapshot.ts";
import { LISTED_KINDS, OwnFdFlag } from "./snapshot_fds.ts";
import { MISSING, type Strings } from "../tables/strings.ts";
import { NO_BYTES } from "../tables/seen_bytes.ts";
import { type Thread, ThreadFlag } from "../tables/thread.ts";

/** IPPROTO_* → Falco's numbers in descriptor lists. */
const L4_NUMBERS = new Map([[6, 2], [17, 3], [1, 4], [255, 5]]);
/** FdKind → its number in descriptor lists: the highest, which is the newest, of each kind. */
const KIND_NUMBERS = new Map(LISTED_KINDS.map((kind, number) => [kind, number]));

/** State blocks of the machine as it is; `time` (ns since the epoch) is that of the events that
 * tell what no list has a place for. */
export function dumpMachine(machine: Tables, time: bigint): Uint8Array {
  const out = new BlockBuffer(1 << 20);
  putMachine(out, machine);
  putInterfaces(out, machine.interfaces.list);
  putUsers(out, onHost(machine.users.users()), onHost(machine.users.groups()));
  const threads = [...machine.threads.values()].filter((thread) => !thread.isInvalid);
  putProcesses(out, processes(machine, threads));
  const serverPorts = listeningPorts(threads);
  for (const thread of threads) {
    if (thread.fds !== undefined || thread.isMain) {
      putDescriptors(out, thread.tid, descriptors(machine.strings, thread.fds, serverPorts));
    }
  }
  for (const [id, user] of machine.users.users()) {
    if (id !== "") putContainerUser(out, time, id, user);
  }
  for (const [id, group] of machine.users.groups()) {
    if (id !== "") putContainerGroup(out, time, id, group);
  }
  const { awaited, cluster } = machine.containers;
  if (awaited.enabled) {
    const told = { awaited: [...awaited.all()], ...(cluster.enabled ? { cluster: true } : {}) };
    putContainer(out, time, JSON.stringify(told), CONTAINERS_AWAITED);
  }
  // In front of the containers, as they came.
  for (const { json } of cluster.all()) putCluster(out, time, json);
  for (const container of machine.containers.all()) {
    if (container.info !== undefined) putContainer(out, time, containerJson(container));
  }
  return out.bytes;
}

function* onHost<T>(entries: Iterable<[containerId: string, T]>): Generator<T> {
  for (const [id, entry] of entries) if (id === "") yield entry;
}

function* processes(machine: Tables, threads: readonly Thread[]): Generator<ProcessRecord> {
  const { strings } = machine;
  const births = new BirthWriter(strings);
  for (const thread of threads) {
    const { flags, birth } = thread;
    yield {
      tid: thread.tid,
      pid: thread.pid,
      ptid: thread.ptid,
      sid: thread.sid,
      vpgid: thread.vpgid,
      pgid: thread.pgid,
      vtid: thread.vtid,
      vpid: thread.vpid,
      comm: strings.bytes(thread.comm),
      exe: strings.bytes(thread.exe),
      exepath: strings.bytes(thread.exepath),
      args: thread.args,
      env: thread.env,
      cwd: strings.bytes(machine.cwdOf(thread)),
      cgroups: strings.bytes(thread.cgroups),
      root: strings.bytes(thread.root),
      fdLimit: BigInt.asUintN(64, thread.fdLimit),
      cloneFlags: thread.cloneFlags,
      uid: thread.uid,
      gid: thread.gid,
      loginuid: thread.loginuid,
      tty: thread.tty,
      vmSizeKb: thread.vmSizeKb,
      vmRssKb: thread.vmRssKb,
      vmSwapKb: thread.vmSwapKb,
      pageFaultsMajor: thread.pageFaultsMajor,
      pageFaultsMinor: thread.pageFaultsMinor,
      pidnsInitStartTs: thread.pidnsInitStartTs,
      capInheritable: thread.capInheritable,
      capPermitted: thread.capPermitted,
      capEffective: thread.capEffective,
      exeIno: thread.exeIno,
      exeInoCtime: thread.exeInoCtime,
      exeInoMtime: thread.exeInoMtime,
      exeWritable: (flags & ThreadFlag.ExeWritable) !== 0,
      exeUpperLayer: (flags & ThreadFlag.ExeUpperLayer) !== 0,
      exeLowerLayer: (flags & ThreadFlag.ExeLowerLayer) !== 0,
      exeFromMemfd: (flags & ThreadFlag.ExeFromMemfd) !== 0,
      cloneTs: thread.cloneTs,
      namespaces: thread.namespaces,
      pidNamespace: thread.pidNamespace,
      mountNamespace: thread.mountNamespace,
      lastExecTs: thread.lastExecTs,
      reaperTid: thread.reaperTid,
      ownFlags: flags & OWN_THREAD_FLAGS,
      ownCwd: strings.bytes(thread.cwd),
      callerCwd: thread.callerCwd === MISSING ? NO_BYTES : strings.bytes(thread.callerCwd),
      exeAgeAtStart: thread.exeAgeAtStart,
      exeAgeInPidns: thread.exeAgeInPidns,
      putMore: (out) => {
        births.put(out, birth);
        putLists(out, thread);
      },
    };
  }
}

/** Arguments and environment where they are longer than other readers of captures take. */
function putLists(out: BlockBuffer, { lists, args, env }: Thread): void {
  if (lists === undefined) return;
  out.u32(lists.args);
  out.u32(lists.env);
  out.u8((lists.argsCut ? 1 : 0) | (lists.envCut ? 2 : 0));
  for (const list of [args, env]) {
    out.u32(list.length);
    out.raw(list);
  }
}

/** Ports that some process listens on: readers take a connection from one for a server's. */
function listeningPorts(threads: readonly Thread[]): Set<number> {
  const ports = new Set<number>();
  for (const thread of threads) {
    for (const [, fd] of thread.fds?.entries() ?? []) {
      if (fd.flags & FdFlag.Listening) ports.add(fd.sourcePort);
    }
  }
  return ports;
}

function* descriptors(
  strings: Strings,
  fds: FdTable | undefined,
  serverPorts: ReadonlySet<number>,
): Generator<FdRecord> {
  for (const [number, fd] of fds?.entries() ?? []) {
    const type = listedType(fd);
    let ownFlags: number = fd.flags;
    if (fd.nameRaw !== MISSING) ownFlags |= OwnFdFlag.Raw;
    if (fd.sourceIp === undefined) ownFlags |= OwnFdFlag.NoSource;
    if (fd.destinationIp === undefined) ownFlags |= OwnFdFlag.NoDestination;
    // Readers turn such a socket round themselves, so it is listed as the kernel has it.
    const reversed = type === ListedFd.Ipv4Socket && (fd.flags & FdFlag.RoleServer) !== 0 &&
      serverPorts.has(fd.destinationPort);
    if (reversed) ownFlags |= OwnFdFlag.Reversed;
    const isIp = fd.kind === FdKind.Ipv4 || fd.kind === FdKind.Ipv6;
    const isNamed = isIp || strings.length(fd.name) > TEXT_MAX;
    if (isNamed) ownFlags |= OwnFdFlag.Named;
    if (fd.callerName !== MISSING) ownFlags |= OwnFdFlag.Caller;
    const source = fd.sourceIp ?? NO_BYTES;
    const destination = fd.destinationIp ?? NO_BYTES;
    yield {
      number,
      ino: fd.ino,
      type,
      name: strings.bytes(fd.name),
      openFlags: fd.openFlags,
      dev: fd.dev,
      sourceIp: reversed ? destination : source,
      destinationIp: reversed ? source : destination,
      sourcePort: reversed ? fd.destinationPort : fd.sourcePort,
      destinationPort: reversed ? fd.sourcePort : fd.destinationPort,
      l4proto: L4_NUMBERS.get(fd.l4proto) ?? 0,
      unixSource: fd.unixSource,
      unixDestination: fd.unixDestination,
      ownKind: fd.kind,
      ownFlags,
      ownName: isNamed ? strings.bytes(fd.name) : NO_BYTES,
      nameRaw: fd.nameRaw === MISSING ? NO_BYTES : strings.bytes(fd.nameRaw),
      callerName: fd.callerName === MISSING ? undefined : strings.bytes(fd.callerName),
    };
  }
}

/** The number that Falco has for what a descriptor is. */
export function listedType(fd: Fd): number {
  const listens = (fd.flags & FdFlag.Listening) !== 0;
  if (fd.kind === FdKind.Ipv4) return listens ? ListedFd.Ipv4Server : ListedFd.Ipv4Socket;
  if (fd.kind === FdKind.Ipv6) return listens ? ListedFd.Ipv6Server : ListedFd.Ipv6Socket;
  return KIND_NUMBERS.get(fd.kind) ?? ListedFd.Unsupported;
}
