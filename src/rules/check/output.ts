// Output formats: text with `%field`, `%field[argument]`, `%transformer(field)` and paddings in, a
// function that renders an event out.
import { MISSING_TEXT } from "../../words/missing.ts";
import type { Bound, Value } from "../../fields/row/field.ts";
import type { Operand, Read } from "./condition.ts";
import { type FieldLookup, resolveOperand } from "./operand.ts";
import { shownText } from "../../words/raw_text.ts";
import { parseTerm } from "../parse/parse.ts";

export interface OutputToken {
  /** Characters that the text is cut or filled up to; 0: as long as it is. */
  readonly width: number;
  readonly operand: Operand;
}

export interface OutputFormat {
  readonly tokens: readonly (string | OutputToken)[];
  /** Each field once, those inside of transformers too, in order. */
  readonly fields: readonly Bound[];
}

export type ParsedOutput = { readonly format: OutputFormat } | {
  readonly error: string;
  /** Offset of the `%`. */
  readonly at: number;
  readonly hint?: string;
};

/** Parses a format; the errors are Falco's texts. */
export function parseOutput(text: string, lookup: FieldLookup): ParsedOutput {
  if (text === "") return { error: "empty formatting token", at: 0 };
  const start = text[0] === "*" ? 1 : 0;
  const tokens: (string | OutputToken)[] = [];
  const fields = new Map<string, Bound>();
  let done = start;
  for (let at = text.indexOf("%", start); at >= 0; at = text.indexOf("%", done)) {
    if (at > done) tokens.push(text.slice(done, at));
    const digits = /^[0-9]*/.exec(text.slice(at + 1, at + 1 + WIDTH_DIGITS_MAX))![0];
    const begin = at + 1 + digits.length;
    if (begin >= text.length) {
      const what = digits === "" ? "a %" : "a number";
      return { error: `invalid formatting syntax: formatting cannot end with ${what}`, at };
    }
    const found = readToken(text, begin, lookup);
    if ("error" in found) return { ...found, at };
    const { operand, end } = found;
    tokens.push({ width: Number(digits), operand });
    for (const bound of operand.fields) fields.set(bound.text, bound);
    done = end;
  }
  if (done < text.length) tokens.push(text.slice(done));
  return { format: { tokens, fields: [...fields.values()] } };
}

/** Four digits pad to ten thousand characters. */
const WIDTH_DIGITS_MAX = 4;
/** Characters that a field and its argument may have. */
const TOKEN_CHARS_MAX = 4096;

/** The longest start of the text that is a field or transformer that exists. */
function readToken(
  text: string,
  begin: number,
  lookup: FieldLookup,
): { operand: Operand; end: number } | { error: string; hint?: string } {
  let first: { error: string; hint?: string } | undefined;
  let length = Math.min(text.length - begin, TOKEN_CHARS_MAX);
  while (length > 0) {
    const parsed = parseTerm(text.slice(begin, begin + length));
    if ("error" in parsed) {
      first ??= { error: parsed.error.message };
      length = parsed.error.at < length ? parsed.error.at : length - 1;
      continue;
    }
    const found = resolveOperand(parsed.tree, lookup);
    if ("operand" in found) return { operand: found.operand, end: begin + parsed.end };
    // What the parser took whole says best what is missing.
    if (first === undefined || !first.hint) {
      first = { error: found.error, ...(found.hint && { hint: found.hint }) };
    }
    length = parsed.end - 1;
  }
  const { error = "", hint } = first ?? {};
  return { error: `unknown filter: ${error}`, ...(hint && { hint }) };
}

/** Turns the value of a field, or of what a transformer made of it, into text. */
export interface Rendering {
  /** A field as outputs show it. */
  readonly fieldText: (bound: Bound) => string;
  readonly fieldJson: (bound: Bound) => Value;
  /** What conditions see of a field: what transformers take. */
  readonly read: Read;
}

export function renderText(format: OutputFormat, rendering: Rendering): string {
  let result = "";
  for (const token of format.tokens) {
    if (typeof token === "string") {
      result += token;
      continue;
    }
    const { operand, width } = token;
    const text = operand.bound !== undefined
      ? rendering.fieldText(operand.bound)
      : plainText(operand.read(rendering.read));
    result += width === 0 ? text : text.slice(0, width).padEnd(width);
  }
  return result;
}

/** Text of what a transformer gives: a string, a number or a list. */
function plainText(value: Value): string {
  if (value === undefined) return MISSING_TEXT;
  if (Array.isArray(value)) return `(${value.map(plainText).join(",")})`;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return shownText(String(value));
}

export function renderFields(
  format: OutputFormat,
  rendering: Rendering,
): (readonly [string, Value])[] {
  return format.fields.map((bound) => [bound.text, rendering.fieldJson(bound)] as const);
}
