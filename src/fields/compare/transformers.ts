// Transformers: functions over field values, on either side of a comparison and in outputs.
import { byteLength, rawText } from "../../words/raw_text.ts";
import type { ParamType } from "../../events/table.ts";
import type { Value } from "../row/field.ts";

/** The type of a value on its way through transformers. */
export interface ValueType {
  readonly type: ParamType;
  readonly isList: boolean;
}

export type Applied =
  | { readonly result: ValueType; readonly apply: (args: readonly Value[]) => Value }
  | { readonly error: string };

const PATHS_AND_TEXT: readonly ParamType[] = ["CHARBUF", "FSPATH", "FSRELPATH"];

/** Types that each one-value transformer takes; it keeps the type, but `len` gives a number. */
export const SINGLE: Readonly<Record<string, readonly ParamType[]>> = {
  tolower: PATHS_AND_TEXT,
  toupper: PATHS_AND_TEXT,
  basename: PATHS_AND_TEXT,
  b64: ["CHARBUF", "BYTEBUF"],
  len: [...PATHS_AND_TEXT, "BYTEBUF"],
};

/**
 * The transformer `name` over arguments of the given types, or what is wrong with them, in
 * Falco's words. `source` is the name of the field in `args[0]`, `option` what stands in brackets
 * behind the call.
 */
export function applyTransformer(
  name: string,
  args: readonly ValueType[],
  source: string,
  option: string | undefined,
): Applied {
  if (name !== "getopt" && option !== undefined) {
    const prefix = args.length === 1 ? "filter error: " : "";
    return { error: `${prefix}transformer '${name}' does not support field arguments` };
  }
  if (args.length === 1 && Object.hasOwn(SINGLE, name)) return single(name, args[0]!, source);
  switch (name) {
    case "join":
      return join(args);
    case "concat":
      return concat(args);
    case "getopt":
      return getopt(args, option);
    default:
      return { error: `transformer '${name}' takes one argument, not ${args.length}` };
  }
}

function single(name: string, argument: ValueType, source: string): Applied {
  const counts = name === "len" && argument.isList;
  if (!counts && !SINGLE[name]!.includes(argument.type)) {
    return {
      error: `can't add field transformer: type '${argument.type}' is not supported by '${name}' ` +
        `transformer applied on ${argument.isList ? "list " : ""}field '${source}'`,
    };
  }
  if (name === "len") {
    return {
      result: { type: "UINT64", isList: false },
      apply: ([value]) => value === undefined ? undefined : lengthOf(value),
    };
  }
  const each = EACH[name]!;
  return {
    result: argument,
    apply: ([value]) => {
      if (!Array.isArray(value)) return value === undefined ? undefined : each(value);
      const results = value.map(each);
      return results.includes(undefined) ? undefined : results;
    },
  };
}

const EACH: Readonly<Record<string, (value: Value) => Value>> = {
  tolower: (value) => (value as string).replace(/[A-Z]+/g, (run) => run.toLowerCase()),
  toupper: (value) => (value as string).replace(/[a-z]+/g, (run) => run.toUpperCase()),
  basename: (value) => (value as string).slice((value as string).lastIndexOf("/") + 1),
  b64: (value) => {
    const text = typeof value === "string" ? value : latin1.decode(value as Uint8Array);
    const bytes = decodeBase64(text);
    return bytes && typeof value === "string" ? rawText(untilNul(bytes)) : bytes;
  },
};

const latin1 = new TextDecoder("latin1");

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Without padding, and no bit left over; undefined for what is no base64. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/={0,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) return undefined;
  try {
    return Uint8Array.from(atob(bare), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function lengthOf(value: Exclude<Value, undefined>): Value {
  if (typeof value === "string") return byteLength(value);
  return Array.isArray(value) || value instanceof Uint8Array ? value.length : undefined;
}

const TEXT: ValueType = { type: "CHARBUF", isList: false };

function join(args: readonly ValueType[]): Applied {
  if (args.length !== 2) {
    return { error: "join() requires exactly 2 arguments: separator and list" };
  }
  if (args[0]!.isList) {
    return { error: "join() first argument (separator) must be a single value, not a list" };
  }
  if (!args[1]!.isList) return { error: "join() second argument must be a list" };
  return {
    result: TEXT,
    apply: ([separator, list]) =>
      separator === undefined || list === undefined
        ? undefined
        : (list as Value[]).join(separator as string),
  };
}

function concat(args: readonly ValueType[]): Applied {
  if (args.length < 2) return { error: "concat() requires at least 2 arguments" };
  if (args.some(({ type, isList }) => type !== "CHARBUF" || isList)) {
    return { error: "concat() arguments must be strings" };
  }
  return {
    result: TEXT,
    apply: (values) => values.includes(undefined) ? undefined : values.join(""),
  };
}

function getopt(args: readonly ValueType[], option: string | undefined): Applied {
  const [list, options] = args;
  if (args.length !== 2) {
    return { error: "getopt() requires exactly 2 arguments: args list and optstring" };
  }
  if (!list!.isList) return { error: "getopt() first argument must be a list" };
  if (options!.isList) {
    return { error: "getopt() second argument (optstring) must be a single value" };
  }
  if (list!.type !== "CHARBUF" || options!.type !== "CHARBUF") {
    return { error: "getopt() arguments must be strings" };
  }
  if (option !== undefined && byteLength(option) !== 1) {
    return { error: "getopt() field argument must be a single option character" };
  }
  return {
    result: { type: "CHARBUF", isList: option === undefined },
    apply: ([words, optstring]) => {
      if (words === undefined || optstring === undefined) return undefined;
      return readOptions(words as string[], optstring as string, option);
    },
  };
}

/**
 * Short options as getopt(3) reads them, up to `--` or the first word that is none; long options
 * are skipped. Without a selector: option, value, option … with `?` for an unknown one and the
 * empty string where a value is missing. With one: its last value, or its letter.
 */
function readOptions(words: readonly string[], optstring: string, selector?: string): Value {
  const results: string[] = [];
  let selected: string | undefined;
  const emit = (name: string, value?: string): void => {
    if (selector !== undefined) selected = value ?? name;
    else results.push(...(value === undefined ? [name] : [name, value]));
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--" || word.length < 2 || word[0] !== "-") break;
    if (word[1] === "-") continue;
    for (let index = 1; index < word.length; index++) {
      const letter = word[index]!;
      const place = letter === ":" ? -1 : optstring.indexOf(letter);
      const wanted = selector === undefined || letter === selector;
      if (place < 0) {
        if (selector === undefined) results.push("?");
        continue;
      }
      if (optstring[place + 1] !== ":") {
        if (wanted) emit(letter);
        continue;
      }
      const value = index + 1 < word.length ? word.slice(index + 1) : words[++at];
      if (wanted) value === undefined ? emit("") : emit(letter, value);
      break;
    }
  }
  return selector === undefined ? results : selected;
}
