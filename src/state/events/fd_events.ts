// Descriptors of files, pipes and the kernel's other objects: how they are made, copied, closed.
import type { Event } from "../../events/event.ts";
import { OWN_FILES, OWN_PATH } from "../../events/event.ts";
import { codeOf } from "../../events/table.ts";
import type { Context } from "../contract/context.ts";
import {
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
import { succeeded } from "../tables/results.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";
import { callerName } from "./path_events.ts";
import type { Handler } from "./handler.ts";

const CREAT_UPPER_LAYER = 1;
const CREAT_LOWER_LAYER = 2;
const F_DUPFD = 1;
const F_SETFD = 3;
const F_DUPFD_CLOEXEC = 26;
const CLOSE_RANGE_CLOEXEC = 4;
const DUP3 = codeOf("SYSCALL_DUP3_X");
const PIPE2 = codeOf("SYSCALL_PIPE2_X");

/** The number that the call returned; -1 where it failed. */
function returned(event: Event): number {
  if (event.paramLength(0) < 8) return -1;
  const result = event.int64(0);
  return result < 0 ? -1 : result;
}

export function onOpen(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  const flags = event.has(2) ? event.uint32(2) : 0;
  opened(machine, context, number, AT_FDCWD, 1, flags, 4);
}

export function onCreat(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  let flags = 0;
  if (event.has(3) && event.has(4) && event.has(5)) {
    const layers = event.uint16(5);
    if (layers & CREAT_UPPER_LAYER) flags = FD_UPPER_LAYER;
    else if (layers & CREAT_LOWER_LAYER) flags = FD_LOWER_LAYER;
  }
  opened(machine, context, number, AT_FDCWD, 1, flags, 3);
}

/** The most frequent of all that open: it reads its parameters where they stand. */
export function onOpenat(machine: Tables, context: Context): void {
  const { event, thread } = context;
  const at = event.offsets(7);
  const { view } = event;
  if (thread === undefined || at[1]! - at[0]! < 8 || view.getInt32(at[0]! + 4, true) < 0) return;
  const number = view.getInt32(at[0]!, true);
  const end = at[3]!;
  const raw = at[2]! < end
    ? machine.strings.internView(
      view,
      event.bytes,
      at[2]!,
      event.bytes[end - 1] === 0 ? end - 1 : end,
    )
    : machine.unknownText;
  const flags = at[4]! - end >= 4 ? view.getUint32(end, true) : 0;
  const hasFile = at[6]! - at[5]! >= 4 && at[7]! - at[6]! >= 8;
  const dev = hasFile ? view.getUint32(at[5]!, true) : 0;
  const ino = hasFile ? event.inode(6) : 0;
  const dirfd = at[2]! - at[1]! >= 4 ? view.getInt32(at[1]!, true) : MISSING;
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
  const flags = event.has(3) ? event.uint32(3) : 0;
  const dirfd = event.has(1) ? event.int32(1) : MISSING;
  opened(machine, context, number, dirfd, 2, flags, 6);
}

export function onOpenByHandle(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0) return;
  const flags = event.has(2) ? event.uint32(2) : 0;
  opened(machine, context, number, MISSING, 3, flags, 4);
}

/** `dirfd` MISSING: the path is shown as it is. The inode follows the device at `devParam`. */
function opened(
  machine: Tables,
  context: Context,
  number: number,
  dirfd: number,
  pathParam: number,
  flags: number,
  devParam: number,
): void {
  const { event } = context;
  const raw = event.paramLength(pathParam) > 0
    ? machine.text(event, pathParam)
    : pathParam === 2
    ? machine.unknownText
    : EMPTY;
  const name = openedName(machine, event, context.thread!, dirfd, raw);
  let dev = 0;
  let ino: number | bigint = 0;
  if (event.paramLength(devParam) > 0 && event.paramLength(devParam + 1) > 0) {
    dev = event.uint32(devParam);
    ino = event.inode(devParam + 1);
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
  const at = event.offsets(1);
  if (at[1]! - at[0]! >= 8 && event.view.getInt32(at[0]! + 4, true) < 0) return;
  machine.pendingCloseFds = machine.fdsOf(context.thread!);
  machine.pendingClose = context.fdNumber;
}

export function onCloseRange(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !succeeded(event) || !event.has(2)) return;
  const fds = machine.fdsOf(thread);
  if (fds === undefined) return;
  const first = event.uint32(1);
  const last = event.uint32(2);
  const onlyMark = event.has(3) && (event.uint32(3) & CLOSE_RANGE_CLOEXEC) !== 0;
  for (const [number, fd] of [...fds.entries()]) {
    if (number < first || number > last) continue;
    if (!onlyMark) fds.delete(number);
    else fds.set(number, fd.withOpenFlags(fd.openFlags | O_CLOEXEC));
  }
}

