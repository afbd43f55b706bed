// Fields of the descriptor that an event uses, creates or closes; addresses are in fd_ends.ts.
import { EVENTS } from "../../events/table.ts";
import { type Context, MISSING_FD } from "../../state/contract/context.ts";
import { type Fd, FD_TYPES, FdFlag, FdKind } from "../../state/tables/fd.ts";
import { fdTypeChar, protocolOf, PROTOCOLS } from "../text/fd_types.ts";
import type { Field, Value } from "../row/field.ts";
import { fields, indexArgument, type Row, textOf, withArgument } from "../row/row.ts";
import { containerIdOf } from "../text/user_names.ts";

export function fdFields(): Field[] {
  return [...identity(), ...names(), ...kinds(), typesField(), ...states(), ...inode()];
}

/** Whether the event has to do with a descriptor and its thread is known. */
export function hasFd(context: Context): boolean {
  return context.fdNumber !== MISSING_FD && context.thread !== undefined;
}

/** Reads from the event's descriptor; nothing where there is none or it is not known. */
export function ofFd(read: (fd: Fd, context: Context) => Value): Row["extract"] {
  return (context) => {
    const { fd } = context;
    return fd === undefined || context.fdNumber === MISSING_FD ? undefined : read(fd, context);
  };
}

function identity(): Field[] {
  return fields("fd", [
    {
      name: "fd.num",
      type: "INT64",
      format: "ID",
      description: "Number of the descriptor; -1 where the call that should make it failed.",
      extract: (context) => hasFd(context) ? context.fdNumber : undefined,
    },
    {
      name: "fd.uid",
      type: "CHARBUF",
      description: "Thread id and descriptor number in one text.",
      extract: (context) =>
        hasFd(context) ? `${context.thread!.tid}${context.fdNumber}` : undefined,
    },
  ]);
}

function names(): Field[] {
  const nameId = (context: Context) => context.fdName;
  return fields("fd", [
    {
      name: "fd.name",
      type: "CHARBUF",
      description: "What the descriptor points to: a file's full path, a connection's two ends.",
      domain: "name",
      ...textOf(nameId),
    },
    {
      name: "fd.nameraw",
      type: "CHARBUF",
      description: "The file's path as the program gave it.",
      extract: (context) => {
        if (!hasFd(context)) return undefined;
        return (context.machine.strings.text(context.fdNameRaw) ?? "").replace(/\/\/+/g, "/");
      },
    },
    {
      name: "fd.directory",
      type: "CHARBUF",
      description: "Directory of the file, or the directory itself.",
      domain: "name",
      extract: directory,
    },
    {
      name: "fd.filename",
      type: "CHARBUF",
      description: "Name of the file without its directory.",
      domain: "name",
      extract: fileName,
    },
    {
      name: "fd.containername",
      type: "CHARBUF",
      description: "Container id and fd.name, a colon between.",
      extract: (context) => inContainer(context, context.machine.strings.text(context.fdName)),
    },
    {
      name: "fd.containerdirectory",
      type: "CHARBUF",
      description: "Container id and fd.directory, a colon between.",
      extract: (context) => inContainer(context, directory(context)),
    },
  ]);
}

function inContainer(context: Context, text: string | undefined): Value {
  if (text === undefined || context.thread === undefined) return undefined;
  return `${containerIdOf(context, context.thread)}:${text}`;
}

/** Of a descriptor that is not known the name comes from the event, and counts as a file's. */
function directory({ machine, fd, fdName }: Context): string | undefined {
  const name = machine.strings.text(fdName);
  if (name === undefined) return undefined;
  if (fd?.kind === FdKind.Directory) return name;
  if (fd !== undefined && fd.kind !== FdKind.File) return undefined;
  const slash = name.lastIndexOf("/");
  if (slash <= 0) return "/";
  return slash < name.length - 1 ? name.slice(0, slash) : name;
}

function fileName({ machine, fd, fdName }: Context): Value {
  const name = machine.strings.text(fdName);
  if (name === undefined || fd?.kind !== FdKind.File) return undefined;
  const slash = name.lastIndexOf("/");
  if (slash < 0) return "/";
  return slash < name.length - 1 ? name.slice(slash + 1) : name;
}

function typeName(fd: Fd): string {
  return FD_TYPES[fd.kind] || "<NA>";
}

