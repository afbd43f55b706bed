// A value as explanations write it: texts in quotes, what is long cut.
import type { Value } from "../../fields/row/field.ts";

/** Characters of a value or a check that are shown. */
export const SHOWN_MAX = 160;

export function explainedValue(value: Value): string {
  return shortened(textOf(value));
}

export function shortened(text: string, most = SHOWN_MAX): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function textOf(value: Value): string {
  if (value === undefined) return "missing";
  // Of a long text no more is quoted than is shown.
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_MAX));
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `(${value.slice(0, SHOWN_MAX).map(textOf).join(", ")})`;
  return String(value);
}
