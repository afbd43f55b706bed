// How threads begin: fork, vfork, clone. Both the creator's and the child's side of the call are
// events; they come in any order, and the first of them makes the entry.
import { type Event, OWN_PATH2 } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";
import type { Context } from "../contract/context.ts";
import {
  CL_CHILD_IN_PIDNS,
  CL_FILES,
  CL_INVERTED,
  CL_NEWPID,
  CL_PARENT,
  CL_THREAD,
  CL_VFORK,
} from "../tables/clone_flags.ts";
import type { Tables } from "../tables/tables.ts";
import { SHORT_BYTES } from "../tables/long_lists.ts";
import { RESULT, timeNs } from "../tables/results.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import { NO_BYTES } from "../tables/seen_bytes.ts";
import { type Birth, Thread, ThreadFlag } from "../tables/thread.ts";
import { takeResidence } from "./residence_events.ts";

const FAMILY = [
  "SYSCALL_CLONE_20_X",
  "SYSCALL_CLONE3_X",
  "SYSCALL_FORK_20_X",
  "SYSCALL_VFORK_20_X",
];
const {
  exe: EXE,
  args: ARGS,
  pid: PID,
  ptid: PTID,
  fdlimit: FDLIMIT,
  comm: COMM,
  cgroups: CGROUPS,
  flags: FLAGS,
  uid: UID,
  gid: GID,
  vtid: VTID,
  vpid: VPID,
  pidns_init_start_ts: PIDNS_START,
} = positionsOf(
  FAMILY,
  ...["exe", "args", "pid", "ptid", "fdlimit", "comm", "cgroups", "flags", "uid", "gid"] as const,
  ...["vtid", "vpid", "pidns_init_start_ts"] as const,
);
/** The same in events of the family and in those of exec. */
const {
  pgft_maj: PGFT_MAJ,
  pgft_min: PGFT_MIN,
  vm_size: VM_SIZE,
  vm_rss: VM_RSS,
  vm_swap: VM_SWAP,
} = positionsOf(
  [...FAMILY, "SYSCALL_EXECVE_19_X", "SYSCALL_EXECVEAT_X"],
  ...["pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap"] as const,
);

const VFORK = codeOf("SYSCALL_VFORK_20_X");
/** A u64 process id, a u64 time. */
const MAKER_BYTES = 16;
/** An entry older than this belongs to a thread whose end was not seen. */
const STALE_NS = 2_000_000_000n;

export function onClone(machine: Tables, context: Context): void {
  const { event } = context;
  if (!event.has(RESULT) || event.paramCount <= GID) return;
  const result = event.int64(RESULT);
  if (result < 0) return;
  if (result === 0) onChild(machine, context);
  else onCreator(machine, context, result);
  const thread = context.thread;
  if (thread === undefined) return;
  if (takeResidence(machine, event, thread, false)) machine.changed(thread);
}

function onCreator(machine: Tables, context: Context, childTid: number): void {
  const { event } = context;
  const creator = machine.get(event.tid);
  context.thread = creator;
  if (creator === undefined) return;
  const known = !creator.isInvalid;
  if (!known) {
    creator.pid = event.int64(PID);
    creator.ptid = event.int64(PTID);
    creator.vtid = event.has(VPID) ? event.int64(VTID) : creator.tid;
    creator.vpid = event.has(VPID) ? event.int64(VPID) : -1;
    creator.flags &= ~ThreadFlag.Invalid;
    machine.relate(creator);
    machine.changed(creator);
  }
  const flags = event.uint32(FLAGS);
  const apart = CL_CHILD_IN_PIDNS | CL_NEWPID | CL_PARENT;
  if (flags & apart || creator.tid !== creator.vtid) return;
  if (flags & CL_VFORK || event.code === VFORK) return;
  if (machine.exitedRecently(childTid, creator.tid, timeNs(event))) return;
  const existing = machine.threads.get(childTid);
  if (existing !== undefined) {
    if (existing.cloneFlags & CL_INVERTED) return;
    machine.remove(childTid);
  }
  const isThread = (flags & CL_THREAD) !== 0;
  const child = new Thread(childTid, isThread ? creator.pid : childTid);
  child.ptid = isThread ? creator.ptid : creator.tid;
  child.cloneFlags = isThread ? flags | CL_FILES : flags;
  if (isThread) child.lastExecTs = creator.lastExecTs;
  else if (known) inheritProcess(machine, child, creator);
  child.vtid = child.tid;
  child.vpid = child.pid;
  readCommon(machine, event, child, known ? creator : undefined);
  if (!isThread) {
    const process = machine.mainOf(creator);
    machine.births.bear(child, process && machine.births.of(process));
  }
  if (known) inheritThread(child, creator);
  else {
    creator.exe = child.exe;
    creator.comm = child.comm;
    creator.args = child.args;
    machine.changed(creator);
  }
  machine.add(child);
  if (existing !== undefined) context.thread = machine.find(event.tid);
}

