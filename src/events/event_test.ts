// Reading an event in place: numbers at the ends of their widths, parameters that are missing or
// reach too far, records with fewer parameters than the table has, and our own behind the event.
import { deepStrictEqual, strictEqual } from "node:assert";
import {
  Event,
  OWN_FILES,
  OWN_LANE,
  OWN_PARAMS,
  OWN_PATH,
  OWN_PATH2,
  OWN_SEQUENCE,
  OWN_TAIL_MARK,
  PARAMS_MAX,
} from "./event.ts";
import { eventBytes, type EventValues, pointAt } from "./event_fixture.ts";
import { EVENTS } from "./table.ts";

const TIME = 1_700_000_000_123_456_789n;
const CHDIR: EventValues = { id: "SYSCALL_CHDIR_X", tid: 5, params: { res: 0, path: "/d" } };

function told(values: EventValues): Event {
  const event = new Event();
  pointAt(event, eventBytes({ time: TIME, ...values }));
  return event;
}

/** An event whose first parameter is these bytes, with nothing behind it in memory. */
function withBytes(...bytes: number[]): Event {
  const event = new Event();
  const params = { res: Uint8Array.from(bytes) };
  pointAt(event, eventBytes({ id: "SYSCALL_SETSID_X", tid: 5, params }));
  return event;
}

function little(value: bigint): number[] {
  return Array.from(
    { length: 8 },
    (_, at) => Number(BigInt.asUintN(64, value) >> BigInt(8 * at) & 255n),
  );
}

Deno.test("a signed number of 64 bits is read exactly below 2^53, of either sign", () => {
  const values = [
    0n,
    1n,
    -1n,
    255n,
    256n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 31n + 1n,
    2n ** 32n - 1n,
  ];
  for (const value of [...values, 2n ** 32n, 2n ** 33n + 5n, 2n ** 53n - 1n]) {
    for (const signed of [value, -value, -value - 1n]) {
      const event = withBytes(...little(signed));
      strictEqual(event.int64(0), Number(signed), `${signed}`);
      strictEqual(event.uint64(0), BigInt.asUintN(64, signed));
      strictEqual(event.int32(0), Number(BigInt.asIntN(32, signed)));
      strictEqual(event.uint32(0), Number(BigInt.asUintN(32, signed)));
      strictEqual(event.uint16(0), Number(BigInt.asUintN(16, signed)));
      strictEqual(event.uint8(0), Number(BigInt.asUintN(8, signed)));
    }
  }
});

Deno.test("an inode is a number where that is exact, else a big one", () => {
  const inode = (value: bigint) => withBytes(...little(value)).inode(0);
  for (const value of [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n]) {
    strictEqual(inode(value), Number(value));
  }
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) strictEqual(inode(value), value);
});

Deno.test("a number that the memory does not hold whole is 0, whoever asks", () => {
  const sizes = { int64: 8, uint64: 8, inode: 8, int32: 4, uint32: 4, uint16: 2, uint8: 1 };
  for (const [name, size] of Object.entries(sizes) as [keyof typeof sizes, number][]) {
    for (let length = 0; length <= 9; length++) {
      const event = withBytes(...new Array<number>(length).fill(1));
      strictEqual(Number(event[name](0)) !== 0, length >= size, `${name} of ${length} bytes`);
      strictEqual(Number(event[name](1)), 0, "a parameter that the record lacks");
    }
  }
});

Deno.test("time and thread are read whole", () => {
  for (const tid of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, -1, -2]) {
    const event = told({ ...CHDIR, tid });
    deepStrictEqual([event.time(), event.tid], [TIME, tid]);
    strictEqual(event.timeMs(), Number(TIME / 1_000_000n));
  }
});

/** Texts of the parameters by what is asked: in order, backwards, one alone. */
function textsOf(event: Event, order: readonly number[]): string[] {
  const texts: string[] = [];
  for (const index of order) {
    const start = event.param(index);
    const end = start + event.paramLength(index);
    texts[index] = new TextDecoder().decode(event.bytes.subarray(start, end));
    strictEqual(event.has(index), end > start);
    const isEnded = end > start && event.bytes[end - 1] === 0;
    strictEqual(event.textEnd(index), isEnded ? end - 1 : end);
  }
  return texts;
}

const LARGE = EVENTS.find(({ flags, params }) => flags.has("large_payload") && params.length > 2)!;
const SMALL = EVENTS.find(({ id }) => id === "SYSCALL_EXECVE_19_X")!;

