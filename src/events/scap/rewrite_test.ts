// Blocks of events as the engine reads them: copied or written anew, cut at each byte, into too
// little room; and gzip streams that end too early or in rubbish.
import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { gzipSync } from "node:zlib";
import { BlockWalk, Step } from "../blocks.ts";
import { Event } from "../event.ts";
import { eventBytes, type EventValues } from "../event_fixture.ts";
import { codeOf, EVENTS } from "../table.ts";
import { BlockBuffer } from "./block_buffer.ts";
import { Gunzip, GunzipError } from "./gunzip.ts";
import { CaptureInput } from "./input.ts";
import { EventRewriter, isEventBlock } from "./rewrite.ts";

const TIME = 1_700_000_000_000_000_007n;
const CPU = 0x1234;
const FLAGS = 0xa1b2c3d5;
const PLAIN = 0x216;
const FLAGGED = 0x217;
const LARGE = 0x221;
const LARGE_FLAGGED = 0x222;
const FIRST = 0x204;
const FIRST_FLAGGED = 0x208;
const hasFlags = (type: number) => [FLAGGED, LARGE_FLAGGED, FIRST_FLAGGED].includes(type);

function block(type: number, event: Uint8Array): Uint8Array {
  const out = new BlockBuffer();
  out.beginBlock(type);
  out.u16(CPU);
  if (hasFlags(type)) out.u32(FLAGS);
  out.raw(event);
  out.endBlock();
  return out.bytes.slice();
}

/** An event without a count of its parameters, as the first captures have them. */
function uncounted(event: Uint8Array): Uint8Array {
  const bytes = new Uint8Array([...event.subarray(0, 22), ...event.subarray(26)]);
  new DataView(bytes.buffer).setUint32(16, bytes.length, true);
  return bytes;
}

const OPEN: EventValues = {
  id: "SYSCALL_OPENAT_2_X",
  tid: 2 ** 33 + 5,
  time: TIME,
  params: { fd: 3, dirfd: -100, name: "/a", flags: 1, mode: 0, dev: 1, ino: 2 },
};
/** An older version of clone: it is written anew. */
const CLONE: EventValues = {
  id: "SYSCALL_CLONE_11_X",
  tid: 2 ** 33 + 5,
  time: TIME,
  params: { res: 5, exe: "sh", pid: 5, tid: 5, ptid: 1, flags: 1, uid: 1000, gid: 100 },
};

/** What a rewriter makes of the block at an offset, into so much room behind an offset. */
function rewrite(bytes: Uint8Array, room = 4096) {
  const [from, at] = [8, 12];
  const input = new Uint8Array(bytes.length + 2 * from);
  input.set(bytes, from);
  const out = new Uint8Array(at + room).fill(0xee);
  const rewriter = new EventRewriter();
  const result = rewriter.rewrite(input, from, bytes.length, out, at);
  return { result, converted: rewriter.converted, out: out.subarray(at), before: out.slice(0, at) };
}

function eventOf(out: Uint8Array, length: number) {
  const event = new Event();
  const walk = new BlockWalk(event);
  walk.begin(out.subarray(0, length), length);
  strictEqual(walk.next(), Step.Event);
  return { event, walk };
}

/** One whose parameters have wide lengths. */
const PLUGIN: EventValues = {
  ...{ id: "PLUGINEVENT_E", tid: 1, time: TIME },
  params: { plugin_id: 7, event_data: new Uint8Array(700).fill(3) },
};

for (const type of [PLAIN, FLAGGED, LARGE, LARGE_FLAGGED]) {
  Deno.test(`a current event in a block ${type.toString(16)} is copied as it is`, () => {
    const bytes = block(type, eventBytes(type >= LARGE ? PLUGIN : OPEN));
    const { result, converted, out, before } = rewrite(bytes);
    deepStrictEqual([result, converted], [bytes.length, false]);
    deepStrictEqual(out.subarray(0, bytes.length), bytes);
    deepStrictEqual([out[bytes.length], before.every((byte) => byte === 0xee)], [0xee, true]);
    strictEqual(rewrite(bytes, bytes.length).result, bytes.length);
    strictEqual(rewrite(bytes, bytes.length - 1).result, undefined);
  });
}

