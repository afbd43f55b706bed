// The kinds of value that configuration keys take. Scalars arrive as text and are converted as
// yaml-cpp does; a value that does not convert raises an issue that says what was expected.
//
// An issue is fatal only where Falco refuses to start; elsewhere Falco falls back silently, and
// saker falls back and says so (`fatal` below, read in read_config.ts).
import { type ConfigValue, parseInline } from "./layer.ts";
import { list, scalar, type Shape } from "./shape.ts";

const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

export function bool(initial: boolean): Shape<boolean> {
  return scalar<boolean>(
    (text) => TRUE.test(text) ? true : FALSE.test(text) ? false : undefined,
    "expected true or false",
    { type: "boolean" },
    false,
  ).default(initial);
}

export function text(initial: string): Shape<string> {
  return scalar((value) => value, "expected a text", { type: "string" }, false).default(initial);
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly fatal?: boolean;
  /** What Falco says of another number. */
  readonly falco?: string;
}

export function integer(initial: number, range: Range): Shape<number> {
  const { min, max, fatal = false } = range;
  return scalar(
    (value) => {
      if (!/^[+-]?(\d+|0x[0-9a-fA-F]+)$/.test(value)) return undefined;
      const number = Number(value);
      return number >= min && number <= max ? number : undefined;
    },
    `expected a whole number from ${min} to ${max}`,
    { type: "integer", minimum: min, maximum: max },
    fatal,
  ).default(initial);
}

export function decimal(initial: number, range: Range): Shape<number> {
  const { min, max, fatal = false } = range;
  return scalar(
    (value) => {
      const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
    range.falco ?? `expected a number from ${min} to ${max}`,
    { type: "number", minimum: min, maximum: max },
    fatal,
  ).default(initial);
}

export interface ChoiceOptions {
  /** Compare without case and give the lower-case word. */
  readonly foldCase?: boolean;
  /** What Falco says of another word, with "%s" for that. */
  readonly falco?: string;
}

/** One of a few words; anything else is fatal, as it is in Falco. */
export function choice<const Word extends string>(
  initial: Word,
  words: readonly Word[],
  options: ChoiceOptions = {},
): Shape<Word> {
  return scalar(
    (value) => {
      const wanted = options.foldCase ? value.toLowerCase() : value;
      return words.find((word) => word === wanted);
    },
    options.falco ?? `expected one of ${words.join(", ")}`,
    { type: "string", enum: [...words] },
    true,
  ).default(initial);
}

/** A value that only a given test accepts; anything else is fatal. */
export function checkedText(
  initial: string,
  test: (value: string) => boolean,
  expected: string,
): Shape<string> {
  return scalar(
    (value) => test(value) ? value : undefined,
    `expected ${expected}`,
    { type: "string" },
    true,
  ).default(initial);
}

/**
 * A sequence; a single value counts as a sequence of one, an empty one as none, and a text in
 * square brackets is read as YAML, such as that of `-o rules_files=[a, b]`.
 */
export function sequence<T>(item: Shape<T>): Shape<T[]> {
  return list(item, (value) => {
    if (value === "" || value === undefined) return [];
    if (Array.isArray(value)) return value;
    return (typeof value === "string" ? bracketed(value) : undefined) ?? [value];
  });
}

function bracketed(text: string): ConfigValue[] | undefined {
  if (!/^\[[^]*\]$/.test(text)) return undefined;
  try {
    const value = parseInline(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    // A text of its own.
    return undefined;
  }
}