function kinds(): Field[] {
  return fields("fd", [
    {
      name: "fd.type",
      type: "CHARBUF",
      format: "DEC",
      description:
        "Kind of what the descriptor points to: file, directory, ipv4, unix, pipe and so on.",
      domain: "name",
      extract: ofFd(typeName),
    },
    {
      name: "fd.typechar",
      type: "CHARBUF",
      format: "DEC",
      description: "One letter for the kind: f d 4 6 u p e s l i t n b r m P; o for others.",
      extract: (context) => {
        if (!hasFd(context)) return undefined;
        const { fd } = context;
        return fd === undefined ? MADE_BY_EVENT[context.event.code]! : fdTypeChar(fd);
      },
    },
    {
      name: "fd.l4proto",
      type: "CHARBUF",
      description: "Protocol of the socket: tcp, udp, icmp or raw.",
      extract: ofFd((fd) => PROTOCOLS[protocolOf(fd)] ?? "<NA>"),
    },
    {
      name: "fd.sockfamily",
      type: "CHARBUF",
      description: "Family of the socket: ip or unix.",
      domain: "name",
      extract: ofFd((fd) => {
        if (isIp(fd)) return "ip";
        return fd.kind === FdKind.Unix ? "unix" : undefined;
      }),
    },
  ]);
}

export function isIp(fd: Fd): boolean {
  return fd.kind === FdKind.Ipv4 || fd.kind === FdKind.Ipv6;
}

/** What kind of descriptor an event would have made that failed. */
const MADE_BY_EVENT: readonly string[] = EVENTS.map((info) => {
  switch (info.name) {
    case "openat":
    case "openat2":
    case "creat":
      return "f";
    case "socket":
    case "accept":
    case "accept4":
      return "4";
    case "pipe":
    case "pipe2":
      return "p";
    case "eventfd":
    case "eventfd2":
      return "e";
    case "signalfd":
    case "signalfd4":
      return "s";
    case "timerfd_create":
      return "t";
    case "inotify_init":
    case "inotify_init1":
      return "i";
    default:
      return "o";
  }
});

function typesField(): Field {
  const row = {
    name: "fd.types",
    type: "CHARBUF" as const,
    format: "DEC" as const,
    isList: true,
    flags: ["no_rhs"] as const,
    description: "Kinds of all descriptors that the process has open, each once; [N] the kind of " +
      "descriptor N.",
  };
  return withArgument("fd", row, { required: false, kinds: [] }, (argument) => {
    if (argument === undefined) {
      return {
        extract: (context) => {
          if (!hasFd(context)) return undefined;
          const types = new Set<string>();
          const fds = context.machine.fdsOf(context.thread!);
          for (const fd of fds?.inOrder() ?? []) types.add(typeName(fd));
          return [...types];
        },
      };
    }
    const number = indexArgument(argument);
    if (number === undefined) return { error: `"${argument}" is not the number of a descriptor` };
    return {
      extract: (context) => {
        if (!hasFd(context)) return undefined;
        const fd = context.machine.fdsOf(context.thread!)?.get(number);
        return fd && [typeName(fd)];
      },
    };
  });
}

function states(): Field[] {
  const flag = (name: string, bit: FdFlag, description: string): Row => ({
    name,
    type: "BOOL",
    description,
    extract: ofFd((fd) => (fd.flags & bit) !== 0),
  });
  return fields("fd", [
    flag("fd.connected", FdFlag.Connected, "Whether the socket is connected."),
    {
      name: "fd.name_changed",
      type: "BOOL",
      description: "Whether this event changed fd.name.",
      extract: ofFd((_, context) => context.fdNameChanged),
    },
    flag(
      "fd.is_upper_layer",
      FdFlag.UpperLayer,
      "Whether the file is in the upper layer of an overlay.",
    ),
    flag(
      "fd.is_lower_layer",
      FdFlag.LowerLayer,
      "Whether the file is in a lower layer of an overlay.",
    ),
  ]);
}

function inode(): Field[] {
  return fields("fd", [
    {
      name: "fd.dev",
      type: "INT32",
      format: "HEX",
      description: "Number of the device that holds the file.",
      extract: ofFd((fd) => fd.dev),
    },
    {
      name: "fd.dev.major",
      type: "INT32",
      format: "DEC",
      description: "Major part of the device's number.",
      extract: ofFd((fd) => (fd.dev & 0xfff00) >>> 8),
    },
    {
      name: "fd.dev.minor",
      type: "INT32",
      format: "DEC",
      description: "Minor part of the device's number.",
      extract: ofFd((fd) => (fd.dev & 0xff) | (fd.dev >>> 12 & 0xfff00)),
    },
    {
      name: "fd.ino",
      type: "INT64",
      format: "DEC",
      description: "Inode number of the file.",
      extract: ofFd((fd) => fd.ino),
    },
  ]);
}
