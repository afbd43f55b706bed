// The kinds of value that configuration keys take. Scalars arrive as text and are converted as
// yaml-cpp does; a value that does not convert raises an issue that says what was expected.
//
// An issue is fatal only where Falco refuses to start; elsewhere Falco falls back silently, and
// saker falls back and says so (`fatal` below, read in read_config.ts).
import * as z from "zod";
import { type ConfigValue, parseInline } from "./layer.ts";

const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

type Convert<T> = (text: string) => T | undefined;

export function bool(initial: boolean) {
  return scalar(
    (text) => TRUE.test(text) ? true : FALSE.test(text) ? false : undefined,
    "expected true or false",
    { type: "boolean" },
  ).default(initial);
}

export function text(initial: string) {
  return scalar((value) => value, "expected a text", { type: "string" }).default(initial);
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly fatal?: boolean;
  /** What Falco says of another number. */
  readonly falco?: string;
}

export function integer(initial: number, range: Range) {
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

export function decimal(initial: number, range: Range) {
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
) {
  return scalar(
    (value) => {
      const wanted = options.foldCase ? value.toLowerCase() : value;
      return words.find((word) => word === wanted);
    },
    options.falco ?? `expected one of ${words.join(", ")}`,
    { type: "string", enum: [...words] },
    true,
  ).default(initial as never);
}

/** A value that only a given test accepts; anything else is fatal. */
export function checkedText(initial: string, test: (value: string) => boolean, expected: string) {
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
export function sequence<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => {
    if (value === "") return [];
    if (Array.isArray(value) || value === undefined) return value;
    return (typeof value === "string" ? bracketed(value) : undefined) ?? [value];
  }, z.array(item));
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

/** A map of known keys; an empty value counts as an empty map. */
export function map<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(
    (value) => value === "" || value === undefined ? {} : value,
    z.strictObject(shape),
  );
}

/** A piece of text that stands for itself, for the items of sequences and maps. */
export const word = z.string("expected a text");

function scalar<T>(
  convert: Convert<T>,
  expected: string,
  meta: Record<string, unknown>,
  fatal = false,
) {
  return z.unknown().transform((value, context): T => {
    const converted = typeof value === "string" ? convert(value.trim()) : undefined;
    if (converted !== undefined) return converted;
    context.addIssue({ code: "custom", message: expected, params: { fatal } });
    return z.NEVER;
  }).meta(meta);
}
