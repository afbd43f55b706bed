// Where a socket leads: fields of its kind, addresses and ports, of calls whose event tells both
// ends, as tests of what the sieve over captures makes of those (bindings-rs/src/sieve/ends.rs). An
// atom comes in, and whether it is asked for or its contrary; a formula comes out.
//
// The walk asks all tests of an event under each way in which the engine may understand it (which
// end is the client's, which one the machine's). Each way decides every test, so that here the
// contrary of a test is exact; where the ways are not known, tests and contraries hold.
import { codeOf } from "../events/table.ts";
import { addressBytes } from "../fields/compare/operators_literal.ts";
import { ipText } from "../fields/text/addresses.ts";
import type { Atom } from "../rules/check/condition.ts";
import { constant, type Formula, number, type NumberTest } from "./formula.ts";

/** Calls whose events tell both ends. */
const CONNECT = codeOf("SOCKET_CONNECT_X");
const ACCEPTS = [codeOf("SOCKET_ACCEPT_5_X"), codeOf("SOCKET_ACCEPT4_6_X")];
const CODES: ReadonlySet<number> = new Set([CONNECT, ...ACCEPTS]);

/** Which end a test is about, its `param`; as bindings-rs/src/sieve/ends.rs has them. */
export const ENDS = ["client", "server", "local", "remote", "either", "both"] as const;
const ENDS_OF: Readonly<Record<string, (typeof ENDS)[number]>> = {
  c: "client",
  s: "server",
  l: "local",
  r: "remote",
  "": "either",
};

/** What a socket is to the engine: the bit of each in a test's `value`. */
export const SOCKET_KINDS = ["nothing", "ipv4", "ipv6", "unix"] as const;
const CHARS = ["", "4", "6", "u"];
const FAMILIES = ["", "ip", "ip", "unix"];

const FIELD = /^fd\.([csrl]?)(ip|net|port|proto)$/;
/** Ranges of a set, and words of all, at the most. */
const RANGES_MAX = 4096;
const WORDS_MAX = 1 << 20;

/** From the first to the last, as numbers. */
type Range = readonly [from: bigint, to: bigint];

/** Values of an end for which an atom holds. */
interface EndSet {
  readonly what: "address" | "port";
  readonly v4: readonly Range[];
  readonly v6: readonly Range[];
  readonly ports: readonly Range[];
  /** Whether it holds where there is no descriptor, and of one that leads to no such ends. */
  readonly ofNothing: boolean;
  readonly ofOthers: boolean;
}

/** The sets that tests name by their place, each once. */
export class EndSets {
  readonly #sets: EndSet[] = [];
  readonly #places = new Map<string, number>();
  readonly #known = new Map<EndSet, number | undefined>();
  #words = 1;

