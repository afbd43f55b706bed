// A column of values → the values of its events, one event after the other, in saker's own types.
import type { Value } from "../fields/row/field.ts";
import { rawText } from "../words/raw_text.ts";
import type { PluginColumn, PluginFieldType } from "./contract.ts";

/** Reads a column; kept for as long as its batch. Events are mostly asked in their order. */
export class ColumnValues {
  readonly #type: PluginFieldType;
  readonly #isList: boolean;
  readonly #counts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #bytes: Uint8Array;
  /** The event asked last, and how many values stand before its own. */
  #event = 0;
  #before = 0;

  /** Copies the column: ports write their next one over it, and text is decoded from memory that
   * nobody shares. */
  constructor({ counts, ends, bytes }: PluginColumn, type: PluginFieldType, isList: boolean) {
    this.#type = type;
    this.#isList = isList;
    this.#counts = counts.slice();
    this.#ends = ends.slice();
    this.#bytes = bytes.slice();
  }

  /** Events that it has values of, or is known to have none of. */
  get events(): number {
    return this.#counts.length;
  }

  /** Of the n-th event of the column. */
  of(event: number): Value {
    if (event < this.#event) this.#event = this.#before = 0;
    for (; this.#event < event; this.#event++) this.#before += this.#counts[this.#event] ?? 0;
    const count = this.#counts[event] ?? 0;
    if (count === 0) return undefined;
    if (!this.#isList) return this.#value(this.#before);
    const values: Value[] = [];
    for (let at = this.#before; at < this.#before + count; at++) values.push(this.#value(at));
    return values;
  }

  #value(at: number): Value {
    const from = at === 0 ? 0 : this.#ends[at - 1]!;
    const to = this.#ends[at];
    if (to === undefined) return undefined;
    const bytes = this.#bytes.subarray(from, to);
    switch (this.#type) {
      case "string":
        return rawText(bytes);
      case "bool":
        return bytes.some((byte) => byte !== 0);
      case "uint64":
        return numberOf(bytes);
      case "reltime":
      case "abstime":
        return bigOf(bytes);
      case "ipaddr":
        return bytes;
      case "ipnet":
        // Falco compares the address alone.
        return bytes.length === 5 || bytes.length === 17 ? bytes.subarray(0, -1) : bytes;
    }
  }
}

function bigOf(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== 8) return undefined;
  return BigInt(half(bytes, 4)) << 32n | BigInt(half(bytes, 0));
}

/** As other numbers of events are: exact, and small ones without a big integer. */
function numberOf(bytes: Uint8Array): number | bigint | undefined {
  if (bytes.length !== 8) return undefined;
  const high = half(bytes, 4);
  return high < EXACT_HIGH ? high * 0x1_0000_0000 + half(bytes, 0) : bigOf(bytes);
}

/** Numbers below this times 2^32 are exact without a big integer. */
const EXACT_HIGH = 0x20_0000;

/** Little end first. */
function half(bytes: Uint8Array, at: number): number {
  const upper = bytes[at + 3]! * 0x100_0000;
  return upper + (bytes[at + 2]! << 16 | bytes[at + 1]! << 8 | bytes[at]!);
}
