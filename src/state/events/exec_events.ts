// What a process becomes: another program, another user, another directory, or nothing.
import { type Event, OWN_PATH } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";
import { readMemory } from "./clone_events.ts";
import { readLists } from "./exec_lists.ts";
import { CL_INVERTED, CL_NEWUSER } from "../tables/clone_flags.ts";
import type { Context } from "../contract/context.ts";
import { Differs } from "../contract/views.ts";
import type { Entry } from "../tables/entries.ts";
import { isClosedOnExec } from "../tables/fd.ts";
import type { Tables } from "../tables/tables.ts";
import { settleIn } from "../tables/residence.ts";
import { RESULT, succeeded, timeNs } from "../tables/results.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import { type Thread, ThreadFlag } from "../tables/thread.ts";
import type { Handler } from "./handler.ts";
import { moveResidence, takeResidence } from "./residence_events.ts";

const {
  exe: EXE,
  args: ARGS,
  pid: PID,
  ptid: PTID,
  fdlimit: FDLIMIT,
  vm_swap: VM_SWAP,
  comm: COMM,
  cgroups: CGROUPS,
  env: ENV,
  tty: TTY,
  vpgid: VPGID,
  loginuid: LOGINUID,
  flags: FLAGS,
  cap_inheritable: CAP_INHERITABLE,
  cap_permitted: CAP_PERMITTED,
  cap_effective: CAP_EFFECTIVE,
  exe_ino: EXE_INO,
  exe_ino_ctime: EXE_INO_CTIME,
  exe_ino_mtime: EXE_INO_MTIME,
  uid: UID,
  trusted_exepath: EXEPATH,
  pgid: PGID,
  gid: GID,
} = positionsOf(
  ["SYSCALL_EXECVE_19_X", "SYSCALL_EXECVEAT_X"],
  ...["exe", "args", "pid", "ptid", "fdlimit", "vm_swap", "comm", "cgroups", "env", "tty"] as const,
  ...["vpgid", "loginuid", "flags", "cap_inheritable", "cap_permitted", "cap_effective"] as const,
  ...["exe_ino", "exe_ino_ctime", "exe_ino_mtime", "uid", "trusted_exepath", "pgid"] as const,
  "gid",
);
/** Of execve alone: an event of execveat has no such parameter. */
const { filename: FILENAME } = positionsOf("SYSCALL_EXECVE_19_X", "filename");
const { pathname: ENTRY_PATH } = positionsOf("SYSCALL_EXECVEAT_E", "pathname");
const { reaper_tid: REAPER } = positionsOf("PROCEXIT_1_E", "reaper_tid");
const { path: DIRECTORY } = positionsOf(
  ["SYSCALL_CHDIR_X", "SYSCALL_GETCWD_X", "SYSCALL_CHROOT_X"],
  "path",
);
const PRCTL = positionsOf("SYSCALL_PRCTL_X", "option", "arg2_int");
const CAPSET = positionsOf(
  "SYSCALL_CAPSET_X",
  ...["cap_inheritable", "cap_permitted", "cap_effective"] as const,
);
const { flags: UNSHARED } = positionsOf("SYSCALL_UNSHARE_X", "flags");
const { nstype: NSTYPE } = positionsOf("SYSCALL_SETNS_X", "nstype");
const RLIMIT = positionsOf(
  ["SYSCALL_GETRLIMIT_X", "SYSCALL_SETRLIMIT_X"],
  "cur",
  "resource",
);
const PRLIMIT = positionsOf("SYSCALL_PRLIMIT_X", "newcur", "pid", "resource");
const MEMORY = positionsOf(
  ["SYSCALL_BRK_4_X", "SYSCALL_MMAP_X", "SYSCALL_MMAP2_X", "SYSCALL_MUNMAP_X"],
  ...["vm_size", "vm_rss", "vm_swap"] as const,
);
const SWITCH = positionsOf(
  "SCHEDSWITCH_6_E",
  ...["pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap"] as const,
);

/** Of the parameter of flags. */
export const EXE_FLAGS: readonly (readonly [bit: number, flag: ThreadFlag])[] = [
  [1, ThreadFlag.ExeWritable],
  [2, ThreadFlag.ExeUpperLayer],
  [4, ThreadFlag.ExeFromMemfd],
  [8, ThreadFlag.ExeLowerLayer],
];
/** Capabilities 0 to 40, which a new user namespace gives. */
const ALL_CAPABILITIES = (1n << 41n) - 1n;
/** Falco's number for it. */
const AT_EMPTY_PATH = 1;
const RLIMIT_NOFILE = 7;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const UNSHARE = codeOf("SYSCALL_UNSHARE_X");

