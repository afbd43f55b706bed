// The event table: what each event is called and which parameters it has. It is read from
// probe-rs/events.json, the one description that the drivers' constants come from as well.
import source from "../../probe-rs/events.json" with { type: "json" };

/** How a parameter's bytes are laid out; the names are those of Falco's `--list-events`. */
export type ParamType =
  | "NONE"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "CHARBUF"
  | "BYTEBUF"
  | "ERRNO"
  | "SOCKADDR"
  | "SOCKTUPLE"
  | "FD"
  | "PID"
  | "FDLIST"
  | "FSPATH"
  | "SYSCALLID"
  | "SIGTYPE"
  | "RELTIME"
  | "ABSTIME"
  | "PORT"
  | "L4PROTO"
  | "SOCKFAMILY"
  | "BOOL"
  | "IPV4ADDR"
  | "DYN"
  | "FLAGS8"
  | "FLAGS16"
  | "FLAGS32"
  | "UID"
  | "GID"
  | "DOUBLE"
  | "SIGSET"
  | "CHARBUFARRAY"
  | "CHARBUF_PAIR_ARRAY"
  | "IPV4NET"
  | "IPV6ADDR"
  | "IPV6NET"
  | "IPADDR"
  | "IPNET"
  | "MODE"
  | "FSRELPATH"
  | "ENUMFLAGS8"
  | "ENUMFLAGS16"
  | "ENUMFLAGS32"
  | "FD32"
  | "PID32";

/** How a number is shown. */
export type ParamFormat = "NA" | "DEC" | "HEX" | "10_PADDED_DEC" | "ID" | "DIR" | "OCT";

export interface Param {
  readonly name: string;
  readonly type: ParamType;
  readonly format: ParamFormat;
  /** Flag names and their bits (or values, for ENUMFLAGS), in the order in which they are shown. */
  readonly flags?: readonly FlagName[];
  /** FSRELPATH: index of the parameter that holds the directory's descriptor. */
  readonly dirfd?: number;
  /** DYN: the type for each value of the leading index byte. */
  readonly dynamic?: readonly { readonly type: ParamType; readonly format: ParamFormat }[];
}

export interface FlagName {
  readonly name: string;
  readonly value: number;
}

export type EventFlag =
  | "creates_fd"
  | "destroys_fd"
  | "uses_fd"
  | "reads_from_fd"
  | "writes_to_fd"
  | "modifies_state"
  | "unused"
  | "waits"
  | "skip_parse_reset"
  | "old_version"
  | "large_payload"
  | "converter_managed";

export interface EventInfo {
  readonly code: number;
  /** The enumeration's name without its prefix, such as SYSCALL_OPENAT_2_X. */
  readonly id: string;
  /** `evt.type`; all versions of an event share it. */
  readonly name: string;
  readonly category: string;
  readonly kind: readonly string[];
  readonly flags: ReadonlySet<EventFlag>;
  readonly params: readonly Param[];
}

/** One system call; `exit` is its event code, absent where the generic event stands for it. */
export interface SyscallInfo {
  /** The code that a generic event carries in its `ID` parameter. */
  readonly sc: number;
  readonly name: string;
  readonly x86_64?: number;
  readonly ia32?: number;
  readonly exit?: number;
}

const flagTables = new Map<string, readonly FlagName[]>(
  Object.entries(source.flags).map(([name, rows]) => [
    name,
    (rows as [string, number][]).map(([flag, value]) => ({ name: flag, value })),
  ]),
);

/** Indexed by event code. */
export const EVENTS: readonly EventInfo[] = source.events.map((row) => ({
  code: row.code,
  id: row.id,
  name: row.name,
  category: row.category,
  kind: row.kind,
  flags: new Set(row.flags as EventFlag[]),
  params: (row.params as unknown[][]).map(paramOf),
}));

export const SYSCALLS: readonly SyscallInfo[] = source.syscalls;

/** Value of a name in one of the table's lists of flags, such as "O_CREAT" in "file_flags"; throws
 * on a name that the table lacks. */
export function flagValue(list: string, name: string): number {
  const found = flagTables.get(list)?.find((flag) => flag.name === name);
  if (found === undefined) throw new Error(`No flag "${name}" of "${list}" in the table`);
  return found.value;
}

/** Event code of an id such as "SYSCALL_OPENAT_2_X"; throws on a name that the table lacks. */
export function codeOf(id: string): number {
  const found = codes.get(id);
  if (found === undefined) throw new Error(`No event "${id}" in the table`);
  return found;
}

/**
 * Where parameters stand, by their names: of one event, or of several in which they stand alike.
 * Asked once, when a module is loaded; throws on a name that an event lacks, and where they differ.
 */
export function positionsOf<const Name extends string>(
  ids: string | readonly string[],
  ...names: readonly Name[]
): Readonly<Record<Name, number>> {
  const all = typeof ids === "string" ? [ids] : ids;
  const entries = names.map((name) => {
    const places = all.map((id) =>
      EVENTS[codeOf(id)]!.params.findIndex((param) => param.name === name)
    );
    const place = places[0]!;
    if (place < 0 || places.some((other) => other !== place)) {
      throw new Error(`No parameter "${name}" at one place of ${all.join(", ")} in the table`);
    }
    return [name, place] as const;
  });
  return Object.fromEntries(entries) as Record<Name, number>;
}

const codes = new Map(EVENTS.map((event) => [event.id, event.code]));

function paramOf(row: unknown[]): Param {
  const [name, type, format, extra] = row as [string, ParamType, ParamFormat, unknown];
  if (typeof extra === "string") {
    return { name, type, format, flags: flagTables.get(extra) ?? [] };
  }
  if (typeof extra === "number") return { name, type, format, dirfd: extra };
  if (Array.isArray(extra)) {
    const dynamic = (extra as [ParamType, ParamFormat][]).map(([type, format]) => ({
      type,
      format,
    }));
    return { name, type, format, dynamic };
  }
  return { name, type, format };
}
