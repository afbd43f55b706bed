// Descriptors of files, pipes and the kernel's other objects: how they are made, copied, closed.
import type { Event } from "../../events/event.ts";
import { OWN_FILES, OWN_PATH } from "../../events/event.ts";
import { codeOf, EVENTS, positionsOf } from "../../events/table.ts";
import type { Context } from "../contract/context.ts";
import {
  cloexecBits,
  Fd,
  FD_LOWER_LAYER,
  FD_UPPER_LAYER,
  FdKind,
  KIND_CLOEXEC,
  newFile,
  O_CLOEXEC,
} from "../tables/fd.ts";
import type { Tables } from "../tables/tables.ts";
import { AT_FDCWD } from "../tables/paths.ts";
import { RESULT, succeeded } from "../tables/results.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";
import { callerName } from "./path_events.ts";
import type { Handler } from "./handler.ts";

const CREAT_UPPER_LAYER = 1;
const CREAT_LOWER_LAYER = 2;
const F_DUPFD = 1;
const F_SETFD = 3;
const F_DUPFD_CLOEXEC = 26;
const FD_CLOEXEC = 1;
const CLOSE_RANGE_CLOEXEC = 4;
const DUP3 = codeOf("SYSCALL_DUP3_X");
const PIPE2 = codeOf("SYSCALL_PIPE2_X");

const OPEN = positionsOf("SYSCALL_OPEN_X", "name", "flags", "dev", "ino");
const CREAT = positionsOf("SYSCALL_CREAT_X", "name", "dev", "ino", "creat_flags");
const {
  fd: OPENAT_FD,
  dirfd: OPENAT_DIRFD,
  name: OPENAT_NAME,
  flags: OPENAT_FLAGS,
  mode: OPENAT_MODE,
  dev: OPENAT_DEV,
  ino: OPENAT_INO,
} = positionsOf(
  "SYSCALL_OPENAT_2_X",
  ...["fd", "dirfd", "name", "flags", "mode", "dev", "ino"] as const,
);
const OPENAT2 = positionsOf("SYSCALL_OPENAT2_X", "dirfd", "name", "flags", "dev", "ino");
const BY_HANDLE = positionsOf("SYSCALL_OPEN_BY_HANDLE_AT_X", "flags", "path", "dev", "ino");
const CLOSE_RANGE = positionsOf("SYSCALL_CLOSE_RANGE_X", "first", "last", "flags");
const { flags: DUP3_FLAGS } = positionsOf("SYSCALL_DUP3_X", "flags");
const { cmd: FCNTL_COMMAND, arg: FCNTL_ARGUMENT } = positionsOf("SYSCALL_FCNTL_X", "cmd", "arg");
const PIPE = positionsOf(["SYSCALL_PIPE_X", "SYSCALL_PIPE2_X"], "fd1", "fd2", "ino");
const { flags: PIPE2_FLAGS } = positionsOf("SYSCALL_PIPE2_X", "flags");
const { flags: EPOLL_FLAGS } = positionsOf("SYSCALL_EPOLL_CREATE1_X", "flags");
const MEMFD = positionsOf("SYSCALL_MEMFD_CREATE_X", "name", "flags");
const PIDFD = positionsOf("SYSCALL_PIDFD_OPEN_X", "pid", "flags");
const PIDFD_GETFD = positionsOf("SYSCALL_PIDFD_GETFD_X", "pid_fd", "target_fd");

/** The number that the call returned; -1 where it failed. */
function returned(event: Event): number {
  if (event.paramLength(RESULT) < 8) return -1;
  const result = event.int64(RESULT);
  return result < 0 ? -1 : result;
}

export function onOpen(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  const flags = event.has(OPEN.flags) ? event.uint32(OPEN.flags) : 0;
  opened(machine, context, number, AT_FDCWD, OPEN.name, flags, OPEN);
}

