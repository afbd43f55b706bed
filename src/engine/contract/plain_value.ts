// Values of fields as plain JSON, which a reader gets as they are: no bytes, no integers that would
// be rounded, no text without end.
import type { Value } from "../../fields/row/field.ts";

/** A value as plain JSON; integers that JSON's readers would round are texts. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[];

/** Characters of a text that are kept. */
const TEXT_MAX = 4_096;

export function plainValue(value: Value): PlainValue {
  switch (typeof value) {
    case "undefined":
      return null;
    case "string":
      return value.length <= TEXT_MAX ? value : `${value.slice(0, TEXT_MAX)}…`;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "number":
      return Number.isFinite(value) ? value : null;
    case "boolean":
      return value;
    default:
      return value instanceof Uint8Array ? `${value.length} bytes` : value.map(plainValue);
  }
}
