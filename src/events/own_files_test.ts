// Records of descriptors: each of their parts, several in a row, cut at each byte.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Event } from "./event.ts";
import { eventBytes, pointAt } from "./event_fixture.ts";
import { KIND_NONE, OwnFiles } from "./own_files.ts";

const PATH_OWN = 1;
const PATH_FOLLOWS = 3;
const MADE = 0x80;

interface Parts {
  readonly number?: number;
  readonly kind?: number;
  readonly marks?: number;
  readonly flags?: number;
  readonly dev?: number;
  readonly ino?: bigint;
  readonly more?: readonly number[];
}

function record(parts: Parts): number[] {
  const { number = 3, kind = 1, marks = 0, flags = 0, dev = 0, ino = 0n, more = [] } = parts;
  const head = new Uint8Array(24);
  const view = new DataView(head.buffer);
  view.setInt32(0, number, true);
  view.setUint8(4, kind);
  view.setUint8(5, marks);
  view.setUint16(6, more.length, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, dev, true);
  view.setBigUint64(16, ino, true);
  return [...head, ...more];
}

function eventWith(records: readonly number[], path?: string): Event {
  const event = new Event();
  const own = { files: Uint8Array.from(records), ...path === undefined ? {} : { path } };
  pointAt(event, eventBytes({ id: "SYSCALL_FCHMOD_X", tid: 5, params: { res: 0, fd: 3 }, own }));
  return event;
}

/** All that the cursor says of each record. */
function read(event: Event): Record<string, unknown>[] {
  const files = new OwnFiles();
  const found: Record<string, unknown>[] = [];
  if (!files.begin(event)) return found;
  const text = (from: number, to: number) =>
    new TextDecoder().decode(event.bytes.subarray(from, to));
  while (files.next()) {
    const { number, kind, made, flags, dev, ino, protocol, type, listens } = files;
    found.push({
      ...{ number, kind, made, flags, dev, ino, protocol, type, listens },
      path: text(files.pathStart, files.pathEnd),
      tuple: text(files.tupleStart, files.tupleStart + files.tupleLength),
    });
  }
  return found;
}

const NOTHING = {
  ...{ number: 3, kind: 1, made: false, flags: 0, dev: 0, ino: 0, protocol: 0, type: 0 },
  ...{ listens: false, path: "", tuple: "" },
};
const bytes = (text: string) => [...new TextEncoder().encode(text)];
const socket = (state: number, tuple: string) => [0x11, 0x22, 3, state, ...bytes(tuple)];

const ROWS: readonly (readonly [name: string, parts: Parts, shows: Record<string, unknown>])[] = [
  ["a number below zero", { number: -5 }, { number: -5 }],
  ["the largest number", { number: 0x7fffffff }, { number: 0x7fffffff }],
  ["no descriptor", { kind: KIND_NONE }, { kind: 255 }],
  ["one that the call made", { marks: MADE }, { made: true }],
  ["all flags and the largest device", { flags: 0xffffffff, dev: 0xfffffffe }, {
    ...{ flags: 0xffffffff, dev: 0xfffffffe },
  }],
  ["an inode of 32 bits", { ino: 0xffffffffn }, { ino: 0xffffffff }],
  ["an inode above 32 bits", { ino: 0x1_0000_0001n }, { ino: 0x1_0000_0001 }],
  ["the largest exact inode", { ino: 2n ** 53n - 1n }, { ino: 2 ** 53 - 1 }],
  ["an inode that no number holds", { ino: 2n ** 53n + 1n }, { ino: 2n ** 53n + 1n }],
  ["a path that follows", { marks: PATH_FOLLOWS, more: bytes("/a\0") }, { path: "/a" }],
  ["a path without its NUL", { marks: PATH_FOLLOWS, more: bytes("/a") }, { path: "/a" }],
  ["a path of nothing but a NUL", { marks: PATH_FOLLOWS, more: [0] }, {}],
  ["no path where one should follow", { marks: PATH_FOLLOWS }, {}],
  ["a path that the event has, of one that was made", { marks: PATH_OWN | MADE }, {
    ...{ made: true, path: "/own" },
  }],
  ["a socket", { more: socket(1, "t") }, { protocol: 0x2211, type: 3, tuple: "t" }],
  ["a socket that listens", { more: socket(10, "tuple") }, {
    ...{ protocol: 0x2211, type: 3, listens: true, tuple: "tuple" },
  }],
  ["a socket in another state", { more: socket(11, "t") }, {
    ...{ protocol: 0x2211, type: 3, tuple: "t" },
  }],
  ["a socket without a tuple is none", { more: socket(10, "") }, {}],
  ["another mark", { marks: 2, more: socket(10, "t") }, {
    ...{ protocol: 0x2211, type: 3, listens: true, tuple: "t" },
  }],
];

for (const [name, parts, shows] of ROWS) {
  Deno.test(`a record of ${name} is read as that`, () => {
    deepStrictEqual(read(eventWith(record(parts), "/own")), [{ ...NOTHING, ...shows }]);
  });
}

Deno.test("nothing of a record stays for the next", () => {
  const all = record({
    ...{ number: 7, kind: 5, marks: MADE, flags: 1, dev: 2, ino: 3n, more: socket(10, "t") },
  });
  const path = record({ marks: PATH_FOLLOWS, more: bytes("/p") });
  const own = record({ marks: PATH_OWN });
  deepStrictEqual(read(eventWith([...all, ...path, ...own, ...record({})])), [
    {
      ...{ number: 7, kind: 5, made: true, flags: 1, dev: 2, ino: 3, protocol: 0x2211, type: 3 },
      ...{ listens: true, path: "", tuple: "t" },
    },
    { ...NOTHING, path: "/p" },
    NOTHING,
    NOTHING,
  ]);
});

Deno.test("records cut at each byte are read as far as they are whole", () => {
  const one = record({ number: 1, marks: PATH_FOLLOWS, more: bytes("/one\0") });
  const two = record({ number: 2, more: socket(10, "tuple") });
  const whole = [...one, ...two];
  for (let length = 0; length <= whole.length; length++) {
    const numbers = read(eventWith(whole.slice(0, length))).map(({ number }) => number);
    const expected = length < one.length ? [] : length < whole.length ? [1] : [1, 2];
    deepStrictEqual(numbers, expected, `${length} bytes`);
  }
});

Deno.test("an event of others has no records", () => {
  const event = new Event();
  pointAt(event, eventBytes({ id: "SYSCALL_FCHMOD_X", tid: 5, params: { res: 0, fd: 3 } }));
  strictEqual(new OwnFiles().begin(event), false);
});