/** The descriptor without, or with, its close-on-exec bit. */
function withCloexec(fd: Fd, cloexec: boolean): Fd {
  const flags = fd.openFlags & ~(O_CLOEXEC | KIND_CLOEXEC);
  return fd.withOpenFlags(cloexec ? flags | O_CLOEXEC : flags);
}

export function onDup(machine: Tables, context: Context): void {
  const { event, fd } = context;
  const number = returned(event);
  if (context.thread === undefined || fd === undefined || number < 0) return;
  const cloexec = event.code === DUP3 && event.has(3) && (event.uint32(3) & O_CLOEXEC) !== 0;
  machine.setFd(context, number, withCloexec(fd, cloexec));
}

export function onFcntl(machine: Tables, context: Context): void {
  const { event, fd } = context;
  if (fd === undefined) return;
  const at = event.offsets(4);
  if (at[2] === at[3]) return;
  const command = event.bytes[at[2]!]!;
  if (command !== F_DUPFD && command !== F_DUPFD_CLOEXEC && command !== F_SETFD) return;
  const number = returned(event);
  if (number < 0) return;
  if (command === F_SETFD) {
    const cloexec = at[3]! < at[4]! && (event.bytes[at[3]!]! & 1) !== 0;
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
  if (context.thread === undefined || !succeeded(event) || !event.has(2)) return;
  const fd = new Fd(FdKind.Pipe, EMPTY);
  if (event.has(3)) fd.ino = event.inode(3);
  if (event.code === PIPE2 && event.has(4)) fd.openFlags = event.uint32(4);
  machine.setFd(context, event.int32(1), fd);
  machine.setFd(context, event.int32(2), fd);
}

/**
 * A handler for a call that returns a nameless descriptor; `flags` reads its close-on-exec bits
 * in PPM_O_* terms from the event.
 */
export function onCreated(kind: FdKind, flags?: (event: Event) => number): Handler {
  return (machine, context) => {
    const number = returned(context.event);
    if (context.thread === undefined || number < 0) return;
    const fd = new Fd(kind, EMPTY);
    if (flags !== undefined) fd.openFlags = flags(context.event);
    machine.setFd(context, number, fd);
  };
}

/** Flags of calls whose parameter `index` holds them in PPM_O_* terms, `bytes` wide. */
export function flagsAt(index: number, bytes: 1 | 2): (event: Event) => number {
  return (event) => {
    if (!event.has(index)) return 0;
    return bytes === 1 ? event.uint8(index) : event.uint16(index);
  };
}

/** bpf returns a descriptor for some commands only. Falco takes every number for one. */
export function onBpf(machine: Tables, context: Context): void {
  const { event } = context;
  if (event.hasOwn && !event.has(event.own(OWN_FILES))) return;
  onBpfMade(machine, context);
}
const onBpfMade = onCreated(FdKind.Bpf);

export function epollFlags(event: Event): number {
  return event.has(1) && event.uint32(1) & KIND_CLOEXEC ? O_CLOEXEC : 0;
}

export function onMemfd(machine: Tables, context: Context): void {
  const { event } = context;
  if (context.thread === undefined) return;
  const number = returned(event);
  if (number < 0) {
    const unnamed = new Fd(FdKind.Unknown, EMPTY, EMPTY);
    machine.setFd(context, number, unnamed);
    machine.fdsToChange(context.thread)?.setFailed(event.int32(0), unnamed);
    return;
  }
  const fd = new Fd(FdKind.Memfd, machine.text(event, 1), EMPTY);
  if (event.has(2)) fd.openFlags = event.uint32(2);
  machine.setFd(context, number, fd);
}

export function onPidfdOpen(machine: Tables, context: Context): void {
  const { event } = context;
  const number = returned(event);
  if (context.thread === undefined || number < 0 || !event.has(1)) return;
  const pid = event.int64(1);
  const fd = new Fd(FdKind.Pidfd, machine.strings.internPassing(`/proc/${pid}`), EMPTY);
  fd.pid = pid;
  if (event.has(2)) fd.openFlags = event.uint32(2);
  machine.setFd(context, number, fd);
}

export function onPidfdGetfd(machine: Tables, context: Context): void {
  const { event, thread } = context;
  if (thread === undefined || !event.has(0) || !event.has(1) || !event.has(2)) return;
  const pidfd = machine.fdsOf(thread)?.get(event.int32(1));
  if (pidfd?.kind !== FdKind.Pidfd) return;
  const owner = machine.find(pidfd.pid);
  const target = owner === undefined ? undefined : machine.fdsOf(owner)?.get(event.int32(2));
  if (target === undefined) return;
  const number = event.int32(0);
  const fd = withCloexec(target, true);
  machine.setFd(context, number, fd);
  if (number < 0) machine.fdsToChange(thread)?.setFailed(number, fd);
}