function onChild(machine: Tables, context: Context): void {
  const { event } = context;
  const known = context.thread;
  if (known !== undefined && known.cloneTs !== 0n) {
    if (event.time() - known.cloneTs < STALE_NS) return;
    machine.remove(event.tid);
    context.thread = undefined;
  }
  const flags = event.uint32(FLAGS);
  const isThread = (flags & CL_THREAD) !== 0;
  const child = new Thread(event.tid, event.int64(PID));
  child.ptid = event.int64(PTID);
  child.vtid = event.has(VPID) ? event.int64(VTID) : child.tid;
  child.vpid = event.has(VPID) ? event.int64(VPID) : -1;
  child.cloneFlags = flags | CL_INVERTED | (isThread ? CL_FILES : 0);
  if (flags & CL_CHILD_IN_PIDNS) child.flags |= ThreadFlag.InPidNamespace;

  const makerPid = isThread ? 0 : toldMaker(event);
  const maker = makerPid === 0 ? undefined : makerOf(machine, event, makerPid);
  let model = machine.get(isThread ? child.pid : child.ptid);
  if (model === undefined) {
    context.thread = undefined;
    return;
  }
  if (maker?.thread !== undefined && model.pid !== makerPid) model = maker.thread;
  if (!isThread && isAdopted(machine, event, model, makerPid)) {
    context.thread = onAdopted(machine, event, child);
    if (context.thread !== undefined) noteMaker(machine, event, context.thread, makerPid, maker);
    return;
  }
  const modelKnown = !model.isInvalid;
  if (!modelKnown && isThread) {
    model.pid = child.pid;
    model.ptid = child.ptid;
    model.vpid = model.vtid = child.vpid;
    model.flags &= ~ThreadFlag.Invalid;
    machine.relate(model);
  }
  readCommon(machine, event, child, modelKnown ? model : undefined);
  if (modelKnown) {
    inheritThread(child, model);
    if (isThread) child.lastExecTs = model.lastExecTs;
    else inheritProcess(machine, child, model);
  } else if (isThread) {
    model.exe = child.exe;
    model.comm = child.comm;
    model.args = child.args;
    machine.changed(model);
  }
  const inside = flags & (CL_CHILD_IN_PIDNS | CL_NEWPID) || child.tid !== child.vtid;
  // Falco 0.44 takes the time since boot as it is.
  if (!inside) child.pidnsInitStartTs = 0n;
  else if (event.has(PIDNS_START)) child.pidnsInitStartTs = event.uint64(PIDNS_START);
  if (!isThread) noteMaker(machine, event, child, makerPid, maker);
  context.thread = machine.add(child);
}

/** The process that made the event's, as our own probe noted; 0: not told. */
function toldMaker(event: Event): number {
  if (!event.hasOwn) return 0;
  const index = event.own(OWN_PATH2);
  return event.paramLength(index) >= MAKER_BYTES ? event.uint32(index) : 0;
}

/** When it did, ns since the epoch. */
function madeNs(event: Event): number {
  const at = event.param(event.own(OWN_PATH2)) + 8;
  return event.view.getUint32(at + 4, true) * 0x1_0000_0000 + event.view.getUint32(at, true);
}

function makerOf(machine: Tables, event: Event, pid: number): Birth | undefined {
  const ns = madeNs(event);
  const found = machine.makerOf(pid, ns);
  if (found !== undefined || machine.lookUpNew(pid) === undefined) return found;
  return machine.makerOf(pid, ns);
}

/** Says who made a child; where the event does not, its parent counts as for one of a list. */
function noteMaker(
  machine: Tables,
  event: Event,
  child: Thread,
  makerPid: number,
  maker: Birth | undefined,
): void {
  if (makerPid !== 0) machine.births.bear(child, maker, madeNs(event));
  else if (child.cloneFlags & CL_PARENT) machine.births.bear(child, undefined);
}

/**
 * Whether a child was handed to another process before its own event came: its creator had ended,
 * as a daemon's does. Where nobody noted who that was, the child still has the creator's name; who
 * took it in has another.
 */
function isAdopted(machine: Tables, event: Event, parent: Thread, makerPid: number): boolean {
  if (!machine.isLive || parent.isInvalid) return false;
  if (makerPid !== 0) return parent.pid !== makerPid;
  return event.has(COMM) && machine.text(event, COMM) !== parent.comm;
}

