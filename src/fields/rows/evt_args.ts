// Fields of an event's parameters: evt.arg, evt.rawarg, evt.args, evt.buffer, evt.abspath.
import { type Event, OWN_PATH, OWN_PATH2 } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { isCaller } from "../../state/contract/views.ts";
import type { Fd } from "../../state/tables/fd.ts";
import { EMPTY, MISSING } from "../../state/tables/strings.ts";
import { GENERIC_X } from "../text/event_names.ts";
import { longestPrefix } from "./evt.ts";
import { type Field, UNDECIDED, type Value } from "../row/field.ts";
import { type LeftOver, NO_BUFFER } from "../text/left_over.ts";
import { numberText } from "../text/numbers.ts";
import { actedOn } from "../text/kernel_paths.ts";
import { isNumber, paramValue, returnValue } from "../text/param_values.ts";
import {
  AT_FDCWD,
  type BufferFormat,
  bufferText,
  paramIndex,
  ParamText,
  readParam,
} from "../text/params.ts";
import { field, fields, indexArgument, type Reader, withArgument } from "../row/row.ts";

/** `format` is how buffers are written in text. */
export function argumentFields(format: BufferFormat, leftOver: LeftOver): Field[] {
  return [
    argField(format, leftOver),
    rawArgField(),
    ...argsFields(format, leftOver),
    bufferField(format, leftOver),
    aroundField(),
    absPathField(),
  ];
}

/** Every parameter name of the table. */
const PARAM_NAMES: ReadonlyMap<string, { type: Field["type"]; format: Field["format"] }> = new Map(
  EVENTS.flatMap((info) => info.params.map((param) => [param.name, param] as const)).reverse(),
);

function afterDot(rest: string): number {
  return longestPrefix(rest, PARAM_NAMES);
}

function argField(format: BufferFormat, leftOver: LeftOver): Field {
  const row = {
    name: "evt.arg",
    type: "CHARBUF" as const,
    description: "One parameter of the event as text: by name after a dot, or by number.",
  };
  return withArgument("evt", row, { required: true, kinds: [], afterDot }, (argument) => {
    const text = new ParamText();
    const number = indexArgument(argument!);
    if (number === undefined && !PARAM_NAMES.has(argument!)) {
      return { error: `unknown event argument "${argument}"` };
    }
    const indexes = number === undefined
      ? indexesOf(argument!)
      : Int8Array.from(EVENTS, ({ params }) => number < params.length ? number : -1);
    return {
      ofCode: noneWithout(indexes),
      // The setting for buffers is for outputs alone.
      extract: (context) => {
        const index = indexes[context.event.code]!;
        if (index < 0) return undefined;
        readParam(context, index, "dots", text);
        return text.shown;
      },
      show: (context) => {
        const index = indexes[context.event.code]!;
        if (index < 0) return undefined;
        showParam(context, index, format, text, leftOver);
        return text.shown;
      },
    };
  });
}

/** Reads a parameter for an output. */
export function showParam(
  context: Context,
  index: number,
  format: BufferFormat,
  text: ParamText,
  leftOver: LeftOver,
): void {
  readParam(context, index, format, text);
  if (!context.event.hasOwn) leftOver.note(text.raw, text.type);
}

function rawArgField(): Field {
  const row = {
    name: "evt.rawarg",
    type: "DYN" as const,
    flags: ["no_rhs", "no_transformer"] as const,
    description: "One parameter of the event, by name after a dot, as the number, text or bytes " +
      "that it is.",
  };
  return withArgument("evt", row, { required: true, kinds: [], afterDot }, (argument) => {
    const param = PARAM_NAMES.get(argument!);
    if (param === undefined) return { error: `unknown event argument "${argument}"` };
    const indexes = indexesOf(argument!);
    return {
      type: param.type,
      // Events give parameters of one name other formats, so `show` does what the format says.
      format: "DEC",
      ofCode: noneWithout(indexes),
      extract: ({ event }) => {
        const index = indexes[event.code]!;
        return index < 0 ? undefined : paramValue(event, index);
      },
      show: ({ event }) => {
        const index = indexes[event.code]!;
        return index < 0 ? undefined : shownRaw(event, index);
      },
    };
  });
}

