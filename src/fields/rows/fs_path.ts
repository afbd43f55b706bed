// Fields of the paths that a system call acts on, whatever the call: one path, or source and
// target. Each has a raw form, as the program gave it.
import { OWN_PATH, OWN_PATH2 } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { isCaller } from "../../state/contract/views.ts";
import { FdKind } from "../../state/tables/fd.ts";
import { EMPTY, MISSING } from "../../state/tables/strings.ts";
import { pathId } from "./evt_args.ts";
import { actedOn } from "../text/kernel_paths.ts";
import type { Field } from "../row/field.ts";
import { returnValue } from "../text/param_values.ts";
import { AT_FDCWD, isMissingText, paramIndex } from "../text/params.ts";
import { fields, type Row } from "../row/row.ts";

/** Where a call's path is: the name of a parameter, the descriptor's name, or, in events that have
 * no parameter for it, the second of our own paths. */
type Place = string;
const FD_NAME: Place = "(fd.name)";
const SAID: Place = "(said)";

interface Places {
  readonly name?: Place;
  readonly source?: Place;
  readonly target?: Place;
}

/** By event; a link's source is the new name and its target what that leads to. */
const PLACES: Readonly<Record<string, Places>> = {
  GENERIC_X: { name: SAID },
  SYSCALL_MKDIR_2_X: { name: "path" },
  SYSCALL_MKDIRAT_X: { name: "path" },
  SYSCALL_RMDIR_2_X: { name: "path" },
  SYSCALL_UNLINK_2_X: { name: "path" },
  SYSCALL_UNLINKAT_2_X: { name: "name" },
  SYSCALL_OPEN_X: { name: "name" },
  SYSCALL_OPENAT_2_X: { name: "name" },
  SYSCALL_OPENAT2_X: { name: "name" },
  SYSCALL_FCHMODAT_X: { name: "filename" },
  SYSCALL_CHMOD_X: { name: "filename" },
  SYSCALL_FCHMOD_X: { name: FD_NAME },
  SYSCALL_CHOWN_X: { name: "path" },
  SYSCALL_LCHOWN_X: { name: "path" },
  SYSCALL_FCHOWN_X: { name: FD_NAME },
  SYSCALL_FCHOWNAT_X: { name: "pathname" },
  SYSCALL_QUOTACTL_X: { name: "special" },
  SYSCALL_RENAME_X: { source: "oldpath", target: "newpath" },
  SYSCALL_RENAMEAT_X: { source: "oldpath", target: "newpath" },
  SYSCALL_RENAMEAT2_X: { source: "oldpath", target: "newpath" },
  SYSCALL_LINK_2_X: { source: "newpath", target: "oldpath" },
  SYSCALL_LINKAT_2_X: { source: "newpath", target: "oldpath" },
  SYSCALL_SYMLINK_X: { source: "linkpath", target: "target" },
  SYSCALL_SYMLINKAT_X: { source: "linkpath", target: "target" },
  SYSCALL_MOUNT_X: { source: "dev", target: "dir" },
  SYSCALL_UMOUNT_1_X: { name: "name" },
  SYSCALL_UMOUNT2_X: { name: "name" },
};

const OPENS: ReadonlySet<string> = new Set([
  "SYSCALL_OPEN_X",
  "SYSCALL_OPENAT_2_X",
  "SYSCALL_OPENAT2_X",
]);

const NONE = -1;
const OF_FD = -2;
const OF_SAID = -3;

/** How a relative path becomes absolute. */
const enum Base {
  /** From the working directory, even where the call has a directory's descriptor: as Falco. */
  Cwd,
  /** The call's descriptor is the directory, if it is one. */
  Directory,
  /** The descriptor that the call made: its name is the path. */
  Opened,
  /** renameat2 tells both directories, before each path. */
  OwnDirectory,
  /** Not told. */
  Unknown,
}

const RELATIVE: Readonly<Record<string, Base>> = {
  SYSCALL_OPENAT_2_X: Base.Opened,
  SYSCALL_OPENAT2_X: Base.Opened,
  SYSCALL_FCHOWNAT_X: Base.Directory,
  SYSCALL_FCHMODAT_X: Base.Directory,
  SYSCALL_MKDIRAT_X: Base.Directory,
  SYSCALL_UNLINKAT_2_X: Base.Directory,
  SYSCALL_SYMLINKAT_X: Base.Directory,
  SYSCALL_RENAMEAT2_X: Base.OwnDirectory,
};

export function fsPathFields(): Field[] {
  return fields("fs.path", [
    ...rows("name", "the file that the call acts on"),
    ...rows("source", "what is renamed, linked or mounted"),
    ...rows("target", "what it becomes or leads to"),
  ]);
}

function rows(which: keyof Places, what: string): Row[] {
  const params = Int8Array.from(EVENTS, (info) => {
    const place = PLACES[info.id]?.[which];
    if (place === undefined) return NONE;
    if (place === SAID) return OF_SAID;
    return place === FD_NAME ? OF_FD : paramIndex(info.code, place);
  });
  return [
    {
      name: `fs.path.${which}`,
      type: "CHARBUF",
      description: `Full path of ${what}.`,
      extract: (context) => context.machine.strings.text(fullPath(context, params, which)),
    },
    {
      name: `fs.path.${which}raw`,
      type: "CHARBUF",
      description: `Path of ${what}, as the program gave it.`,
      extract: (context) => context.machine.strings.text(rawPath(context, params)),
    },
  ];
}

