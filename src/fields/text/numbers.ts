// Numbers as text in the formats that parameters and fields have.
import type { ParamFormat, ParamType } from "../../events/table.ts";

/** Bits of each type of number; the others have 64. */
const BITS: Partial<Record<ParamType, number>> = {
  INT8: 8,
  UINT8: 8,
  FLAGS8: 8,
  ENUMFLAGS8: 8,
  L4PROTO: 8,
  INT16: 16,
  UINT16: 16,
  FLAGS16: 16,
  ENUMFLAGS16: 16,
  PORT: 16,
  INT32: 32,
  UINT32: 32,
  FLAGS32: 32,
  ENUMFLAGS32: 32,
  MODE: 32,
  UID: 32,
  GID: 32,
};

const SIGNED: ReadonlySet<ParamType> = new Set([
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "ERRNO",
  "FD",
  "PID",
  "FD32",
  "PID32",
]);

/** A field's number: decimal, padded to nine digits, upper-case hexadecimal or octal. */
export function numberText(value: number | bigint, type: ParamType, format: ParamFormat): string {
  switch (format) {
    case "HEX":
      return unsigned(value, type).toString(16).toUpperCase();
    case "OCT":
      return unsigned(value, type).toString(8);
    case "10_PADDED_DEC":
      return decimal(value, type).padStart(9, "0");
    default:
      return decimal(value, type);
  }
}

/** An event parameter's number: as `numberText`, but octal starts with a 0 and decimal is signed
 * whatever the type, as in Falco's event arguments. */
export function paramNumberText(
  value: number | bigint,
  type: ParamType,
  format: ParamFormat,
): string {
  if (format === "HEX") return numberText(value, type, format);
  if (format === "OCT") {
    const digits = numberText(value, type, format);
    return digits === "0" ? digits : `0${digits}`;
  }
  const digits = String(BigInt.asIntN(BITS[type] ?? 64, BigInt(value)));
  return format === "10_PADDED_DEC" ? digits.padStart(9, "0") : digits;
}

function decimal(value: number | bigint, type: ParamType): string {
  if (!SIGNED.has(type)) return String(unsigned(value, type));
  const bits = BITS[type] ?? 64;
  return bits < 64 ? String(BigInt.asIntN(bits, BigInt(value))) : String(value);
}

function unsigned(value: number | bigint, type: ParamType): number | bigint {
  return value < 0 ? BigInt.asUintN(BITS[type] ?? 64, BigInt(value)) : value;
}
