// Fields of what a system call is and how it ended.
import { codeOf, EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { FdKind } from "../../state/tables/fd.ts";
import {
  categoryName,
  categoryOf,
  eventName,
  isInputOutput,
  isMemory,
  isSyscall,
} from "../text/event_names.ts";
import { type Field, UNDECIDED, type Value } from "../row/field.ts";
import type { LeftOver } from "../text/left_over.ts";
import { hasReturnValue, returnValue } from "../text/param_values.ts";
import { ParamText, readParam } from "../text/params.ts";
import { fields, type Row, withArgument } from "../row/row.ts";

export function eventFields(leftOver: LeftOver): Field[] {
  return [
    ...identity(),
    typeIs(),
    ...results(leftOver),
    ...flagFields(),
    ...counts(),
    ...hiddenSizes(),
  ];
}

function identity(): Field[] {
  return fields("evt", [
    {
      name: "evt.dir",
      type: "CHARBUF",
      format: "DIR",
      flags: ["deprecated"],
      description: "Whether the event tells of a call's beginning (>) or end (<).",
      extract: ({ event }) => event.code % 2 === 0 ? ">" : "<",
    },
    {
      name: "evt.type",
      type: "CHARBUF",
      description: "Name of the event, such as openat.",
      extract: ({ event }) => eventName(event),
    },
    {
      name: "syscall.type",
      type: "CHARBUF",
      description: "Name of the system call; none for other events.",
      extract: ({ event }) => isSyscall(event.code) ? eventName(event) : undefined,
    },
    {
      name: "evt.category",
      type: "CHARBUF",
      description: "What the event is about: file, net, process, memory and so on.",
      extract: categoryName,
      ofCode: (code) => categoryOf(code) ?? UNDECIDED,
    },
    {
      name: "evt.cpu",
      type: "INT16",
      format: "ID",
      description: "Number of the CPU that the event happened on.",
      extract: ({ event }) => event.cpu,
    },
  ]);
}

const EVENT_NAMES: ReadonlyMap<string, number> = new Map(
  EVENTS.map((info) => [info.name, info.code]),
);

function typeIs(): Field {
  const row = {
    name: "evt.type.is",
    type: "UINT32" as const,
    description: "1 if the event is the one that follows the last dot, else 0.",
  };
  return withArgument("evt", row, {
    required: true,
    kinds: [],
    afterDot: (rest) => {
      const digits = /^\d+$/.exec(rest)?.[0];
      return digits?.length ?? longestPrefix(rest, EVENT_NAMES);
    },
  }, (name) => {
    // Falco compares with the oldest version of the event alone, which is never recorded now.
    if (EVENT_NAMES.has(name!)) {
      return { extract: ({ event }) => EVENTS[event.code]!.name === name ? 1 : 0 };
    }
    const code = Number(name);
    if (!/^\d+$/.test(name!)) return { error: `unknown event "${name}"` };
    return { extract: ({ event }) => event.code === code ? 1 : 0 };
  });
}

/** Length of the longest key that `text` begins with; 0 for none. */
export function longestPrefix(text: string, names: ReadonlyMap<string, unknown>): number {
  const word = /^\w+/.exec(text)?.[0] ?? "";
  for (let length = word.length; length > 0; length--) {
    if (names.has(word.slice(0, length))) return length;
  }
  return 0;
}

function results(leftOver: LeftOver): Field[] {
  const text = new ParamText();
  return fields("evt", [
    {
      name: "evt.res",
      type: "CHARBUF",
      format: "DEC",
      description: "SUCCESS, or the name of the error that the call returned.",
      extract: (context) => {
        const { event } = context;
        if (!hasReturnValue(event.code)) return undefined;
        if (returnValue(event) >= 0) return "SUCCESS";
        // A result that is a process's id has no error's name.
        readParam(context, 0, "dots", text);
        return text.shown;
      },
      show: (context) => {
        const { event } = context;
        if (!hasReturnValue(event.code)) return undefined;
        if (returnValue(event) >= 0) return "SUCCESS";
        readParam(context, 0, "dots", text);
        if (!event.hasOwn) leftOver.note(text.raw, text.type);
        return text.shown;
      },
    },
    {
      name: "evt.rawres",
      type: "INT64",
      format: "DEC",
      description: "What the call returned, as a number.",
      extract: ({ event }) => hasReturnValue(event.code) ? returnValue(event) : undefined,
    },
    {
      name: "evt.failed",
      type: "BOOL",
      description: "Whether the call returned an error.",
      extract: ({ event }) => hasReturnValue(event.code) ? returnValue(event) < 0 : undefined,
    },
    {
      name: "evt.buflen",
      type: "UINT64",
      format: "DEC",
      description: "Bytes that the call moved.",
      extract: (context) => isInputOutput(context.event.code) ? moved(context) : undefined,
    },
  ]);
}

/** What a call on a known descriptor returned, where it succeeded. */
function moved({ event, fd }: Context): Value {
  if (fd === undefined || !hasReturnValue(event.code)) return undefined;
  const result = returnValue(event);
  return result >= 0 ? result : undefined;
}

const READS = 1;
const WRITES = 2;
const WAITS = 4;

const FLAGS = Uint8Array.from(EVENTS, ({ flags }) => {
  const reads = flags.has("reads_from_fd") ? READS : 0;
  const writes = flags.has("writes_to_fd") ? WRITES : 0;
  return reads | writes | (flags.has("waits") ? WAITS : 0);
});

function flagFields(): Field[] {
  return fields("evt", [
    flagField(
      "evt.is_io",
      "Whether the call reads from or writes to a descriptor.",
      READS | WRITES,
    ),
    flagField("evt.is_io_read", "Whether the call reads from a descriptor.", READS),
    flagField("evt.is_io_write", "Whether the call writes to a descriptor.", WRITES),
    {
      name: "evt.io_dir",
      type: "CHARBUF",
      description: "read or write, for calls that do so.",
      extract: ({ event }) => direction(event.code),
      ofCode: direction,
    },
    flagField("evt.is_wait", "Whether the call may make the thread wait.", WAITS),
    {
      name: "evt.is_syslog",
      type: "BOOL",
      description: "Whether the call writes to /dev/log.",
      extract: (context) => {
        const { event, fd, machine } = context;
        return (FLAGS[event.code]! & WRITES) !== 0 && fd !== undefined &&
          (machine.strings.text(context.nameOf(fd)) ?? "").includes("/dev/log");
      },
    },
  ]);
}

function flagField(name: string, description: string, mask: number): Row {
  const ofCode = (code: number) => (FLAGS[code]! & mask) !== 0;
  return { name, type: "BOOL", description, extract: ({ event }) => ofCode(event.code), ofCode };
}

function direction(code: number): string | undefined {
  const flags = FLAGS[code]!;
  if (flags & WRITES) return "write";
  return flags & READS ? "read" : undefined;
}

const OPENS = codes(/^(open|openat|openat2|creat|open_by_handle_at)$/);
const CONNECTS = codes(/^(accept|accept4|connect)$/);

function codes(pattern: RegExp): Uint8Array {
  return Uint8Array.from(EVENTS, (info) => info.code % 2 === 1 && pattern.test(info.name) ? 1 : 0);
}

const PROCINFO = codeOf("PROCINFO_E");

type ErrorClass = "file" | "net" | "memory" | "other";

function isIn(which: ErrorClass, { event, fd }: Context): boolean {
  const { code } = event;
  const kind = fd?.kind;
  const isFile = fd === undefined
    ? OPENS[code] === 1
    : kind === FdKind.File || kind === FdKind.Directory;
  const isNet = fd === undefined
    ? CONNECTS[code] === 1
    : kind === FdKind.Ipv4 || kind === FdKind.Ipv6 || kind === FdKind.Unix;
  switch (which) {
    case "file":
      return isFile;
    case "net":
      return isNet;
    case "memory":
      return isMemory(code);
    case "other":
      return !isFile && !isNet && !(fd === undefined && isMemory(code));
  }
}

function failed({ event }: Context): Value {
  if (!hasReturnValue(event.code)) return undefined;
  return returnValue(event) < 0 ? 1 : 0;
}

function counts(): Field[] {
  const count = (name: string, description: string, extract: Row["extract"]): Row => ({
    name,
    type: "UINT32",
    format: "DEC",
    description,
    extract,
  });
  const errors = (which: ErrorClass) => (context: Context) =>
    isIn(which, context) ? failed(context) : undefined;
  return fields("evt", [
    count("evt.count", "Always 1, for adding up.", () => 1),
    count("evt.count.error", "1 if the call failed, else 0.", failed),
    count("evt.count.error.file", "The same for calls on files.", errors("file")),
    count("evt.count.error.net", "The same for calls on sockets.", errors("net")),
    count("evt.count.error.memory", "The same for calls on memory.", errors("memory")),
    count("evt.count.error.other", "The same for all other calls.", errors("other")),
    count(
      "evt.count.exit",
      "1 for events that tell of a call's end.",
      ({ event }) => event.code % 2 === 1 ? 1 : undefined,
    ),
    {
      ...count(
        "evt.count.procinfo",
        "1 on procinfo events of main threads, else 0.",
        ({ event, thread }) => event.code === PROCINFO && thread?.isMain ? 1 : 0,
      ),
      flags: ["hidden"],
    },
    {
      ...count(
        "evt.count.threadinfo",
        "1 on procinfo events, else 0.",
        ({ event }) => event.code === PROCINFO ? 1 : 0,
      ),
      flags: ["hidden"],
    },
  ]);
}

const READ_CATEGORY = categoryCodes("io_read");
const WRITE_CATEGORY = categoryCodes("io_write");

function categoryCodes(category: string): Uint8Array {
  return Uint8Array.from(EVENTS, (info) => info.category === category ? 1 : 0);
}

/** Parts of evt.buflen by direction and kind of descriptor. */
function hiddenSizes(): Field[] {
  const anyFd = () => true;
  const isFile = (kind: FdKind) => kind === FdKind.File;
  const isSocket = (kind: FdKind) => kind === FdKind.Ipv4 || kind === FdKind.Ipv6;
  const anyIo = (code: number) => isInputOutput(code);
  const reads = (code: number) => READ_CATEGORY[code] === 1;
  const writes = (code: number) => WRITE_CATEGORY[code] === 1;
  const size = (
    name: string,
    matchesCode: (code: number) => boolean,
    matchesKind: (kind: FdKind) => boolean,
  ): Row => ({
    name,
    type: "UINT64",
    format: "DEC",
    flags: ["hidden"],
    description: "Bytes that the call moved, for one direction or kind of descriptor.",
    extract: (context) => {
      const { fd, event } = context;
      if (fd === undefined || !matchesCode(event.code) || !matchesKind(fd.kind)) return undefined;
      return moved(context);
    },
  });
  return fields("evt", [
    size("evt.buflen.in", reads, anyFd),
    size("evt.buflen.out", writes, anyFd),
    size("evt.buflen.file", anyIo, isFile),
    size("evt.buflen.file.in", reads, isFile),
    size("evt.buflen.file.out", writes, isFile),
    size("evt.buflen.net", anyIo, isSocket),
    size("evt.buflen.net.in", reads, isSocket),
    size("evt.buflen.net.out", writes, isSocket),
  ]);
}
