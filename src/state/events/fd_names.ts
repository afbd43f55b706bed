// `fd.name` of an event that has no descriptor: most often an open that failed. The name is put
// together from the event's own parameters.
import { OWN_PATH } from "../../events/event.ts";
import { codeOf, positionsOf } from "../../events/table.ts";
import type { Context } from "../contract/context.ts";
import type { Tables } from "../tables/tables.ts";
import { AT_FDCWD } from "../tables/paths.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Thread } from "../tables/thread.ts";
import { callerName } from "./path_events.ts";

const OPEN = codeOf("SYSCALL_OPEN_X");
const CREAT = codeOf("SYSCALL_CREAT_X");
const OPENAT = codeOf("SYSCALL_OPENAT_2_X");
const OPENAT2 = codeOf("SYSCALL_OPENAT2_X");
const OPEN_BY_HANDLE = codeOf("SYSCALL_OPEN_BY_HANDLE_AT_X");
const ACCEPT = codeOf("SOCKET_ACCEPT_5_X");
const ACCEPT4 = codeOf("SOCKET_ACCEPT4_6_X");
const CONNECT = codeOf("SOCKET_CONNECT_X");
const { name: NAME } = positionsOf(["SYSCALL_OPEN_X", "SYSCALL_CREAT_X"], "name");
const AT = positionsOf(["SYSCALL_OPENAT_2_X", "SYSCALL_OPENAT2_X"], "dirfd", "name");
const { path: BY_HANDLE } = positionsOf("SYSCALL_OPEN_BY_HANDLE_AT_X", "path");
const { tuple: TUPLE } = positionsOf(
  ["SOCKET_ACCEPT_5_X", "SOCKET_ACCEPT4_6_X", "SOCKET_CONNECT_X"],
  "tuple",
);

export function nameFromEvent(machine: Tables, context: Context, thread: Thread): void {
  const event = context.event;
  context.fdName = context.fdNameRaw = EMPTY;
  switch (event.code) {
    case OPEN:
    case CREAT: {
      if (!event.has(NAME)) {
        context.fdName = context.fdNameRaw = machine.unknownText;
        return;
      }
      const raw = machine.text(event, NAME);
      context.fdNameRaw = context.fdName = raw;
      const absolute = raw === EMPTY || machine.strings.byteAt(raw, 0) === 47;
      if (!absolute && raw !== machine.unknownText) {
        nameBothWays(machine, context, thread, AT_FDCWD, raw);
        // Falco shows the whole path as the raw one here, on captures.
        if (!event.hasOwn) context.fdNameRaw = context.fdName;
      }
      return;
    }
    case OPENAT:
    case OPENAT2: {
      if (!event.has(AT.name)) {
        context.fdName = context.fdNameRaw = MISSING;
        return;
      }
      const raw = machine.text(event, AT.name);
      context.fdNameRaw = raw;
      if (event.has(AT.dirfd)) {
        nameBothWays(machine, context, thread, event.int32(AT.dirfd), raw);
      } else context.fdName = MISSING;
      return;
    }
    case OPEN_BY_HANDLE:
      context.fdName = context.fdNameRaw = event.has(BY_HANDLE)
        ? machine.text(event, BY_HANDLE)
        : machine.unknownText;
      return;
    case ACCEPT:
    case ACCEPT4:
    case CONNECT:
      context.fdName = context.fdNameRaw = machine.addresses.tuple(
        event.bytes,
        event.has(TUPLE) ? event.param(TUPLE) : 0,
        event.paramLength(TUPLE),
      );
      return;
    default:
      if (event.code % 2 === 0) context.fdName = context.fdNameRaw = MISSING;
  }
}

/** The path below the directory that the kernel knows, and below the one that the caller named. */
function nameBothWays(
  machine: Tables,
  context: Context,
  thread: Thread,
  dirfd: number,
  raw: number,
): void {
  const { event } = context;
  const name = machine.kernelPath(event, OWN_PATH);
  context.setFdName(
    name === MISSING ? machine.pathAt(thread, dirfd, raw) : name,
    event.hasOwn ? callerName(machine, thread, dirfd, raw, MISSING) : MISSING,
  );
}
