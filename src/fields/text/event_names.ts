// What an event is called, and its category: facts of its code and, for a few codes, of itself.
import { EVENTS, SYSCALLS } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import type { Context } from "../../state/contract/context.ts";
import { FdKind } from "../../state/tables/fd.ts";
import { syscallName, textAt } from "./params.ts";

export const GENERIC_E = 0;
export const GENERIC_X = 1;
export const ASYNC_EVENT = 402;

/** `evt.type`: a generic event has the name of its system call, an asynchronous one its own. */
export function eventName(event: Event): string {
  const code = event.code;
  if (code === GENERIC_X || code === GENERIC_E) {
    return event.has(0) ? callName(event.uint16(0)) : "unknown";
  }
  if (code === ASYNC_EVENT) return asyncName(event);
  return EVENTS[code]!.name;
}

/** Of a call that has an event of its own, which the probe does not fill, that event's name. */
function callName(sc: number): string {
  return OWN_NAMES.get(sc) ?? syscallName(sc) ?? "unknown";
}

const OWN_NAMES: ReadonlyMap<number, string> = new Map(
  SYSCALLS.flatMap(({ sc, exit }) => exit === undefined ? [] : [[sc, EVENTS[exit]!.name] as const]),
);

/** Name that an asynchronous event carries. */
export function asyncName(event: Event): string {
  return event.has(1) ? textAt(event.bytes, event.param(1), event.paramLength(1)) : "<NA>";
}

export function isMeta(code: number): boolean {
  return META[code] === 1;
}

export function isSyscall(code: number): boolean {
  return SYSCALL[code] === 1;
}

const META = bits((kind) => kind.includes("metaevent"));
const SYSCALL = bits((kind) => kind.includes("syscall"));

function bits(test: (kind: readonly string[]) => boolean): Uint8Array {
  return Uint8Array.from(EVENTS, (info) => test(info.kind) ? 1 : 0);
}

/** `evt.category`: for input, output and other use of descriptors, that of what it points to. */
export function categoryName(context: Context): string {
  const category = categoryOf(context.event.code);
  if (category !== undefined) return category;
  switch (context.fd?.kind) {
    case FdKind.File:
    case FdKind.Directory:
      return "file";
    case FdKind.Ipv4:
    case FdKind.Ipv6:
      return "net";
    case FdKind.Pipe:
    case FdKind.Unix:
    case FdKind.Event:
    case FdKind.Signal:
    case FdKind.Inotify:
    case FdKind.UserFault:
      return "ipc";
    default:
      return "unknown";
  }
}

/** The category of all events of a code; undefined where it depends on the descriptor. */
export function categoryOf(code: number): string | undefined {
  return isInputOutput(code) ? undefined : CATEGORIES[code]!;
}

/** Whether the event reads, writes or otherwise uses a descriptor as its purpose. */
export function isInputOutput(code: number): boolean {
  return CATEGORIES[code]!.startsWith("io_");
}

export function isMemory(code: number): boolean {
  return CATEGORIES[code] === "memory";
}

const CATEGORIES: readonly string[] = EVENTS.map((info) => {
  if (info.category === "unknown") {
    return ["wait", "scheduler", "internal"].find((kind) => info.kind.includes(kind)) ?? "unknown";
  }
  return info.category === "ipc" ? "IPC" : info.category;
});
