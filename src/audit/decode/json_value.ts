// Values of a tape as text: a string is itself, anything else its JSON, without blanks and as it
// was received.
import { unescaped } from "./json_escapes.ts";
import { type JsonTape, Kind } from "./json_tape.ts";

/** The text of a value. */
export function textOf(tape: JsonTape, entry: number): string {
  switch (tape.kinds[entry]) {
    case Kind.String:
      return stringOf(tape, entry);
    case Kind.Object:
    case Kind.Array:
      return compact(tape, entry);
    default:
      return tape.slice(tape.starts[entry]!, tape.ends[entry]!);
  }
}

/** The text of a string or a key. */
export function stringOf(tape: JsonTape, entry: number): string {
  const raw = tape.slice(tape.starts[entry]!, tape.ends[entry]!);
  return tape.escapes[entry] === 1 ? unescaped(raw) : raw;
}

/** Whether the value is this string, which is of ASCII. */
export function isString(tape: JsonTape, entry: number, text: string): boolean {
  if (entry < 0 || tape.kinds[entry] !== Kind.String) return false;
  if (tape.escapes[entry] === 1) return stringOf(tape, entry) === text;
  const { bytes } = tape;
  const start = tape.starts[entry]!;
  const { length } = text;
  if (tape.ends[entry]! - start !== length) return false;
  for (let at = 0; at < length; at++) {
    if (bytes[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** A value's JSON without blanks. */
export function compact(tape: JsonTape, entry: number): string {
  return tape.spaced ? written(tape, entry, NOWHERE) : sliced(tape, entry);
}

/** Two blanks a level, a value a line. */
export function indented(tape: JsonTape, entry: number): string {
  return written(tape, entry, LINES);
}

function sliced(tape: JsonTape, entry: number): string {
  const kind = tape.kinds[entry];
  const quote = kind === Kind.String || kind === Kind.Key ? 1 : 0;
  return tape.slice(tape.starts[entry]! - quote, tape.ends[entry]! + quote);
}

interface Layout {
  readonly colon: string;
  readonly newline: (depth: number) => string;
}

const NOWHERE: Layout = { colon: ":", newline: () => "" };
const LINES: Layout = { colon: ": ", newline: (depth) => `\n${"  ".repeat(depth)}` };

/** Depth is bounded by the tape's. */
function written(tape: JsonTape, entry: number, layout: Layout, depth = 0): string {
  const kind = tape.kinds[entry];
  if (kind !== Kind.Object && kind !== Kind.Array) return sliced(tape, entry);
  const [opening, closing] = kind === Kind.Object ? ["{", "}"] : ["[", "]"];
  const end = tape.nexts[entry]!;
  const parts: string[] = [];
  for (let at = entry + 1; at < end;) {
    let part = "";
    if (kind === Kind.Object) part = sliced(tape, at++) + layout.colon;
    parts.push(layout.newline(depth + 1) + part + written(tape, at, layout, depth + 1));
    at = tape.nexts[at]!;
  }
  if (parts.length === 0) return opening + closing;
  return `${opening}${parts.join(",")}${layout.newline(depth)}${closing}`;
}
