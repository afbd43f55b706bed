// Descriptors as the kernel has them, held against the table. In: an event of our own drivers with
// its records (events/own_files.ts). Out: a table whose entries for those numbers are true.
//
// An entry is of an event that was seen, and a number can be used again by what no event tells: a
// descriptor that another process sent, io_uring, a lost event, a close that is not recorded. So
// the record is believed. An entry of the same open file stays, since it knows more: the name that
// the program gave, who of two ends is the client. Any other is made anew from the record.
import type { Event } from "../../events/event.ts";
import { KIND_NONE, type OwnFiles } from "../../events/own_files.ts";
import type { Context } from "../contract/context.ts";
import { Fd, FD_LOWER_LAYER, FD_UPPER_LAYER, FdFlag, FdKind } from "../tables/fd.ts";
import type { FdTable } from "../tables/fd_table.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Tables } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";
import { isSameSocket, isSocket, leadSocket, makeSocket } from "./socket_truth.ts";

/** What the call took, before its event is applied. Returns whether there are descriptors. */
export function before(tables: Tables, event: Event, thread: Thread): boolean {
  const { files, further } = tables;
  if (!files.begin(event)) return false;
  let fds = tables.fdsOf(thread);
  let isTold = false;
  further.number = -1;
  while (files.next()) {
    if (!files.isDescriptor) {
      further.take(tables.strings, files, event);
      continue;
    }
    isTold = true;
    if (files.isOwn) further.number = files.number;
    if (files.made) continue;
    const known = fds?.get(files.number);
    if (files.kind === KIND_NONE) {
      if (known === undefined) continue;
      tables.counts.fdsReplaced++;
      fds!.delete(files.number);
      continue;
    }
    fds ??= tables.fdsToChange(thread);
    if (fds !== undefined) settle(tables, files, fds, known, event);
  }
  return isTold;
}

/** What the call made, and where a socket leads now, when the event is applied. */
export function after(tables: Tables, context: Context): void {
  const { files } = tables;
  const { event, thread } = context;
  if (thread === undefined || !files.begin(event)) return;
  const fds = tables.fdsToChange(thread);
  while (fds !== undefined && files.next()) {
    if (files.kind === KIND_NONE || !files.isDescriptor) continue;
    const { number } = files;
    const known = fds.get(number);
    let fd = known;
    if (files.made) fd = settle(tables, files, fds, known, event);
    if (fd !== undefined && isSocket(files.kind)) {
      fd = leadSocket(tables, files, fds, fd, event);
    }
    if (context.fdNumber === number && fd !== undefined) context.fd = fd;
  }
}

/** Gives the event's further names to the context, and to the descriptor whose file they are of. */
export function noteFurther(tables: Tables, context: Context): void {
  if (!tables.bothPaths) return;
  const { host, host2, inode, number } = tables.further;
  context.setFurtherPaths(host, host2, inode);
  const { thread } = context;
  const fd = thread === undefined ? undefined : tables.fdsOf(thread)?.get(number);
  if (fd === undefined) return;
  fd.hostName = host;
  fd.inodeName = inode;
}

/** The same of the descriptor that the event is about, whichever event told its names. */
export function nameFurther(tables: Tables, context: Context, fd: Fd): void {
  if (!tables.bothPaths) return;
  if (!tables.further.isAny) context.setFurtherPaths(MISSING, MISSING, MISSING);
  context.setFurtherNames(fd.hostName, fd.inodeName);
}

/** Has the table say what the record says; returns the entry. */
function settle(
  tables: Tables,
  files: OwnFiles,
  fds: FdTable,
  known: Fd | undefined,
  event: Event,
): Fd {
  const path = pathOf(tables, files, event);
  if (known !== undefined && isSame(files, known, path)) {
    return complete(tables, files, fds, known, path);
  }
  if (known !== undefined) tables.counts.fdsReplaced++;
  const fd = isSocket(files.kind)
    ? makeSocket(tables, files, fds, event)
    : make(tables, files, path);
  fds.set(files.number, fd);
  return fd;
}