function returnedZero(event: Event): boolean {
  return !event.has(RESULT) || event.int64(RESULT) === 0;
}

export function onExec(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event) || event.paramCount <= FDLIMIT) return;
  if (thread.isDead) {
    thread.flags &= ~ThreadFlag.Dead;
    if (thread.group !== undefined) thread.group.alive++;
  }
  if (thread.birth !== undefined) machine.births.executes(thread);
  thread.exe = machine.text(event, EXE);
  thread.lastExecTs = event.time();
  thread.comm = event.has(COMM) ? machine.text(event, COMM) : thread.exe;
  readLists(machine, event, thread, ARGS, ENV);
  if (event.has(PID)) thread.pid = event.int64(PID);
  if (thread.isInvalid) {
    thread.ptid = event.int64(PTID);
    if ((thread.flags & ThreadFlag.InPidNamespace) === 0) {
      thread.vtid = thread.tid;
      thread.vpid = thread.pid;
    }
    thread.flags &= ~ThreadFlag.Invalid;
    machine.relate(thread);
  }
  if (event.has(FDLIMIT)) thread.fdLimit = BigInt.asIntN(64, event.uint64(FDLIMIT));
  if (event.has(VM_SWAP)) readMemory(event, thread);
  if (event.has(CGROUPS)) thread.cgroups = machine.text(event, CGROUPS, thread.cgroups);
  readIdentity(machine, event, thread);
  takeResidence(machine, event, thread, true);
  if (machine.bothPaths && event.hasOwn) noteProgram(machine, context, thread);
  dropClosedOnExec(machine, thread);
  thread.flags &= ~ThreadFlag.InPidNamespace;
  thread.cloneFlags &= CL_INVERTED;
  dropOtherThreads(machine, thread);
  machine.changed(thread);
}

function readIdentity(machine: Tables, event: Event, thread: Thread): void {
  if (event.has(TTY)) thread.tty = event.uint32(TTY);
  thread.exepath = exepathOf(machine, event, thread);
  if (event.has(VPGID)) thread.vpgid = event.int64(VPGID);
  if (event.has(LOGINUID)) thread.loginuid = event.uint32(LOGINUID);
  if (event.has(FLAGS)) {
    const flags = event.uint32(FLAGS);
    for (const [bit, flag] of EXE_FLAGS) {
      if (flags & bit) thread.flags |= flag;
      else thread.flags &= ~flag;
    }
  }
  if (event.has(CAP_EFFECTIVE)) {
    thread.capInheritable = event.uint64(CAP_INHERITABLE);
    thread.capPermitted = event.uint64(CAP_PERMITTED);
    thread.capEffective = event.uint64(CAP_EFFECTIVE);
  }
  if (event.has(EXE_INO_MTIME)) {
    thread.exeIno = event.uint64(EXE_INO);
    thread.exeInoCtime = event.uint64(EXE_INO_CTIME);
    thread.exeInoMtime = event.uint64(EXE_INO_MTIME);
    thread.noteProgramAges();
  }
  if (event.has(UID)) thread.uid = event.uint32(UID);
  thread.pgid = event.has(PGID) ? event.int64(PGID) : -1;
  if (event.has(GID)) thread.gid = event.uint32(GID);
}

/** The kernel's path; on old captures the caller's, joined with the directory that it is in. */
function exepathOf(machine: Tables, event: Event, thread: Thread): number {
  const entry = machine.entries.takeExecveat(event.tid);
  if (event.has(EXEPATH)) return machine.paths.withoutDeleted(machine.text(event, EXEPATH));
  if (entry !== undefined) {
    return machine.paths.withoutDeleted(execveatPath(machine, thread, entry));
  }
  if (!event.has(FILENAME)) return thread.exepath;
  const name = machine.text(event, FILENAME);
  if (name === machine.unknownText) return name;
  return machine.paths.withoutDeleted(machine.paths.join(machine.cwdOf(thread), name));
}

/** The file that the caller named, where that is not the program which the kernel runs: a link, or
 * a script. */