export function onCreat(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  let flags = 0;
  const { name, dev, ino, creat_flags } = CREAT;
  if (event.has(dev) && event.has(ino) && event.has(creat_flags)) {
    const layers = event.uint16(creat_flags);
    if (layers & CREAT_UPPER_LAYER) flags = FD_UPPER_LAYER;
    else if (layers & CREAT_LOWER_LAYER) flags = FD_LOWER_LAYER;
  }
  opened(machine, context, number, AT_FDCWD, name, flags, CREAT);
}

/** The most frequent of all that open: it reads its parameters where they stand. */
export function onOpenat(machine: Tables, context: Context): void {
  const { event, thread } = context;
  const at = event.offsets(OPENAT_INO + 1);
  const { view } = event;
  // A parameter ends where the one behind it begins.
  const fdAt = at[OPENAT_FD]!;
  const dirfdAt = at[OPENAT_DIRFD]!;
  const nameAt = at[OPENAT_NAME]!;
  const end = at[OPENAT_FLAGS]!;
  if (thread === undefined || dirfdAt - fdAt < 8 || view.getInt32(fdAt + 4, true) < 0) return;
  const number = view.getInt32(fdAt, true);
  const raw = nameAt < end
    ? machine.strings.internView(
      view,
      event.bytes,
      nameAt,
      event.bytes[end - 1] === 0 ? end - 1 : end,
    )
    : machine.unknownText;
  const flags = at[OPENAT_MODE]! - end >= 4 ? view.getUint32(end, true) : 0;
  const devAt = at[OPENAT_DEV]!;
  const inoAt = at[OPENAT_INO]!;
  const hasFile = inoAt - devAt >= 4 && at[OPENAT_INO + 1]! - inoAt >= 8;
  const dev = hasFile ? view.getUint32(devAt, true) : 0;
  const ino = hasFile ? event.inode(OPENAT_INO) : 0;
  const dirfd = nameAt - dirfdAt >= 4 ? view.getInt32(dirfdAt, true) : MISSING;
  const name = openedName(machine, event, thread, dirfd, raw);
  const fd = newFile(name, raw, flags, dev, ino);
  if (event.hasOwn) {
    fd.kernelName = openedPath(machine, event);
    fd.callerName = callerName(machine, thread, dirfd, raw, name);
  }
  machine.setFd(context, number, fd);
}

export function onOpenat2(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  const flags = event.has(OPENAT2.flags) ? event.uint32(OPENAT2.flags) : 0;
  const dirfd = event.has(OPENAT2.dirfd) ? event.int32(OPENAT2.dirfd) : MISSING;
  opened(machine, context, number, dirfd, OPENAT2.name, flags, OPENAT2);
}

export function onOpenByHandle(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  const flags = event.has(BY_HANDLE.flags) ? event.uint32(BY_HANDLE.flags) : 0;
  opened(machine, context, number, MISSING, BY_HANDLE.path, flags, BY_HANDLE);
}

/** `dirfd` MISSING: the path is shown as it is. */
function opened(
  machine: Tables,
  context: Context,
  number: number,
  dirfd: number,
  pathParam: number,
  flags: number,
  file: { readonly dev: number; readonly ino: number },
): void {
  const { event } = context;
  const raw = event.paramLength(pathParam) > 0
    ? machine.text(event, pathParam)
    : pathParam === OPENAT2.name
    ? machine.unknownText
    : EMPTY;
  const name = openedName(machine, event, context.thread!, dirfd, raw);
  let dev = 0;
  let ino: number | bigint = 0;
  if (event.has(file.dev) && event.has(file.ino)) {
    dev = event.uint32(file.dev);
    ino = event.inode(file.ino);
  }
  const fd = newFile(name, raw, flags, dev, ino);
  if (event.hasOwn) {
    fd.kernelName = openedPath(machine, event);
    fd.callerName = callerName(machine, context.thread!, dirfd, raw, name);
  }
  machine.setFd(context, number, fd);
}