/** Id of the record's path; EMPTY where it has none. */
function pathOf(tables: Tables, files: OwnFiles, { view, bytes }: Event): number {
  if (files.pathEnd <= files.pathStart) return EMPTY;
  return tables.strings.internView(view, bytes, files.pathStart, files.pathEnd);
}

/** Whether an entry is of the same open file, as far as can be told. */
function isSame(files: OwnFiles, fd: Fd, path: number): boolean {
  if (isSocket(files.kind)) return isSameSocket(files, fd);
  if (isSocket(fd.kind)) return false;
  switch (files.kind) {
    case FdKind.File:
    case FdKind.Directory:
    case FdKind.Memfd:
    case FdKind.Pipe:
      // One that was opened by its name in /proc keeps Falco's type, file.
      if (fd.kind !== FdKind.File && fd.kind !== files.kind && fd.kind !== FdKind.Directory) {
        return false;
      }
      if (fd.ino === 0) return fd.kind === FdKind.Memfd || fd.name === path;
      return fd.ino === files.ino && (fd.dev === files.dev || fd.dev === 0);
    case FdKind.Unsupported:
      return fd.kind === FdKind.Unsupported && fd.kernelName === path;
    case FdKind.Pidfd:
      return fd.kind === FdKind.Pidfd && (fd.ino === 0 || fd.ino === files.ino);
    default:
      return fd.kind === files.kind;
  }
}

/** Gives an entry of the same file what it lacks. */
function complete(tables: Tables, files: OwnFiles, fds: FdTable, fd: Fd, path: number): Fd {
  if (isSocket(files.kind)) {
    // Not what any table shows differently: all that share the entry share the socket.
    fd.ino = files.ino;
    return fd;
  }
  const { kind } = files;
  if (kind === FdKind.Memfd || kind === FdKind.Pidfd) {
    fd.ino = files.ino;
    fd.dev = files.dev;
    return fd;
  }
  if (kind !== FdKind.File && kind !== FdKind.Directory) return fd;
  const isNamed = path === EMPTY || fd.kernelName === path ||
    (fd.kernelName === MISSING && fd.name === path);
  // A directory that was opened like a file stays a file, as in Falco: rules on reads of files ask
  // for that type, and a directory read so must not escape them.
  if (isNamed) {
    if (path !== EMPTY) fd.kernelName = path;
    return fd;
  }
  // Renamed since.
  const changed = fd.copy();
  changed.kernelName = path;
  if (tables.kernelPaths) {
    // The name that the caller gave is the one that it had.
    if (fd.callerName === MISSING && (fd.flags & FdFlag.FromSnapshot) === 0) {
      changed.callerName = fd.name;
    }
    changed.name = path;
  }
  fds.set(files.number, changed);
  return changed;
}

function make(tables: Tables, files: OwnFiles, path: number): Fd {
  const { kind, flags } = files;
  let name = EMPTY;
  if (kind === FdKind.File || kind === FdKind.Directory || kind === FdKind.Unsupported) {
    name = path;
  } else if (kind === FdKind.Memfd) name = memoryName(tables, path);
  const fd = new Fd(kind, name, name, flags, files.dev, files.ino);
  fd.kernelName = path === EMPTY ? MISSING : path;
  if (flags & FD_UPPER_LAYER) fd.flags |= FdFlag.UpperLayer;
  else if (flags & FD_LOWER_LAYER) fd.flags |= FdFlag.LowerLayer;
  return fd;
}

/** The name that memfd_create was given: the kernel puts "memfd:" before it. */
function memoryName(tables: Tables, path: number): number {
  const { strings } = tables;
  const text = strings.text(path) ?? "";
  return strings.internPassing(text.replace(/^memfd:/, ""));
}
