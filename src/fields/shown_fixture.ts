// Events for tests, for the table of what fields show (shown_test.ts): each event of the event
// table with values made up from its types.
import { type EventInfo, EVENTS, type Param, type ParamType } from "../events/table.ts";
import type { EventValues, ParamValue } from "../events/event_fixture.ts";
import { CHILD, nulList, SHELL } from "./context_fixture.ts";

const encoder = new TextEncoder();

/** Bytes of several kinds, one after the other: numbers are bytes, texts end with NUL. */
function packed(...parts: (number | string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
        ? [...encoder.encode(part), 0]
        : [...part]
    ),
  );
}

const V4_HERE = [127, 0, 0, 1];
const V4_THERE = [93, 184, 216, 34];
const V6_HERE = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 7];
const V6_MAPPED = [...Array<number>(10).fill(0), 0xff, 0xff, 10, 1, 2, 3];
/** 53000 and 443, as the kernel's numbers are. */
const PORT_HIGH = [0x08, 0xcf];
const PORT_HTTPS = [0xbb, 0x01];
const POINTER = [1, 2, 3, 4, 5, 6, 7, 8];
const OTHER_POINTER = [9, 8, 7, 6, 5, 4, 3, 2];

/** An address of the family. */
const ADDRESSES: readonly Uint8Array[] = [
  packed(2, V4_THERE, PORT_HTTPS),
  packed(10, V6_HERE, PORT_HIGH),
  packed(10, V6_MAPPED, PORT_HTTPS),
  packed(1, "/run/a.sock"),
  packed(1, 0, "name"),
  packed(16, [1, 0, 0, 0]),
];

const TUPLES: readonly Uint8Array[] = [
  packed(2, V4_HERE, PORT_HIGH, V4_THERE, PORT_HTTPS),
  packed(10, V6_HERE, PORT_HIGH, V6_MAPPED, PORT_HTTPS),
  packed(10, V6_MAPPED, PORT_HIGH, V6_MAPPED, PORT_HTTPS),
  packed(1, POINTER, OTHER_POINTER, "/run/a.sock"),
  packed(1, POINTER, OTHER_POINTER, 0, "name"),
  packed(2, V4_THERE, PORT_HTTPS, V4_HERE, PORT_HIGH),
];

/** Every address and tuple, cut to each length, and with another byte at the end. */
export function cutAddresses(): { kind: "SOCKADDR" | "SOCKTUPLE"; bytes: Uint8Array }[] {
  const of = (kind: "SOCKADDR" | "SOCKTUPLE", all: readonly Uint8Array[]) =>
    all.flatMap((whole) =>
      Array.from({ length: whole.length }, (_, cut) => whole.slice(0, cut + 1))
        .flatMap((bytes) => [bytes, Uint8Array.of(...bytes, 1)])
    ).map((bytes) => ({ kind, bytes }));
  return [...of("SOCKADDR", ADDRESSES), ...of("SOCKTUPLE", TUPLES)];
}

export const TUPLE = { v4: TUPLES[0]!, v6: TUPLES[1]!, unix: TUPLES[3]!, from: TUPLES[5]! };
export const ADDRESS = { v4: ADDRESSES[0]!, v6: ADDRESSES[1]!, unix: ADDRESSES[3]! };

const SIGNED: ReadonlySet<ParamType> = new Set(["INT8", "INT16", "INT32", "INT64"]);

/** A value of the parameter's type; `round` changes what it is. */
function valueOf(info: EventInfo, param: Param, at: number, round: number): ParamValue {
  const { type, flags, dynamic } = param;
  const seed = info.code + 7 * at + 13 * round;
  if (flags !== undefined && flags.length > 0) {
    const [one, other] = [seed, seed + 3 * round].map((n) => flags[n % flags.length]!.value);
    return /^ENUM|^UINT|^INT/.test(type) ? one : one! | other!;
  }
  switch (type) {
    case "CHARBUF":
      return ["word", "two words", "tab\there", ""][seed % 4];
    case "FSPATH":
      return ["/etc/./passwd", "rel/../a", "//x//y/", "/"][seed % 4];
    case "FSRELPATH":
      return ["sub/file", "/abs/path", "../up"][seed % 3];
    case "BYTEBUF":
      return packed("data", 1, 0xff, "\n.")
        .slice(round);
    case "CHARBUFARRAY":
    case "CHARBUF_PAIR_ARRAY":
      return nulList(["A=1", "b b", "=x"].slice(round));
    case "SOCKADDR":
      return ADDRESSES[seed % ADDRESSES.length];
    case "SOCKTUPLE":
      return TUPLES[seed % TUPLES.length];
    case "FDLIST":
      return packed([2, 0], [3, 0, 0, 0, 0, 0, 0, 0, 5, 0], [9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]);
    case "DYN":
      return dynamic === undefined
        ? undefined
        : packed(seed % dynamic.length, [5, 0, 0, 0], POINTER);
    case "ERRNO":
      return [0, -2, 4096][(seed + round) % 3];
    case "FD":
      return [3, -9, 5, -100][(at + round) % 4];
    case "PID":
      return [CHILD, SHELL, 99_999, -1][seed % 4];
    case "SIGTYPE":
      return [9, 15, 64, 200][seed % 4];
    case "RELTIME":
    case "ABSTIME":
      return 1_700_000_000_123_456_789n + BigInt(seed);
    case "BOOL":
      return seed % 2;
    default:
      return SIGNED.has(type) && seed % 3 === 0 ? -seed : 1000 * seed + round;
  }
}

/** The event of a code with a value for each parameter. */
export function madeUp(info: EventInfo, round: number): EventValues {
  const params = info.params.map((param, at) => [param.name, valueOf(info, param, at, round)]);
  return { id: info.id, tid: CHILD, params: Object.fromEntries(params) };
}

/** Events that drivers send today. */
export function tableEvents(): readonly EventInfo[] {
  return EVENTS.filter(({ flags }) => !flags.has("unused") && !flags.has("old_version"));
}

/** Runs in a zone of its own: what is local differs from what is not, and on no machine else. */
export function inZone<T>(zone: string, run: () => T): T {
  const before = Deno.env.get("TZ");
  Deno.env.set("TZ", zone);
  try {
    return run();
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
  }
}