for (const { id, params } of [SMALL, LARGE]) {
  Deno.test(`the parameters of ${id} are found in whatever order they are asked for`, () => {
    const values = params.map(({ name }, at) => {
      const bytes = new TextEncoder().encode(at % 3 === 1 ? "" : `${name}${at % 2 ? "" : "\0"}`);
      return [name, bytes] as const;
    });
    const bytes = eventBytes({ id, tid: 1, params: Object.fromEntries(values) });
    const expected = values.map(([, value]) => new TextDecoder().decode(value));
    const forwards = params.map((_, index) => index);
    const event = new Event();
    const orders = [
      forwards,
      forwards.toReversed(),
      ...forwards.map((index) => [index, ...forwards]),
    ];
    for (const order of orders) {
      pointAt(event, bytes);
      deepStrictEqual(textsOf(event, order), expected);
      for (const index of [params.length, params.length + 1]) {
        deepStrictEqual([event.paramLength(index), event.has(index)], [0, false]);
        strictEqual(event.param(index), event.end);
      }
      for (const count of [1, 3, params.length, params.length + 3]) {
        pointAt(event, bytes);
        const at = event.offsets(count);
        for (let index = 0; index < count; index++) {
          const text = new TextDecoder().decode(bytes.subarray(at[index], at[index + 1]));
          strictEqual(text, expected[index] ?? "", "those that the record lacks are empty");
        }
        deepStrictEqual(textsOf(event, order), expected, "after offsets()");
      }
    }
  });
}

Deno.test("a parameter of one byte is there", () => {
  const event = withBytes(7);
  deepStrictEqual([event.has(0), event.paramLength(0), event.uint8(0)], [true, 1, 7]);
});

Deno.test("a parameter that claims to reach behind the event ends with it", () => {
  const bytes = eventBytes({ ...CHDIR, params: { res: 0, path: "/dir" } });
  const view = new DataView(bytes.buffer);
  view.setUint16(28, 500, true);
  const event = new Event();
  pointAt(event, bytes);
  deepStrictEqual([event.paramLength(0), event.paramLength(1), event.end], [8, 5, bytes.length]);
  view.setUint16(26, 500, true);
  pointAt(event, bytes);
  deepStrictEqual([event.paramLength(0), event.paramLength(1)], [13, 0]);
  strictEqual(event.param(1), event.end);
});

Deno.test("a record is refused where its header, its lengths or its bytes do not fit", () => {
  const bytes = eventBytes(CHDIR);
  const moves = (change: (view: DataView) => void, limit = bytes.length, offset = 0) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    const event = new Event();
    event.bind(copy);
    return event.moveTo(offset, limit);
  };
  const nothing = () => {};
  for (let limit = 0; limit < bytes.length; limit++) strictEqual(moves(nothing, limit), false);
  strictEqual(moves(nothing), true);
  strictEqual(moves(nothing, bytes.length, 1), false);
  const sized = (length: number) => moves((view) => view.setUint32(16, length, true));
  deepStrictEqual([29, 30, bytes.length, bytes.length + 1].map(sized), [false, true, true, false]);
  const coded = (code: number) => moves((view) => view.setUint16(20, code, true));
  deepStrictEqual([EVENTS.length - 1, EVENTS.length].map(coded), [true, false]);
  const room = Math.floor((bytes.length - 26) / 2);
  const counted = (count: number) => moves((view) => view.setUint32(22, count, true));
  deepStrictEqual([0, room, room + 1].map(counted), [true, true, false]);
  const many = new Uint8Array(26 + 2 * PARAMS_MAX + 2);
  many.set(bytes.subarray(0, 26));
  const view = new DataView(many.buffer);
  view.setUint32(16, many.length, true);
  for (const [count, sound] of [[PARAMS_MAX, true], [PARAMS_MAX + 1, false]] as const) {
    view.setUint32(22, count, true);
    const event = new Event();
    event.bind(many);
    strictEqual(event.moveTo(0, many.length), sound, `${count} parameters`);
  }
});

