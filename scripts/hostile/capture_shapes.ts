// Captures that are small on the disk and ask for much memory: shapes come out, each as pieces of
// a capture that are sound one by one, and far too many.
import { eventBytes } from "../../src/events/event_fixture.ts";

/** A name, and the plain bytes of the capture behind its first header. */
export interface CaptureShape {
  readonly name: string;
  pieces(): Generator<Uint8Array>;
}

const MANY = 3_000_000;
const SECTION = 0x0a0d0d0a;
const EVENT = 0x216;
const PROCESSES = 0x215;
const DESCRIPTORS = 0x218;
const USERS = 0x220;
const INTERFACES = 0x219;
const MACHINE = 0x201;
const UNKNOWN = 0x999;

function block(type: number, body: Uint8Array): Uint8Array {
  const padded = (body.length + 3) & ~3;
  const bytes = new Uint8Array(padded + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, bytes.length, true);
  return bytes;
}

export function sectionHeader(): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, 0x1a2b3c4d, true);
  view.setUint16(4, 1, true);
  view.setUint16(6, 2, true);
  view.setBigUint64(8, 0xffff_ffff_ffff_ffffn, true);
  return block(SECTION, body);
}

/** The same bytes again and again, a megabyte or so at a time. */
function* repeated(bytes: Uint8Array, times: number): Generator<Uint8Array> {
  const inOne = Math.max(1, Math.min(times, Math.floor((1 << 20) / bytes.length)));
  const piece = new Uint8Array(inOne * bytes.length);
  for (let at = 0; at < inOne; at++) piece.set(bytes, at * bytes.length);
  for (let left = times; left > 0; left -= inOne) {
    yield left >= inOne ? piece : piece.subarray(0, left * bytes.length);
  }
}

/** Numbers of 1, 2, 4 or 8 bytes and texts with their length in two, one behind the other. */
function body(...parts: readonly (readonly [bytes: number, value: number | bigint] | string)[]) {
  const bytes: number[] = [];
  const number = (size: number, value: bigint) => {
    for (let at = 0; at < size; at++) bytes.push(Number((value >> BigInt(8 * at)) & 0xffn));
  };
  for (const part of parts) {
    if (typeof part !== "string") number(part[0], BigInt.asUintN(64, BigInt(part[1])));
    else {
      number(2, BigInt(part.length));
      for (const char of part) bytes.push(char.charCodeAt(0));
    }
  }
  return Uint8Array.from(bytes);
}