  /** Undefined: no room. */
  placeOf(set: EndSet): number | undefined {
    if (!this.#known.has(set)) this.#known.set(set, this.#put(set));
    return this.#known.get(set);
  }

  #put(set: EndSet): number | undefined {
    const key = JSON.stringify(set, (_, value) => typeof value === "bigint" ? `${value}` : value);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const words = wordsOf(set).length;
    if (this.#words + words > WORDS_MAX) return undefined;
    this.#words += words;
    this.#places.set(key, this.#sets.length);
    this.#sets.push(set);
    return this.#sets.length - 1;
  }

  /** As bindings-rs/src/sieve/ends.rs reads them: how many, then each. */
  words(): Uint32Array {
    return Uint32Array.from([this.#sets.length, ...this.#sets.flatMap(wordsOf)]);
  }

  /** A test of these in words; undefined: it is another one. */
  describe({ param, form, value }: NumberTest, inverted: boolean): string | undefined {
    if (form === "socket") {
      const kinds = SOCKET_KINDS.filter((_, at) => (value >> BigInt(at) & 1n) === 1n);
      return `a socket of kind ${inverted ? "other than " : ""}${kinds.join(" or ")}`;
    }
    if (form !== "address" && form !== "port") return undefined;
    const { v4, v6, ports } = this.#sets[Number(value)]!;
    const texts = form === "port"
      ? ports.map(([from, to]) => from === to ? `${from}` : `${from} to ${to}`)
      : [...v4.map((one) => networkText(one, 4)), ...v6.map((one) => networkText(one, 16))];
    const end = ENDS[param]!;
    const whose = end === "either" || end === "both" ? `${form} of ${end}` : `${end}'s ${form}`;
    return `${whose} ${inverted ? "not " : ""}among ${listed(texts)}`;
  }
}

function wordsOf({ v4, v6, ports, ofNothing, ofOthers }: EndSet): number[] {
  const of = (ranges: readonly Range[], words: number) =>
    ranges.flat().flatMap((value) =>
      Array.from(
        { length: words },
        (_, at) => Number(value >> BigInt(32 * (words - 1 - at)) & 0xffff_ffffn),
      )
    );
  const flags = (ofNothing ? 1 : 0) | (ofOthers ? 2 : 0);
  return [flags, v4.length, v6.length, ports.length, ...of(v4, 1), ...of(v6, 4), ...of(ports, 1)];
}

/** Undefined: the atom is about no end, or the event tells of none. */
export function endFormula(
  atom: Atom,
  negated: boolean,
  code: number,
  sets: EndSets,
): Formula | undefined {
  const { left, right } = atom;
  if (right !== undefined || left.bound === undefined || !CODES.has(code)) return undefined;
  const kinds = kindTexts(left.text, code);
  if (kinds !== undefined) return kindFormula(kinds, (text) => atom.test(text, undefined), negated);
  const [, letter, what] = FIELD.exec(left.text) ?? [];
  if (letter === undefined || letter !== "" && what === "proto") return undefined;
  let set = known.get(atom);
  if (set === undefined) known.set(atom, set = setOf(atom, what!, letter === "") ?? "none");
  if (set === "none") return undefined;
  const nowhere = [set.v4, set.v6, set.ports].every((ranges) => ranges.length === 0);
  if (nowhere && !set.ofNothing && !set.ofOthers) return constant(negated);
  const place = sets.placeOf(set);
  if (place === undefined) return undefined;
  const end = letter === "" && atom.comparator.operator === "!=" ? "both" : ENDS_OF[letter]!;
  return number({
    kind: "among",
    param: ENDS.indexOf(end),
    form: set.what,
    value: BigInt(place),
  }, negated);
}

/** What a field shows of each kind; undefined: it shows something else. */
function kindTexts(field: string, code: number): readonly (string | undefined)[] | undefined {
  const nothing = (shown: string | undefined) => [shown, ...SOCKET_KINDS.slice(1)];
  switch (field) {
    case "fd.type":
      return nothing(undefined);
    case "fd.typechar":
      // The letter of what a call would have made.
      return [code === CONNECT ? "o" : "4", ...CHARS.slice(1)];
    case "fd.sockfamily":
      return [undefined, ...FAMILIES.slice(1)];
    default:
      return undefined;
  }
}

function kindFormula(
  texts: readonly (string | undefined)[],
  holds: (text: string | undefined) => boolean,
  negated: boolean,
): Formula {
  const bits = texts.reduce((bits, text, at) => holds(text) ? bits | 1 << at : bits, 0);
  if (bits === 0 || bits === (1 << texts.length) - 1) return constant((bits !== 0) !== negated);
  return number({ kind: "any_bit", param: 0, form: "socket", value: BigInt(bits) }, negated);
}

/** Sets of atoms, which are the same for all events. */
const known = new WeakMap<Atom, EndSet | "none">();

/** The set of an atom; undefined where it has no sorted one. `isList`: the field shows a list of
 * both ends, of which an atom looks at each by itself. */
function setOf({ left, literals, test }: Atom, what: string, isList: boolean): EndSet | undefined {
  if (literals.length * 4 > RANGES_MAX) return undefined;
  const holds = (value: string | number) => test((isList ? [value] : value) as never, undefined);
  const ofNothing = test(undefined, undefined);
  const ofOthers = test((isList ? [] : undefined) as never, undefined);
  const others = { ofNothing, ofOthers, v4: [], v6: [], ports: [] };
  if (what === "port" || what === "proto") {
    if (left.subject.type !== "PORT") return undefined;
    if (!literals.every((one) => typeof one === "number" && Number.isInteger(one))) {
      return undefined;
    }
    const cuts = literals.flatMap((one) => [BigInt(one as number), BigInt(one as number) + 1n]);
    const ports = rangesOf(cuts, 16n, (port) => holds(Number(port)));
    return { ...others, what: "port", ports };
  }
  const cuts = { 4: [] as bigint[], 16: [...ODD_V6] };
  for (const literal of literals) {
    const range = rangeOf(literal);
    if (range === undefined) return undefined;
    cuts[range.bytes].push(range.from, range.to + 1n);
  }
  return {
    ...others,
    what: "address",
    v4: rangesOf(cuts[4], 32n, (ip) => holds(addressText(ip, 4))),
    v6: rangesOf(cuts[16].flatMap(withTwin), 128n, (ip) => holds(addressText(ip, 16))),
  };
}

/** Where addresses of IPv6 begin and end to be written with one of IPv4. */
const MAPPED = 0xffffn << 32n;
const ODD_V6 = [0n, 1n, 1n << 16n, 1n << 32n, MAPPED, 1n << 48n];

/** `::1.2.3.4` is read as `::ffff:1.2.3.4` is. */
function withTwin(cut: bigint): bigint[] {
  return cut >= MAPPED && cut <= MAPPED + (1n << 32n) ? [cut, cut - MAPPED] : [cut];
}

function rangeOf(literal: Atom["literals"][number]) {
  if (typeof literal !== "object" || !("kind" in literal)) return undefined;
  if (literal.kind === "network") {
    const bytes = literal.bytes.length as 4 | 16;
    const free = (1n << BigInt(bytes * 8 - literal.bits)) - 1n;
    const from = numberOf(literal.bytes) & ~free;
    return { bytes, from, to: from | free };
  }
  const bytes = addressBytes(literal.text);
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const from = numberOf(bytes);
  return { bytes: bytes.length as 4 | 16, from, to: from };
}

function numberOf(bytes: Iterable<number>): bigint {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return value;
}

/** The ranges in which it holds, where it changes at cuts alone. */
function rangesOf(cuts: readonly bigint[], bits: bigint, holds: (value: bigint) => boolean) {
  const end = 1n << bits;
  const starts = [...new Set([0n, ...cuts])].filter((cut) => cut >= 0n && cut < end)
    .sort((one, other) => one < other ? -1 : 1);
  const ranges: [bigint, bigint][] = [];
  for (const [at, start] of starts.entries()) {
    if (!holds(start)) continue;
    const to = (starts[at + 1] ?? end) - 1n;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === start - 1n) last[1] = to;
    else ranges.push([start, to]);
  }
  return ranges;
}

function addressText(value: bigint, length: 4 | 16): string {
  return ipText(
    Uint8Array.from({ length }, (_, at) => Number(value >> BigInt(8 * (length - 1 - at)) & 0xffn)),
  );
}

/** A network as rules write it, where the range is one. */
function networkText([from, to]: Range, length: 4 | 16): string {
  const bits = (to - from + 1n).toString(2).length - 1;
  const first = addressText(from, length);
  if (from === to) return first;
  const isNetwork = to - from + 1n === 1n << BigInt(bits) && (from & to - from) === 0n;
  return isNetwork ? `${first}/${length * 8 - bits}` : `${first} to ${addressText(to, length)}`;
}

const SHOWN = 8;

function listed(texts: readonly string[]): string {
  if (texts.length === 0) return "none";
  const more = texts.length - SHOWN;
  return texts.slice(0, SHOWN).join(", ") + (more > 0 ? ` or one of ${more} ranges more` : "");
}