function noteProgram(machine: Tables, context: Context, thread: Thread): void {
  const { event } = context;
  if (!event.has(FILENAME)) return;
  const named = machine.paths.join(machine.cwdOf(thread, true), machine.text(event, FILENAME));
  if (named === thread.exepath || named === EMPTY) return;
  context.callerProgram = named;
  context.differs |= Differs.Program;
}

function execveatPath(machine: Tables, thread: Thread, entry: Entry): number {
  const { dirfd, path, flags } = entry;
  const directory = machine.directoryOf(thread, dirfd, path);
  const isEmpty = (flags & AT_EMPTY_PATH) !== 0;
  const unknown = directory === machine.unknownDirectory;
  if (unknown || (!isEmpty && path === machine.unknownText)) return machine.unknownText;
  // The descriptor is the program itself: its name, the slash behind it taken off again.
  if (isEmpty) return machine.paths.join(EMPTY, directory);
  return machine.paths.join(directory, path);
}

/** An old capture's execveat begins. */
export function onExecveatEntry(machine: Tables, { event, thread }: Context): void {
  if (thread === undefined) return;
  machine.entries.keep(
    event,
    event.has(ENTRY_PATH) ? machine.text(event, ENTRY_PATH) : machine.unknownText,
  );
}

function dropClosedOnExec(machine: Tables, thread: Thread): void {
  machine.fdsOf(thread)?.deleteEach(isClosedOnExec);
}

/** An exec ends all threads of the process but the one that made it. */
function dropOtherThreads(machine: Tables, thread: Thread): void {
  const group = thread.group;
  if (group === undefined || group.others.length === 0 || group.alive <= 1) return;
  for (const other of [...group.others]) {
    if (other !== thread) machine.remove(other.tid);
  }
}

export function onExit(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined) return;
  if (thread.group !== undefined && !thread.isDead) thread.group.alive--;
  thread.flags |= ThreadFlag.Dead;
  machine.pendingExit = event.tid;
  machine.pendingExitNs = timeNs(event);
  if (thread.firstChild === undefined) return;
  if (event.paramCount <= REAPER) thread.reaperTid = -1;
  else if (event.has(REAPER)) thread.reaperTid = event.int64(REAPER);
}

export function onChdir(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event)) return;
  const said = machine.text(event, DIRECTORY);
  const went = machine.kernelPath(event, OWN_PATH);
  const callerPath = event.hasOwn && machine.bothPaths ? said : MISSING;
  setCwd(machine, thread, went === MISSING ? said : went, callerPath);
}

export function onFchdir(machine: Tables, context: Context): void {
  const { event, thread, fd } = context;
  if (thread === undefined || !succeeded(event)) return;
  const went = machine.kernelPath(event, OWN_PATH);
  if (went === MISSING) {
    if (fd !== undefined) setCwd(machine, thread, fd.name, fd.callerName);
    return;
  }
  // The table's name of another directory than the kernel's says nothing.
  setCwd(machine, thread, went, fd?.name === went ? fd.callerName : MISSING);
}

export function onGetcwd(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread !== undefined && succeeded(event)) {
    const path = machine.text(event, DIRECTORY);
    setCwd(machine, thread, path, MISSING, machine.mainOf(thread)?.hostCwd);
  }
}

/** `callerPath`: the same in the caller's words; MISSING: there are no others. `hostCwd`: as the
 * host sees it; where it is left out, the event says. */
function setCwd(
  machine: Tables,
  thread: Thread,
  path: number,
  callerPath = MISSING,
  hostCwd = hostDirectory(machine),
): void {
  const main = machine.mainOf(thread);
  if (main === undefined) return;
  const cwd = machine.paths.joinDirectory(thread.cwd, path);
  let callerCwd = MISSING;
  if (callerPath !== MISSING) {
    callerCwd = machine.paths.joinDirectory(machine.cwdOf(thread, true), callerPath);
    if (callerCwd === cwd) callerCwd = MISSING;
  }
  const onHost = hostCwd === cwd ? MISSING : hostCwd;
  if (cwd === main.cwd && callerCwd === main.callerCwd && onHost === main.hostCwd) return;
  main.cwd = cwd;
  main.callerCwd = callerCwd;
  main.hostCwd = onHost;
  machine.changed(main);
  if (thread !== main) thread.version++;
}

/** The event's directory as the host sees it; MISSING: not otherwise than its process. */
function hostDirectory({ bothPaths, further, paths }: Tables): number {
  if (!bothPaths || !further.isAny || further.host === MISSING) return MISSING;
  return paths.joinDirectory(EMPTY, further.host);
}