/** An entry of a process list, as long as it says. */
function processEntry(tid: number, args = "", env = ""): Uint8Array {
  const rest = body(
    ...[tid, tid, 1, 1, 1].map((value) => [8, value] as const),
    "comm",
    "exe",
    `/bin/p${tid}`,
    args,
    "/",
    [8, 1024],
    [4, 0],
    [4, 0],
    [4, 0],
    ...[0, 0, 0].map(() => [4, 0] as const),
    [8, 0],
    [8, 0],
    env,
    [8, tid],
    [8, tid],
    "",
    "/",
  );
  const filled = new Uint8Array(rest.length + 100);
  filled.set(rest);
  return joined([body([4, filled.length + 4]), filled]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function* processBlocks(
  lists: number,
  entries: number,
  tid: (at: number) => number,
  text: (at: number) => string = () => "",
) {
  for (let list = 0; list < lists; list++) {
    const parts = Array.from({ length: entries }, (_, at) => {
      const place = list * entries + at;
      return processEntry(tid(place), text(place), text(place + 1));
    });
    yield block(PROCESSES, joined(parts));
  }
}

function fileEntry(number: number, name: string): Uint8Array {
  const rest = body([8, number], [8, number], [1, 16], [4, 0], name, [4, 0]);
  return joined([body([4, rest.length + 4]), rest]);
}

function* events(count: number, make: (at: number) => Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < count; at++) {
    yield block(EVENT, joined([new Uint8Array(2), make(at)]));
  }
}

const TIME = 1_700_000_000_000_000_000n;

export const SHAPES: readonly CaptureShape[] = [
  { name: "unknown blocks", pieces: () => repeated(block(UNKNOWN, new Uint8Array(0)), MANY) },
  { name: "section headers", pieces: () => repeated(sectionHeader(), MANY) },
  { name: "machine blocks", pieces: () => repeated(block(MACHINE, new Uint8Array(156)), MANY / 3) },
  { name: "empty lists", pieces: () => repeated(block(USERS, new Uint8Array(0)), MANY) },
  {
    name: "lists of users",
    *pieces() {
      for (let list = 0; list < 300; list++) {
        const users = Array.from({ length: 1000 }, (_, at) => {
          const name = `u${list}-${at}-${"x".repeat(200)}`;
          const rest = body([1, 0], [4, list * 1000 + at], [4, 1], name, name, name);
          return joined([body([4, rest.length + 4]), rest]);
        });
        yield block(USERS, joined(users));
      }
    },
  },
  {
    name: "interfaces",
    *pieces() {
      const entry = body([2, 1], [2, 4], [4, 1], [4, 1], [4, 1], [8, 0]);
      const one = joined([entry, new Uint8Array([101, 116, 104, 48])]);
      const list = joined([body([4, one.length]), one]);
      yield* repeated(block(INTERFACES, list), 500_000);
    },
  },
  {
    name: "one process a million times",
    pieces: () => processBlocks(100, 10_000, () => 7),
  },
  { name: "half a million processes", pieces: () => processBlocks(50, 10_000, (at) => at + 2) },
  {
    name: "a process list of 60 MB",
    pieces: () => processBlocks(1, 220_000, (at) => at + 2),
  },
  {
    name: "processes with long arguments",
    pieces: () => processBlocks(40, 1_000, (at) => at + 2, (at) => `${at}`.padEnd(4_000, "x")),
  },
  {
    name: "descriptors under long names",
    *pieces() {
      yield* processBlocks(1, 100, (at) => at + 2);
      for (let pid = 2; pid < 102; pid++) {
        const files = Array.from({ length: 3000 }, (_, at) => {
          return fileEntry(at, `/${pid}-${at}`.padEnd(900, "x"));
        });
        yield block(DESCRIPTORS, joined([body([8, pid]), ...files]));
      }
    },
  },
  {
    name: "descriptors of one process",
    *pieces() {
      yield* processBlocks(1, 1, () => 7);
      for (let list = 0; list < 100; list++) {
        const files = Array.from({ length: 5000 }, (_, at) => fileEntry(list * 5000 + at, "/x"));
        yield block(DESCRIPTORS, joined([body([8, 7]), ...files]));
      }
    },
  },
  {
    name: "one descriptor a million times",
    *pieces() {
      yield* processBlocks(1, 1, () => 7);
      yield* repeated(block(DESCRIPTORS, joined([body([8, 7]), fileEntry(3, "/x")])), MANY / 3);
    },
  },
  {
    name: "a block of 200 MB",
    *pieces() {
      const bytes = new Uint8Array(200 << 20);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, PROCESSES, true);
      view.setUint32(4, bytes.length, true);
      view.setUint32(bytes.length - 4, bytes.length, true);
      yield bytes;
    },
  },
  {
    name: "calls entered that never return",
    pieces: () =>
      events(100_000, (at) => {
        const params = { addr: "x".repeat(8000) };
        return eventBytes({
          id: "SOCKET_SENDTO_E",
          tid: at,
          time: TIME,
          params: {
            fd: 3n,
            size: 5,
            tuple: new TextEncoder().encode(params.addr),
          },
        });
      }),
  },
  {
    name: "threads that nobody knows",
    pieces: () =>
      events(600_000, (at) =>
        eventBytes({
          id: "SYSCALL_CHDIR_X",
          tid: at + 2,
          time: TIME + BigInt(at),
          params: { res: 0n, path: `/d${at}` },
        })),
  },
  {
    name: "names that are all different",
    pieces: () =>
      events(300_000, (at) =>
        eventBytes({
          id: "SYSCALL_OPENAT_2_X",
          tid: 7,
          time: TIME + BigInt(at),
          params: {
            fd: BigInt(3 + at % 50_000),
            dirfd: -100n,
            name: `/${String(at).repeat(40)}`,
            flags: 1,
            mode: 0,
            dev: 0,
            ino: 0n,
          },
        })),
  },
];