/** A child of nobody known: as the machine has it, or, where it has gone on, by its event alone. */
function onAdopted(machine: Tables, event: Event, child: Thread): Thread | undefined {
  const found = machine.lookUpNew(event.tid);
  if (found === undefined) {
    readCommon(machine, event, child, undefined);
    return machine.add(child);
  }
  found.cloneTs = event.time();
  const comm = machine.text(event, COMM);
  if (found.comm !== comm) {
    // It runs another program by now: what that is, its execution will tell.
    found.comm = comm;
    found.exe = machine.text(event, EXE);
    found.exepath = EMPTY;
  }
  return found;
}

/** What the event itself says of the new thread; `model` saves copies of what it shares. */
function readCommon(
  machine: Tables,
  event: Event,
  child: Thread,
  model: Thread | undefined,
): void {
  child.reaperTid = -1;
  child.sid = child.vpgid = child.pgid = -1;
  child.exe = machine.text(event, EXE, model?.exe);
  child.comm = event.has(COMM) ? machine.text(event, COMM, model?.comm) : child.exe;
  child.args = bytesOf(machine, event, ARGS, model?.args ?? NO_BYTES);
  if (model !== undefined && child.args === model.args) child.lists = model.lists;
  child.fdLimit = event.has(FDLIMIT) ? BigInt.asIntN(64, event.uint64(FDLIMIT)) : 0n;
  if (event.has(VM_SWAP)) readMemory(event, child);
  child.uid = event.has(UID) ? event.uint32(UID) : 0;
  child.gid = event.has(GID) ? event.uint32(GID) : 0;
  child.cgroups = event.has(CGROUPS) ? machine.text(event, CGROUPS, model?.cgroups) : EMPTY;
  child.containerId = EMPTY;
  child.cloneTs = event.time();
}

/** Memory and page faults: the same parameters in the clone family and in exec. */
export function readMemory(event: Event, thread: Thread): void {
  thread.pageFaultsMajor = event.uint64(PGFT_MAJ);
  thread.pageFaultsMinor = event.uint64(PGFT_MIN);
  thread.vmSizeKb = event.uint32(VM_SIZE);
  thread.vmRssKb = event.uint32(VM_RSS);
  thread.vmSwapKb = event.uint32(VM_SWAP);
}

/** The parameter's bytes: `held` itself where it is equal, or long and the parameter its head. */
export function bytesOf(
  { seenBytes }: Tables,
  event: Event,
  index: number,
  held: Uint8Array,
): Uint8Array {
  if (isHead(event, index, held)) return held;
  const start = event.param(index);
  return seenBytes.of(event.view, event.bytes, start, event.paramLength(index), held);
}

/** What `bytesOf` would make of a child's arguments; `held`: those of its parent. */
export function argsAtBirth(event: Event, index: number, held: Uint8Array): Uint8Array {
  if (isHead(event, index, held)) return held;
  const start = event.param(index);
  return event.bytes.slice(start, start + event.paramLength(index));
}

/** Whether the parameter is the cut head of a long list; its last byte is the driver's. */
function isHead(event: Event, index: number, held: Uint8Array): boolean {
  const { bytes } = event;
  const start = event.param(index);
  const length = event.paramLength(index);
  if (held.length <= SHORT_BYTES || length < 2) return false;
  let at = 0;
  while (at < length - 1 && bytes[start + at] === held[at]) at++;
  return at === length - 1;
}

export const INHERITED = ThreadFlag.ExeWritable | ThreadFlag.ExeUpperLayer |
  ThreadFlag.ExeLowerLayer | ThreadFlag.ExeFromMemfd;

function inheritThread(child: Thread, from: Thread): void {
  child.exepath = from.exepath;
  child.flags |= from.flags & INHERITED;
  child.root = from.root;
  if (from.namespaces !== 0) {
    // Until its own event tells where it lives, it lives where its creator does.
    child.namespaces = from.namespaces;
    child.pidNamespace = from.pidNamespace;
    child.mountNamespace = from.mountNamespace;
    child.containerId = from.containerId;
  }
  child.sid = from.sid;
  child.vpgid = from.vpgid;
  child.pgid = from.pgid;
  child.tty = from.tty;
  child.loginuid = from.loginuid;
  child.capPermitted = from.capPermitted;
  child.capInheritable = from.capInheritable;
  child.capEffective = from.capEffective;
  child.exeIno = from.exeIno;
  child.exeInoCtime = from.exeInoCtime;
  child.exeInoMtime = from.exeInoMtime;
  child.exeAgeAtStart = from.exeAgeAtStart;
}

function inheritProcess(machine: Tables, child: Thread, from: Thread): void {
  child.fds = machine.fdsOf(from)?.copy();
  child.cwd = machine.cwdOf(from);
  const main = machine.mainOf(from);
  child.callerCwd = main?.callerCwd ?? MISSING;
  child.hostCwd = main?.hostCwd ?? MISSING;
  child.env = from.env;
}