export function onChroot(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !returnedZero(event)) return;
  const path = machine.text(event, DIRECTORY);
  thread.root = path === EMPTY || machine.strings.byteAt(path, 0) === 47
    ? path
    : machine.paths.join(machine.cwdOf(thread), path);
  settleIn(machine, thread, thread.containerId, false);
  machine.changed(thread);
}

export function onSetsid(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !event.has(RESULT) || event.int64(RESULT) < 0) return;
  thread.sid = event.int64(RESULT);
  machine.changed(thread);
}

export function onPrctl(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread?.group === undefined || thread.isInvalid || !succeeded(event)) return;
  if (!event.has(PRCTL.option) || !event.has(PRCTL.arg2_int)) return;
  const option = event.uint32(PRCTL.option);
  if (option !== PR_SET_CHILD_SUBREAPER && option !== PR_GET_CHILD_SUBREAPER) return;
  thread.group.reaper = event.int64(PRCTL.arg2_int) !== 0;
  if (thread.group.reaper) thread.flags |= ThreadFlag.Subreaper;
  else thread.flags &= ~ThreadFlag.Subreaper;
  machine.changed(thread);
}

export function onCapset(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event)) return;
  if (!event.has(CAPSET.cap_effective)) return;
  thread.capInheritable = event.uint64(CAPSET.cap_inheritable);
  thread.capPermitted = event.uint64(CAPSET.cap_permitted);
  thread.capEffective = event.uint64(CAPSET.cap_effective);
  machine.changed(thread);
}

export function onUnshareOrSetns(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event)) return;
  if (moveResidence(machine, event, thread)) machine.changed(thread);
  const index = event.code === UNSHARE ? UNSHARED : NSTYPE;
  if (!event.has(index) || (event.uint32(index) & CL_NEWUSER) === 0) return;
  thread.capInheritable = thread.capPermitted = thread.capEffective = ALL_CAPABILITIES;
  machine.changed(thread);
}

/** A handler for the call of that id, which sets the effective user or group. */
export function onSetId(id: string, what: "uid" | "gid", name: string): Handler {
  const param = positionsOf(id, name)[name]!;
  return (machine, context) => {
    const { event, thread } = context;
    if (thread === undefined || !returnedZero(event) || !event.has(param)) return;
    thread[what] = event.uint32(param);
    machine.changed(thread);
  };
}

export function onRlimit(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event)) return;
  if (!event.has(RLIMIT.resource) || !event.has(RLIMIT.cur)) return;
  if (event.uint8(RLIMIT.resource) !== RLIMIT_NOFILE) return;
  setFdLimit(machine, thread, event.uint64(RLIMIT.cur));
}

export function onPrlimit(machine: Tables, context: Context): void {
  const { event } = context;
  const { newcur, pid, resource } = PRLIMIT;
  if (!returnedZero(event) || !event.has(resource) || !event.has(pid)) return;
  if (!event.has(newcur) || event.uint8(resource) !== RLIMIT_NOFILE) return;
  const thread = machine.find(event.int64(pid) || event.tid);
  if (thread === undefined || thread.isInvalid) return;
  setFdLimit(machine, thread, event.uint64(newcur));
}

function setFdLimit(machine: Tables, thread: Thread, told: bigint): void {
  const limit = BigInt.asIntN(64, told);
  const main = machine.mainOf(thread);
  if (limit === -1n || main === undefined || main.fdLimit === limit) return;
  main.fdLimit = limit;
  machine.changed(main);
}

/** brk, mmap, munmap. */
export function onMemory(_machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined) return;
  if (event.has(MEMORY.vm_size)) thread.vmSizeKb = event.uint32(MEMORY.vm_size);
  if (!event.has(MEMORY.vm_swap)) return;
  thread.vmRssKb = event.uint32(MEMORY.vm_rss);
  thread.vmSwapKb = event.uint32(MEMORY.vm_swap);
}

export function onSwitch(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !event.has(SWITCH.vm_swap)) return;
  thread.pageFaultsMajor = event.uint64(SWITCH.pgft_maj);
  thread.pageFaultsMinor = event.uint64(SWITCH.pgft_min);
  const main = machine.mainOf(thread);
  if (main === undefined) return;
  main.vmSizeKb = event.uint32(SWITCH.vm_size);
  main.vmRssKb = event.uint32(SWITCH.vm_rss);
  main.vmSwapKb = event.uint32(SWITCH.vm_swap);
}
