// The walk of probe-rs/src/sieve in TypeScript, over the same bytes: for tests, the reference that
// the other is held against.
import type { Event } from "../events/event.ts";
import {
  CLAUSE_BYTES,
  CLAUSES_AT,
  FORMS,
  GUARD_BYTES,
  HEAD_BYTES,
  TEST_KINDS,
  Verdict,
} from "./table.ts";

const ALL_MARKS = (1n << 64n) - 1n;
const IRREGULAR = 1n << 63n;

/** What is known of a name: the text that the fields show, and the one that the caller gave. */
export interface NameTexts {
  readonly joined: Uint8Array;
  readonly raw: Uint8Array;
}

export class TableWalk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #class: number;
  readonly #marks: number;
  readonly #ends: number;
  readonly #next: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const view = this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const states = view.getUint32(12, true);
    this.#class = HEAD_BYTES + view.getUint32(8, true) * GUARD_BYTES;
    this.#marks = this.#class + 256;
    this.#ends = this.#marks + 8 * states;
    this.#next = this.#ends + 8 * states;
  }

  /** Whether an event is kept; `names`: all of them, undefined where one is not known. */
  keeps(event: Event, names: readonly NameTexts[] | undefined): boolean {
    const guard = HEAD_BYTES + event.code * GUARD_BYTES;
    const verdict = this.#bytes[guard];
    if (verdict !== Verdict.Ask) return verdict === Verdict.Keep;
    const facts = this.#facts(guard, event);
    if (facts === undefined) return true;
    if (names === undefined) return this.#admits(guard, facts, ALL_MARKS);
    if (names.length === 0) return this.#admits(guard, facts, 0n);
    return names.some((name) => this.#admits(guard, facts, this.marks(name)));
  }

  /** The marks of a name; all where it is irregular. */
  marks({ joined, raw }: NameTexts): bigint {
    const [one, other] = [this.#walk(joined), this.#walk(raw)];
    if ((one | other) & IRREGULAR) return ALL_MARKS;
    return one & this.#view.getBigUint64(24, true) | other & this.#view.getBigUint64(32, true);
  }

  #walk(text: Uint8Array): bigint {
    const view = this.#view;
    const shift = view.getUint32(20, true);
    let state = 0;
    let found = 0n;
    for (const byte of text) {
      const cell = (state << shift) + this.#bytes[this.#class + byte]!;
      state = view.getUint16(this.#next + 2 * cell, true);
      found |= view.getBigUint64(this.#marks + 8 * state, true);
    }
    return found | view.getBigUint64(this.#ends + 8 * state, true);
  }

  #facts(guard: number, event: Event): number | undefined {
    let facts = 0;
    for (let index = 0; index < this.#bytes[guard + 1]!; index++) {
      const at = guard + 16 + 16 * index;
      const [kind, param, form, inverted, bit] = this.#bytes.subarray(at, at + 5);
      const value = numberOf(event, param!, FORMS[form!]!);
      if (value === undefined) return undefined;
      const constant = this.#view.getBigInt64(at + 8, true);
      const holds = testHolds(TEST_KINDS[kind!]!, value, constant, event.has(param!));
      if (holds !== (inverted === 1)) facts |= 1 << bit!;
    }
    return facts;
  }

  #admits(guard: number, facts: number, marks: bigint): boolean {
    for (let index = 0; index < this.#bytes[guard + 2]!; index++) {
      const at = guard + CLAUSES_AT + CLAUSE_BYTES * index;
      const all = this.#view.getUint32(at, true);
      const none = this.#view.getUint32(at + 4, true);
      const wanted = this.#view.getBigUint64(at + 8, true);
      const without = this.#view.getBigUint64(at + 16, true);
      if (
        (facts & all) >>> 0 === all && (facts & none) === 0 && (marks & wanted) === wanted &&
        (marks === ALL_MARKS || (marks & without) === 0n)
      ) return true;
    }
    return false;
  }
}

function testHolds(
  kind: (typeof TEST_KINDS)[number],
  value: bigint,
  constant: bigint,
  present: boolean,
): boolean {
  switch (kind) {
    case "none":
    case "among":
      return false;
    case "always":
      return true;
    case "equal":
      return value === constant;
    case "less":
      return value < constant;
    case "greater":
      return value > constant;
    case "any_bit":
      return (value & constant) !== 0n;
    case "present":
      return present;
  }
}

function numberOf(event: Event, param: number, form: (typeof FORMS)[number]): bigint | undefined {
  // Known from the event that made the socket, or with it.
  if (form === "protocol" || form === "socket") return undefined;
  if (form === "address" || form === "port") return undefined;
  const length = event.paramLength(param);
  if (length === 0) return 0n;
  const { view } = event;
  const at = event.param(param);
  switch (form) {
    case "u8":
      return length === 1 ? BigInt(view.getUint8(at)) : undefined;
    case "u16":
      return length === 2 ? BigInt(view.getUint16(at, true)) : undefined;
    case "u32":
      return length === 4 ? BigInt(view.getUint32(at, true)) : undefined;
    case "i32":
      return length === 4 ? BigInt(view.getInt32(at, true)) : undefined;
    case "i64":
      return length === 8 ? view.getBigInt64(at, true) : undefined;
    case "result":
      if (length === 4) return BigInt(view.getInt32(at, true));
      return length === 8 ? view.getBigInt64(at, true) : undefined;
    case "descriptor":
      return length === 4 || length === 8 ? BigInt(view.getInt32(at, true)) : undefined;
  }
}