Deno.test("an event with our parameters behind the table's, no more, no less, is our own", () => {
  for (const more of [0, 1, OWN_PARAMS - 1, OWN_PARAMS, OWN_PARAMS + 1]) {
    const bytes = new Uint8Array(26 + 2 * (2 + more));
    bytes.set(eventBytes(CHDIR).subarray(0, 26));
    const view = new DataView(bytes.buffer);
    view.setUint32(16, bytes.length, true);
    view.setUint32(22, 2 + more, true);
    const event = new Event();
    pointAt(event, bytes);
    strictEqual(event.hasOwn, more === OWN_PARAMS, `${more} more`);
  }
  const files = Uint8Array.of(1, 2, 3);
  const event = told({ ...CHDIR, own: { path: "/a", path2: "/bc", files } });
  const own = [OWN_PATH, OWN_PATH2, OWN_FILES, OWN_SEQUENCE, OWN_LANE].map((at) => event.own(at));
  deepStrictEqual(own.map((index) => event.paramLength(index)), [3, 4, 3, 8, 1]);
});

interface Tail {
  readonly path: string;
  readonly path2: string;
  readonly files: string;
  /** Bytes that are not accounted for. */
  readonly spare?: number;
}

/** An event in a block of a capture, where our own parameters stand behind it. */
function inCapture({ path, path2, files, spare = 0 }: Tail, params = CHDIR.params): Event {
  const head = eventBytes({ ...CHDIR, params });
  const own = new TextEncoder().encode(`${path}${path2}${files}`);
  const bytes = new Uint8Array(head.length + own.length + 9 + spare + 12);
  bytes.set(head);
  bytes.set(own, head.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(head.length + own.length, 0x1234_5678_9abcn, true);
  bytes[head.length + own.length + 8] = 1;
  const tail = bytes.length - 12;
  view.setUint16(tail, path.length, true);
  view.setUint16(tail + 2, path2.length, true);
  view.setUint16(tail + 4, files.length, true);
  view.setUint32(tail + 8, OWN_TAIL_MARK, true);
  const event = new Event();
  event.bind(bytes);
  strictEqual(event.moveTo(0, bytes.length), true);
  return event;
}

Deno.test("our parameters behind an event of a capture read as those inside", () => {
  const rows: Tail[] = [
    { path: "/etc/x\0", path2: "/b\0", files: "files" },
    { path: "", path2: "/b\0", files: "" },
    { path: "/a\0", path2: "", files: "f" },
    { path: "", path2: "", files: "", spare: 3 },
  ];
  for (const tail of rows) {
    for (const order of [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2], [1]]) {
      const event = inCapture(tail);
      strictEqual(event.hasOwn, true);
      const expected = [tail.path, tail.path2, tail.files];
      for (const which of order) {
        const index = event.own(which);
        const start = event.param(index);
        const bytes = event.bytes.subarray(start, start + event.paramLength(index));
        if (which < 3) strictEqual(new TextDecoder().decode(bytes), expected[which]);
      }
      strictEqual(event.uint64(event.own(OWN_SEQUENCE)), 0x1234_5678_9abcn);
      deepStrictEqual([event.uint8(event.own(OWN_LANE)), event.paramLength(event.own(4))], [1, 1]);
      deepStrictEqual(textsOf(event, [1, 0])[1], "/d\0", "the table's are where they were");
    }
  }
});

Deno.test("a tail that claims more than stands there, or behind a shorter record, is none", () => {
  const whole: Tail = { path: "/a\0", path2: "/b\0", files: "fff" };
  for (const [name, at] of [["path", 0], ["path2", 2], ["files", 4]] as const) {
    const event = inCapture(whole);
    const { bytes } = event;
    const view = new DataView(bytes.buffer);
    view.setUint16(bytes.length - 12 + at, 4, true);
    strictEqual(event.moveTo(0, bytes.length), true);
    strictEqual(event.hasOwn, false, `a byte more of ${name}`);
    view.setUint16(bytes.length - 12 + at, 2, true);
    strictEqual(event.moveTo(0, bytes.length), true);
    strictEqual(event.hasOwn, true, `a byte less of ${name}`);
  }
  const event = inCapture(whole);
  const { bytes } = event;
  bytes[bytes.length - 1]! ^= 1;
  event.moveTo(0, bytes.length);
  strictEqual(event.hasOwn, false, "another mark");
  bytes[bytes.length - 1]! ^= 1;
  event.moveTo(0, bytes.length);
  strictEqual(event.hasOwn, true);
  const view = new DataView(bytes.buffer);
  view.setUint32(22, 1, true);
  event.moveTo(0, bytes.length);
  strictEqual(event.hasOwn, false, "the record lacks a parameter of the table");
});