for (const type of [PLAIN, FLAGGED, FIRST, FIRST_FLAGGED]) {
  Deno.test(`an old event in a block ${type.toString(16)} keeps time, thread, CPU, flags`, () => {
    const isFirst = type === FIRST || type === FIRST_FLAGGED;
    const old = eventBytes(CLONE);
    const bytes = block(type, isFirst ? uncounted(old) : old);
    const { result, converted, out, before } = rewrite(bytes);
    strictEqual(converted, true);
    const length = result as number;
    const { event, walk } = eventOf(out, length);
    strictEqual(walk.type, hasFlags(type) ? FLAGGED : PLAIN);
    strictEqual(event.code, codeOf("SYSCALL_CLONE_20_X"));
    deepStrictEqual([event.time(), event.tid, event.cpu], [TIME, CLONE.tid, CPU]);
    strictEqual(event.stateOnly, hasFlags(type));
    const view = new DataView(out.buffer, out.byteOffset);
    if (hasFlags(type)) strictEqual(view.getUint32(10, true), FLAGS);
    strictEqual(event.paramCount, EVENTS[event.code]!.params.length);
    strictEqual(event.int64(0), 5);
    deepStrictEqual([length % 4, view.getUint32(length - 4, true)], [0, length]);
    deepStrictEqual([...out.subarray(event.end, length - 4)].filter((byte) => byte !== 0), []);
    strictEqual(length - 4 - event.end < 4, true, "padded to the next four bytes, no more");
    deepStrictEqual([out[length], before.every((byte) => byte === 0xee)], [0xee, true]);
    strictEqual(rewrite(bytes, length).result, length);
    strictEqual(rewrite(bytes, length - 1).result, undefined);
  });

  Deno.test(`a block ${type.toString(16)} cut at each byte is read or refused in words`, () => {
    const isFirst = type === FIRST || type === FIRST_FLAGGED;
    const old = eventBytes(CLONE);
    const bytes = block(type, isFirst ? uncounted(old) : old);
    const start = hasFlags(type) ? 14 : 10;
    const header = isFirst ? 22 : 26;
    const end = start + (isFirst ? old.length - 4 : old.length);
    for (let length = 12; length < bytes.length; length++) {
      const { result } = rewrite(bytes.subarray(0, length));
      if (length - 4 < start + header) {
        strictEqual(result, "an event block too short for an event", `${length}`);
      } else if (length - 4 < end) {
        // Of one without a count, what is left may add up by chance.
        if (!isFirst) {
          strictEqual(result, "an event (clone) whose parameters do not add up", `${length}`);
        }
      } else strictEqual(typeof result, "number", `${length}`);
    }
  });
}

Deno.test("parameters add up where they end with their event, not behind it", () => {
  const bytes = block(PLAIN, eventBytes(CLONE));
  const view = new DataView(bytes.buffer);
  const count = EVENTS[codeOf("SYSCALL_CLONE_11_X")]!.params.length;
  const lastAt = 10 + 26 + 2 * (count - 1);
  const last = view.getUint16(lastAt, true);
  const resultWith = (length: number) => {
    view.setUint16(lastAt, length, true);
    return typeof rewrite(bytes).result;
  };
  deepStrictEqual([last, last - 1, 0, last + 1].map(resultWith), [
    ...["number", "number", "number", "string"],
  ]);
  view.setUint16(lastAt, last, true);
  const counted = (claimed: number) => {
    view.setUint32(10 + 22, claimed, true);
    return typeof rewrite(bytes).result;
  };
  deepStrictEqual([count, 65, 0xffffffff].map(counted), ["number", "string", "string"]);
});