/** Id of the path in the event; MISSING where the call has none or failed. */
function rawPath(context: Context, params: Int8Array): number {
  const { event, machine } = context;
  const index = params[event.code]!;
  if (index === OF_SAID) return saidPath(context);
  if (index === NONE || !succeeded(context)) return MISSING;
  if (index === OF_FD) return context.fdName;
  const param = EVENTS[event.code]!.params[index]!;
  if (isMissingText(event, index, param)) return machine.strings.internText("<NA>");
  return pathId(context, index);
}

/** What the caller said in a call that has no parameter for it (probe-rs/src/generic.rs). */
function saidPath(context: Context): number {
  const { event } = context;
  if (!event.hasOwn) return MISSING;
  const index = event.own(OWN_PATH2);
  return event.has(index) ? pathId(context, index) : MISSING;
}

/** Opens are shown whatever they returned: Falco only leaves out a result of -1. */
function succeeded({ event }: Context): boolean {
  const result = event.has(0) ? returnValue(event) : undefined;
  const { id } = EVENTS[event.code]!;
  return OPENS.has(id) ? result !== undefined && result !== -1 : result === 0;
}

const SLASH = 47;

function fullPath(context: Context, params: Int8Array, which: keyof Places): number {
  const raw = rawPath(context, params);
  const { machine, thread, event } = context;
  if (thread === undefined || params[event.code] === NONE) return MISSING;
  if (raw === MISSING && params[event.code] !== OF_SAID) return MISSING;
  const resolved = resolvedPath(context, which);
  if (resolved !== MISSING || raw === MISSING) return resolved;
  const { strings } = machine;
  if (raw !== EMPTY && strings.byteAt(raw, 0) === SLASH) return machine.join(EMPTY, raw);
  const param = params[event.code]!;
  const isLink = which === "target" && SYMLINKS.has(EVENTS[event.code]!.id);
  if (!event.hasOwn) return asFalco(context, raw, param, isLink);
  if (isLink) return machine.join(linkDirectory(context), raw);
  return machine.namedAt(
    context.process ?? thread,
    givenDescriptor(context, param),
    raw,
    isCaller(context.view),
  );
}

/** Path that the kernel acted on, in events of our own drivers; MISSING where there is none, and
 * under the caller's view. */
function resolvedPath(context: Context, which: keyof Places): number {
  const { event } = context;
  // Of two paths the first is the old one: that is a link's target, but what is renamed.
  const isOld = which === "name" || (LINKS.has(EVENTS[event.code]!.id) ? "target" : "source") ===
      which;
  return actedOn(context, isOld ? OWN_PATH : OWN_PATH2);
}

const LINKS: ReadonlySet<string> = new Set(["SYSCALL_LINK_2_X", "SYSCALL_LINKAT_2_X"]);
const SYMLINKS: ReadonlySet<string> = new Set(["SYSCALL_SYMLINK_X", "SYSCALL_SYMLINKAT_X"]);

/** Descriptor of the directory that a relative path of the call starts from. */
function givenDescriptor({ event }: Context, param: number): number {
  const dirfd = EVENTS[event.code]!.params[param]?.dirfd;
  return dirfd !== undefined && event.has(dirfd) ? event.int32(dirfd) : AT_FDCWD;
}

/** Directory of a new symbolic link: what a relative target starts from. */
function linkDirectory(context: Context): number {
  const { event, machine } = context;
  const param = paramIndex(event.code, "linkpath");
  let link = resolvedPath(context, "source");
  if (link === MISSING) {
    const caller = isCaller(context.view);
    const directory = givenDescriptor(context, param);
    const process = context.process ?? context.thread!;
    link = machine.namedAt(process, directory, pathId(context, param), caller);
  }
  const text = machine.strings.text(link)!;
  return machine.strings.internPassing(text.slice(0, text.lastIndexOf("/") + 1));
}

/** How Falco makes a relative path absolute, call by call. */
function asFalco(context: Context, raw: number, param: number, isLink: boolean): number {
  const { machine, thread, process, event } = context;
  const { strings } = machine;
  const { id, params } = EVENTS[event.code]!;
  const unknown = isLink && id === "SYSCALL_SYMLINKAT_X";
  switch (unknown ? Base.Unknown : RELATIVE[id] ?? Base.Cwd) {
    case Base.Cwd:
      return machine.join(process?.cwd ?? strings.internText("./"), raw);
    case Base.Unknown:
      return machine.join(strings.internText("<UNKNOWN>"), raw);
    case Base.Opened:
      return context.fd === undefined
        ? strings.internText("<UNKNOWN>")
        : machine.join(EMPTY, context.fd.name);
    case Base.Directory:
      return machine.join(usedDirectory(context), raw);
    case Base.OwnDirectory: {
      const dirfd = event.int32(params[param]?.dirfd ?? param - 1);
      return machine.join(machine.directoryOf(process ?? thread!, dirfd, raw), raw);
    }
  }
}

/** Id of the name of the event's descriptor with a slash at its end, if it is a directory. */
function usedDirectory({ machine, fd }: Context): number {
  const { strings } = machine;
  if (fd?.kind !== FdKind.Directory) return strings.internText("<UNKNOWN>");
  const length = strings.length(fd.name);
  if (length === 0 || strings.byteAt(fd.name, length - 1) === SLASH) return fd.name;
  return strings.internPassing(`${strings.text(fd.name)}/`);
}