/** Id of the path that the kernel opened; MISSING where the event has none. */
function openedPath(machine: Tables, event: Event): number {
  const index = event.own(OWN_PATH);
  return event.has(index) ? machine.text(event, index) : MISSING;
}

/** The path that the kernel opened; where it is not told, or not asked for, the caller's. */
function openedName(
  machine: Tables,
  event: Event,
  thread: Thread,
  dirfd: number,
  raw: number,
): number {
  const opened = machine.kernelPath(event, OWN_PATH);
  if (opened !== MISSING) return opened;
  if (dirfd === MISSING) return machine.paths.join(EMPTY, raw);
  return machine.pathAt(thread, dirfd, raw);
}

export function onClose(machine: Tables, context: Context): void {
  if (context.fd === undefined) return;
  const { event } = context;
  const at = event.offsets(RESULT + 1);
  const from = at[RESULT]!;
  if (at[RESULT + 1]! - from >= 8 && event.view.getInt32(from + 4, true) < 0) return;
  machine.pendingCloseFds = machine.fdsOf(context.thread!);
  machine.pendingClose = context.fdNumber;
}

export function onCloseRange(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event) || !event.has(CLOSE_RANGE.last)) return;
  const fds = machine.fdsOf(thread);
  if (fds === undefined) return;
  const first = event.uint32(CLOSE_RANGE.first);
  const last = event.uint32(CLOSE_RANGE.last);
  const { flags } = CLOSE_RANGE;
  const onlyMark = event.has(flags) && (event.uint32(flags) & CLOSE_RANGE_CLOEXEC) !== 0;
  for (const [number, fd] of [...fds.entries()]) {
    if (number < first || number > last) continue;
    if (!onlyMark) fds.delete(number);
    else fds.set(number, fd.withOpenFlags(fd.openFlags | O_CLOEXEC));
  }
}

/** The descriptor without, or with, its close-on-exec bit. */
function withCloexec(fd: Fd, cloexec: boolean): Fd {
  const flags = fd.openFlags & ~cloexecBits(fd);
  return fd.withOpenFlags(cloexec ? flags | O_CLOEXEC : flags);
}

export function onDup(machine: Tables, context: Context): void {
  const { event, fd } = context;
  const number = returned(event);
  if (context.thread === undefined || fd === undefined || number < 0) return;
  const cloexec = event.code === DUP3 && event.has(DUP3_FLAGS) &&
    (event.uint32(DUP3_FLAGS) & O_CLOEXEC) !== 0;
  machine.setFd(context, number, withCloexec(fd, cloexec));
}

export function onFcntl(machine: Tables, context: Context): void {
  const { event, fd } = context;
  if (fd === undefined) return;
  const at = event.offsets(FCNTL_ARGUMENT + 1);
  const commandAt = at[FCNTL_COMMAND]!;
  const argumentAt = at[FCNTL_ARGUMENT]!;
  if (commandAt === argumentAt) return;
  const command = event.bytes[commandAt]!;
  if (command !== F_DUPFD && command !== F_DUPFD_CLOEXEC && command !== F_SETFD) return;
  const number = returned(event);
  if (number < 0) return;
  if (command === F_SETFD) {
    const cloexec = argumentAt < at[FCNTL_ARGUMENT + 1]! &&
      (event.bytes[argumentAt]! & FD_CLOEXEC) !== 0;
    const changed = withCloexec(fd, cloexec);
    if (changed === fd) return;
    machine.fdsOf(context.thread!)?.set(context.fdNumber, changed);
    context.fd = changed;
    return;
  }
  machine.setFd(context, number, withCloexec(fd, command === F_DUPFD_CLOEXEC));
}

export function onPipe(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined || !succeeded(event) || !event.has(PIPE.fd2)) return;
  const fd = new Fd(FdKind.Pipe, EMPTY);
  if (event.has(PIPE.ino)) fd.ino = event.inode(PIPE.ino);
  if (event.code === PIPE2 && event.has(PIPE2_FLAGS)) fd.openFlags = event.uint32(PIPE2_FLAGS);
  machine.setFd(context, event.int32(PIPE.fd1), fd);
  machine.setFd(context, event.int32(PIPE.fd2), fd);
}