Deno.test("without a count the most parameters whose lengths add up are taken", () => {
  const old = uncounted(eventBytes(CLONE));
  const view = new DataView(old.buffer);
  const none = old.slice(0, 22);
  new DataView(none.buffer).setUint32(16, 22, true);
  strictEqual(typeof rewrite(block(FIRST, none)).result, "number");
  const one = Uint8Array.from([...old.subarray(0, 22), 8, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
  new DataView(one.buffer).setUint32(16, one.length, true);
  const { result, out } = rewrite(block(FIRST, one));
  const { event } = eventOf(out, result as number);
  deepStrictEqual([event.int64(0), event.has(1)], [9, false]);
  view.setUint16(22, 500, true);
  const refused = rewrite(block(FIRST, old)).result;
  strictEqual(refused, "an event (clone) whose parameters do not add up");
});

Deno.test("notifications of old captures count three bytes too many", () => {
  for (const id of ["NOTIFICATION_E", "INFRASTRUCTURE_EVENT_E", "SYSCALL_CLONE_11_X"]) {
    const { params } = EVENTS[codeOf(id)]!;
    const values = Object.fromEntries(params.map(({ name }) => [name, "x"]));
    const event = uncounted(eventBytes({ id, tid: 1, time: TIME, params: values }));
    const view = new DataView(event.buffer);
    view.setUint32(16, event.length + 3, true);
    const isMiscounted = !id.startsWith("SYSCALL");
    const { result } = rewrite(block(FIRST, new Uint8Array([...event, 0, 0, 0])));
    strictEqual(typeof result, isMiscounted ? "number" : "string", id);
  }
});

Deno.test("events of a code that nobody knows are passed over", () => {
  const event = eventBytes(OPEN);
  new DataView(event.buffer).setUint16(20, EVENTS.length, true);
  const { result, converted } = rewrite(block(PLAIN, event));
  deepStrictEqual([result, converted], [0, false]);
});

Deno.test("seven types of blocks have events, their neighbours have none", () => {
  const types = [0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x8010abcd];
  const near = types.flatMap((type) => [type - 1, type, type + 1]);
  deepStrictEqual([...new Set(near.filter(isEventBlock))], types);
});

Deno.test("a gzip stream is complete where its writer ended it, not before, nor in rubbish", () => {
  const text = new TextEncoder().encode("what was written ".repeat(50));
  const packed = gzipSync(text);
  const out = new Uint8Array(text.length + 10);
  const read = (input: Uint8Array) => {
    const gunzip = new Gunzip();
    try {
      const written = gunzip.write(input, 0, input.length, out, 3);
      return { written, taken: gunzip.taken, complete: gunzip.isComplete() };
    } finally {
      gunzip.close();
    }
  };
  deepStrictEqual(read(packed), { written: text.length, taken: packed.length, complete: true });
  deepStrictEqual(out.subarray(3, 3 + text.length), text);
  for (let length = 1; length < packed.length; length++) {
    strictEqual(read(packed.subarray(0, length)).complete, false, `${length} bytes`);
  }
  const damaged = packed.slice();
  damaged[damaged.length - 6]! ^= 1;
  const { written, complete } = read(damaged);
  deepStrictEqual([written, complete], [text.length, false], "its sum is wrong");
  throws(() => read(Uint8Array.of(1, 2, 3, 4)), GunzipError);
  const gunzip = new Gunzip();
  gunzip.write(damaged, 0, damaged.length, out, 0);
  throws(() => gunzip.write(packed, 0, packed.length, out, 0), GunzipError);
  strictEqual(gunzip.taken, 0);
  gunzip.close();
});

/** All that a file's input gives, piece by piece, and whether it was cut short. */
function inputOf(bytes: Uint8Array, piece: number): { text: string; cut: boolean; taken: number } {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, bytes);
    const input = new CaptureInput(path);
    const target = new Uint8Array(piece + 2);
    let text = "";
    for (let got = input.read(target, 2); got > 0; got = input.read(target, 2)) {
      text += new TextDecoder().decode(target.subarray(2, 2 + got));
    }
    strictEqual(input.read(target, target.length), 0, "there is no room");
    const { taken } = input;
    const cut = input.isCutShort();
    input.close();
    strictEqual(input.total, bytes.length);
    return { text, cut, taken };
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("a file is read whole in pieces of any size, plain or packed, in several members", () => {
  const text = "what was written ".repeat(40);
  const plain = new TextEncoder().encode(text);
  const half = plain.length / 2;
  const members = [gzipSync(plain.slice(0, half)), gzipSync(plain.slice(half))];
  const files = [plain, gzipSync(plain), new Uint8Array(members.flatMap((one) => [...one]))];
  for (const bytes of files) {
    for (const piece of [1, 7, 100, plain.length, 4096]) {
      deepStrictEqual(inputOf(bytes, piece), { text, cut: false, taken: bytes.length });
    }
  }
  const packed = gzipSync(plain);
  strictEqual(inputOf(packed.slice(0, -1), 64).cut, true);
  // Zeros behind a stream are padding, as on tapes.
  const padded = inputOf(new Uint8Array([...packed, ...new Uint8Array(512)]), 64);
  deepStrictEqual([padded.text, padded.cut], [text, false]);
  for (const short of [[], [0x1f], [0x1f, 0x8c], [0x20, 0x8b]]) {
    strictEqual(inputOf(Uint8Array.from(short), 4).taken, short.length, `${short}`);
  }
});