/** A number in another format than decimal as text, everything else as it is; 0 for no number. */
function shownRaw(event: Event, index: number): Value {
  const { type, format } = EVENTS[event.code]!.params[index]!;
  const value = paramValue(event, index) ?? (isNumber(type) ? 0 : undefined);
  if (typeof value !== "number" && typeof value !== "bigint") return value;
  return format === "HEX" || format === "OCT" || format === "10_PADDED_DEC"
    ? numberText(value, type, format)
    : value;
}

/** For each event code, where the parameter of that name is; -1 where it has none. Made for those
 * that rules name: there are hundreds. */
function indexesOf(name: string): Int8Array {
  return Int8Array.from(EVENTS, (info) => paramIndex(info.code, name));
}

/** Events without the parameter have no value of it. */
function noneWithout(indexes: Int8Array): NonNullable<Reader["ofCode"]> {
  return (code) => indexes[code]! < 0 ? undefined : UNDECIDED;
}

function argsFields(format: BufferFormat, leftOver: LeftOver): Field[] {
  const text = new ParamText();
  const extract = (context: Context): Value => {
    const { event } = context;
    if (event.code === GENERIC_X) return "";
    const parts: string[] = [];
    for (const [index, param] of EVENTS[event.code]!.params.entries()) {
      showParam(context, index, format, text, leftOver);
      const resolved = text.resolved === "" ? "" : `(${text.resolved})`;
      parts.push(`${param.name}=${text.raw}${resolved}`);
    }
    return parts.join(" ");
  };
  return fields("evt", [
    {
      name: "evt.args",
      type: "CHARBUF",
      description: "All parameters as name=value pairs, what a value stands for in parentheses.",
      extract,
    },
    { name: "evt.info", type: "CHARBUF", description: "The same as evt.args.", extract },
  ]);
}

const DATA = indexesOf("data");
/** Longer buffers are cut in outputs. */
const SHOWN_BYTES_MAX = 1021;

function bufferField(format: BufferFormat, leftOver: LeftOver): Field {
  const row = {
    name: "evt.buffer",
    type: "BYTEBUF" as const,
    description: "Data that the call read or wrote, as far as it was recorded.",
  };
  const extract = ({ event }: Context) => {
    const index = DATA[event.code]!;
    if (index < 0 || !event.has(index)) return undefined;
    const start = event.param(index);
    return event.bytes.slice(start, start + event.paramLength(index));
  };
  const show = (context: Context) => {
    const { event } = context;
    const bytes = extract(context);
    if (bytes !== undefined) {
      const text = bufferText(bytes, format);
      leftOver.note(text, "BYTEBUF");
      return text.slice(0, SHOWN_BYTES_MAX);
    }
    if (DATA[event.code]! < 0) return undefined;
    if (event.hasOwn) return NO_BUFFER;
    leftOver.note(NO_BUFFER, "NONE");
    return leftOver.missingBuffer();
  };
  return field("evt", { ...row, extract, show });
}

/** A window of time around a point: `evt.around[1700000000000000000]=500` (milliseconds). */
function aroundField(): Field {
  const row = {
    name: "evt.around",
    type: "UINT64" as const,
    format: "NA" as const,
    flags: ["filter_only", "no_rhs", "no_transformer"] as const,
    description: "Milliseconds between the event and the time in brackets (ns since the epoch); " +
      "= asks for at most so many.",
  };
  return withArgument("evt", row, { required: true, kinds: [] }, (argument) => {
    if (!/^\d{1,20}$/.test(argument!)) return { error: `"${argument}" is not a time` };
    const centre = BigInt(argument!);
    return {
      extract: ({ event }) => {
        const distance = event.time() - centre;
        const nanoseconds = distance < 0n ? -distance : distance;
        // Rounded up: within the window to the nanosecond.
        return (nanoseconds + 999_999n) / 1_000_000n;
      },
    };
  });
}

/** What the descriptor of a relative path's directory points to, for calls of evt.abspath. */
export function givenDirectory(context: Context): Fd | undefined {
  const { event, machine, thread } = context;
  const place = DIRECTORIES[event.code];
  if (place === undefined || thread === undefined) return undefined;
  if (!event.has(place.dirfd) || !event.has(place.path)) return undefined;
  if (event.bytes[event.param(place.path)] === SLASH) return undefined;
  const dirfd = event.int32(place.dirfd);
  return dirfd === AT_FDCWD ? undefined : machine.fdsOf(thread)?.get(dirfd);
}

const SLASH = 0x2f;

/** Which parameters hold directory and path, by what is asked for. */
interface PathParams {
  readonly dirfd: string;
  readonly path: string;
}