/**
 * A handler for the call of that id, which returns a nameless descriptor; `flags` is the parameter
 * that holds its close-on-exec bits in PPM_O_* terms.
 */
export function onCreated(id: string, kind: FdKind, flags?: string): Handler {
  return onCreatedWith(kind, flags === undefined ? undefined : flagsOf(id, flags));
}

function onCreatedWith(kind: FdKind, flags?: (event: Event) => number): Handler {
  return (machine, context) => {
    const number = returned(context.event);
    if (context.thread === undefined || number < 0) return;
    const fd = new Fd(kind, EMPTY);
    if (flags !== undefined) fd.openFlags = flags(context.event);
    machine.setFd(context, number, fd);
  };
}

/** Reads a parameter of flags, as wide as the table says. */
function flagsOf(id: string, name: string): (event: Event) => number {
  const index = positionsOf(id, name)[name]!;
  const { type } = EVENTS[codeOf(id)]!.params[index]!;
  if (type === "UINT8") return (event) => event.has(index) ? event.uint8(index) : 0;
  if (type === "FLAGS16") return (event) => event.has(index) ? event.uint16(index) : 0;
  throw new Error(`${id}: ${name} has the type ${type}, expected UINT8 or FLAGS16`);
}

/** bpf returns a descriptor for some commands only. Falco takes every number for one. */
export function onBpf(machine: Tables, context: Context): void {
  const { event } = context;
  if (event.hasOwn && !event.has(event.own(OWN_FILES))) return;
  onBpfMade(machine, context);
}
const onBpfMade = onCreatedWith(FdKind.Bpf);

/** Its flags are of their own kind. */
export const onEpollCreate1 = onCreatedWith(
  FdKind.EventPoll,
  (event) => event.has(EPOLL_FLAGS) && event.uint32(EPOLL_FLAGS) & KIND_CLOEXEC ? O_CLOEXEC : 0,
);

export function onMemfd(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined) return;
  const number = returned(event);
  if (number < 0) {
    const unnamed = new Fd(FdKind.Unknown, EMPTY, EMPTY);
    machine.setFd(context, number, unnamed);
    machine.fdsToChange(context.thread)?.setFailed(event.int32(RESULT), unnamed);
    return;
  }
  const fd = new Fd(FdKind.Memfd, machine.text(event, MEMFD.name), EMPTY);
  if (event.has(MEMFD.flags)) fd.openFlags = event.uint32(MEMFD.flags);
  machine.setFd(context, number, fd);
}

export function onPidfdOpen(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0 || !event.has(PIDFD.pid)) return;
  const pid = event.int64(PIDFD.pid);
  const fd = new Fd(FdKind.Pidfd, machine.strings.internPassing(`/proc/${pid}`), EMPTY);
  fd.pid = pid;
  if (event.has(PIDFD.flags)) fd.openFlags = event.uint32(PIDFD.flags);
  machine.setFd(context, number, fd);
}

export function onPidfdGetfd(machine: Tables, context: Context): void {
  const { event, thread } = context;
  const { pid_fd, target_fd } = PIDFD_GETFD;
  if (thread === undefined || !event.has(RESULT)) return;
  if (!event.has(pid_fd) || !event.has(target_fd)) return;
  const pidfd = machine.fdsOf(thread)?.get(event.int32(pid_fd));
  if (pidfd?.kind !== FdKind.Pidfd) return;
  const owner = machine.find(pidfd.pid);
  const target = owner === undefined
    ? undefined
    : machine.fdsOf(owner)?.get(event.int32(target_fd));
  if (target === undefined) return;
  const number = event.int32(RESULT);
  const fd = withCloexec(target, true);
  machine.setFd(context, number, fd);
  if (number < 0) machine.fdsToChange(thread)?.setFailed(number, fd);
}