function pathParams(id: string, which: "" | "src" | "dst"): PathParams | undefined {
  switch (id) {
    case "SYSCALL_RENAMEAT_X":
    case "SYSCALL_RENAMEAT2_X":
      return which === "dst"
        ? { dirfd: "newdirfd", path: "newpath" }
        : { dirfd: "olddirfd", path: "oldpath" };
    case "SYSCALL_LINKAT_2_X":
      return which === "dst"
        ? { dirfd: "newdir", path: "newpath" }
        : { dirfd: "olddir", path: "oldpath" };
    case "SYSCALL_SYMLINKAT_X":
      return { dirfd: "linkdirfd", path: "linkpath" };
    case "SYSCALL_OPENAT_2_X":
    case "SYSCALL_OPENAT2_X":
    case "SYSCALL_UNLINKAT_2_X":
      return { dirfd: "dirfd", path: "name" };
    case "SYSCALL_MKDIRAT_X":
      return { dirfd: "dirfd", path: "path" };
    case "SYSCALL_FCHMODAT_X":
      return { dirfd: "dirfd", path: "filename" };
    case "SYSCALL_FCHOWNAT_X":
      return { dirfd: "dirfd", path: "pathname" };
    default:
      return undefined;
  }
}

const OPEN_BY_HANDLE_AT = EVENTS.find((info) => info.id === "SYSCALL_OPEN_BY_HANDLE_AT_X")!.code;

function absPathField(): Field {
  const row = {
    name: "evt.abspath",
    type: "CHARBUF" as const,
    description: "Absolute path that a call with a directory descriptor names; .src and .dst for " +
      "calls with two.",
  };
  const argument = {
    required: false,
    kinds: [],
    afterDot: (rest: string) => /^(src|dst)/.test(rest) ? 3 : 0,
  };
  const field = withArgument("evt", row, argument, (given) => {
    const which = given ?? "";
    if (which !== "" && which !== "src" && which !== "dst") {
      return { error: "evt.abspath is followed by .src, .dst or nothing" };
    }
    return absPathReader(placesOf(which), which === "dst" ? OWN_PATH2 : OWN_PATH);
  });
  // Falco lists the argument as required, though it is not.
  return { ...field, argument: { ...argument, required: true } };
}

type Places = readonly ({ readonly dirfd: number; readonly path: number } | undefined)[];

function placesOf(which: "" | "src" | "dst"): Places {
  return EVENTS.map((info) => {
    const params = pathParams(info.id, which);
    return params && {
      dirfd: paramIndex(info.code, params.dirfd),
      path: paramIndex(info.code, params.path),
    };
  });
}

const DIRECTORIES = placesOf("");

/** `own`: which of the paths that the kernel acted on it is. */
function absPathReader(places: Places, own: number): Reader {
  const extract = (context: Context): Value => {
    const { event, machine, thread } = context;
    if (thread === undefined) return undefined;
    if (event.code === OPEN_BY_HANDLE_AT) {
      if (returnValue(event) <= 0) return undefined;
      return machine.strings.text(machine.join(EMPTY, pathId(context, 3)));
    }
    if (places[event.code] === undefined) return undefined;
    const resolved = actedOn(context, own);
    if (resolved !== MISSING) return machine.strings.text(resolved);
    const place = places[event.code];
    if (place === undefined || !event.has(place.dirfd) || !event.has(place.path)) return undefined;
    const path = pathId(context, place.path);
    const directory = directoryOf(context, event.int32(place.dirfd), path);
    return machine.strings.text(machine.join(directory, path));
  };
  return { extract };
}

/** Id of a path parameter. */
export function pathId({ event, machine }: Context, index: number): number {
  if (!event.has(index)) return EMPTY;
  return machine.strings.intern(event.bytes, event.param(index), event.textEnd(index));
}

function directoryOf(context: Context, dirfd: number, path: number): number {
  const { machine, thread, process } = context;
  const { strings } = machine;
  if (dirfd === AT_FDCWD || (path !== EMPTY && strings.byteAt(path, 0) === SLASH)) {
    const caller = isCaller(context.view);
    return machine.directoryOf(process ?? thread!, dirfd, path, caller);
  }
  const directory = machine.fdsOf(thread!)?.get(dirfd);
  if (directory === undefined) return strings.internText("<UNKNOWN>/");
  // The slash is there twice where the directory is "/": as in Falco.
  return strings.internPassing(`${strings.text(context.nameOf(directory))}/`);
}
