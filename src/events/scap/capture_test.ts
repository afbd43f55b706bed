// Captures are read whole, in pieces, cut, damaged and old.
import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { gzipSync } from "node:zlib";
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS, BlockWalk, Step } from "../blocks.ts";
import { Event } from "../event.ts";
import { eventBytes, type EventValues } from "../event_fixture.ts";
import { NEW_SNAPSHOT } from "../source.ts";
import { codeOf, EVENTS } from "../table.ts";
import { BlockBuffer } from "./block_buffer.ts";
import { CaptureSource } from "./capture.ts";
import { CaptureError } from "./capture_error.ts";
import { putMachine, putSection } from "./state_blocks.ts";

const TIME = 1_700_000_000_000_000_000n;

interface Seen {
  /** `id(param=hex …)` of each event. */
  events: string[];
  /** Types of state blocks, by snapshot. */
  states: number[][];
  error: string | undefined;
}

function tempFile(bytes: Uint8Array): string {
  const path = Deno.makeTempFileSync({ suffix: ".scap" });
  Deno.writeFileSync(path, bytes);
  return path;
}

function readAll(bytes: readonly Uint8Array[], bufferBytes = 4096): Seen {
  const paths = bytes.map(tempFile);
  const seen: Seen = { events: [], states: [], error: undefined };
  let source: CaptureSource | undefined;
  try {
    source = new CaptureSource(paths);
    const event = new Event();
    const walk = new BlockWalk(event);
    const buffer = new Uint8Array(bufferBytes);
    const takeState = () => {
      const blocks = source!.snapshot();
      const types: number[] = [];
      walk.begin(blocks, blocks.length);
      for (let step = walk.next(); step !== Step.End; step = walk.next()) types.push(walk.type);
      seen.states.push(types);
    };
    takeState();
    for (let got = source.read(buffer); got !== -1; got = source.read(buffer)) {
      if (got === NEW_SNAPSHOT) {
        takeState();
        continue;
      }
      walk.begin(buffer, got);
      for (let step = walk.next(); step !== Step.End; step = walk.next()) {
        if (step === Step.Event) seen.events.push(shown(event));
      }
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    seen.error = error.message.replace(/".*"/, '"F"');
  } finally {
    source?.close();
    for (const path of paths) Deno.removeSync(path);
  }
  return seen;
}

function shown(event: Event): string {
  const { params, id } = EVENTS[event.code]!;
  const values = params.map(({ name }, index) => {
    const length = event.paramLength(index);
    const bytes = event.bytes.subarray(event.param(index), event.param(index) + length);
    return `${name}=${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  });
  return `${id}(${values.join(" ")})`;
}

/** A section with machine information, then the events. */
function capture(events: readonly Uint8Array[], type = BLOCK_EVENT): Uint8Array {
  const out = new BlockBuffer();
  putSection(out);
  putMachine(out, { cpus: 2, memoryBytes: 1n, pidMax: 1n, hostname: "box", bootTs: 5n });
  for (const event of events) putEvent(out, event, type);
  return out.bytes.slice();
}

function putEvent(out: BlockBuffer, event: Uint8Array, type = BLOCK_EVENT): void {
  out.beginBlock(type);
  out.u16(0);
  if (type === BLOCK_EVENT_FLAGS || type === 0x208) out.u32(1);
  out.raw(event);
  out.endBlock();
}

function open(tid: number, name: string): Uint8Array {
  return eventBytes({
    id: "SYSCALL_OPENAT_2_X",
    tid,
    time: TIME,
    params: { fd: 3, dirfd: -100, name, flags: 1, mode: 0, dev: 1, ino: 2 },
  });
}

/** An event as an older recorder wrote it: the first parameters only. */
function old(values: EventValues, count: number): Uint8Array {
  const bytes = eventBytes(values);
  const view = new DataView(bytes.buffer);
  const all = view.getUint32(22, true);
  let end = 26 + all * 2;
  for (let index = 0; index < count; index++) end += view.getUint16(26 + index * 2, true);
  const cut = new Uint8Array([
    ...bytes.subarray(0, 26 + count * 2),
    ...bytes.subarray(26 + all * 2, end),
  ]);
  const cutView = new DataView(cut.buffer);
  cutView.setUint32(16, cut.length, true);
  cutView.setUint32(22, count, true);
  return cut;
}

/** The same without a parameter count in its header. */
function first(event: Uint8Array): Uint8Array {
  const bytes = new Uint8Array([...event.subarray(0, 22), ...event.subarray(26)]);
  new DataView(bytes.buffer).setUint32(16, bytes.length, true);
  return bytes;
}

Deno.test("a capture gives its state, then its events, plain or gzip, in any buffer", () => {
  const events = Array.from({ length: 400 }, (_, index) => open(index, `/path/${index}`));
  const bytes = capture(events);
  const whole = readAll([bytes]);
  strictEqual(whole.events.length, 400);
  deepStrictEqual(whole.states, [[0x0a0d0d0a, 0x201]]);
  strictEqual(whole.error, undefined);
  for (const size of [160, 161, 200, 1 << 20]) deepStrictEqual(readAll([bytes], size), whole);
  deepStrictEqual(readAll([gzipSync(bytes)]), whole);
});

Deno.test("a capture of several gzip members is one stream", () => {
  const bytes = capture([open(1, "/a"), open(2, "/b")]);
  const members = new Uint8Array([...gzipSync(bytes.slice(0, 99)), ...gzipSync(bytes.slice(99))]);
  deepStrictEqual(readAll([members]), readAll([bytes]));
});

Deno.test("several captures are read in order, each with its state", () => {
  const seen = readAll([capture([open(1, "/a")]), gzipSync(capture([open(2, "/b")]))]);
  strictEqual(seen.events.length, 2);
  strictEqual(seen.states.length, 2);
});

Deno.test("a section in the middle of a capture is a new state", () => {
  const one = capture([open(1, "/a")]);
  const two = capture([open(2, "/b"), open(3, "/c")]);
  const seen = readAll([new Uint8Array([...one, ...two])]);
  strictEqual(seen.events.length, 3);
  strictEqual(seen.states.length, 2);
});

Deno.test("a capture without events ends", () => {
  deepStrictEqual(readAll([capture([])]).error, undefined);
});

Deno.test("events that only keep the tables right are handed on as such", () => {
  strictEqual(readAll([capture([open(1, "/a")], BLOCK_EVENT_FLAGS)]).events.length, 1);
});

Deno.test("a capture cut anywhere gives what was before the cut, then one error", () => {
  const bytes = capture([open(1, "/a"), open(2, "/b"), open(3, "/c")]);
  const blockBytes = (bytes.length - capture([]).length) / 3;
  for (let length = 28; length < bytes.length; length++) {
    const seen = readAll([bytes.slice(0, length)]);
    const whole = Math.max(0, Math.floor((length - capture([]).length) / blockBytes));
    strictEqual(seen.events.length, whole, `${length} bytes`);
    const atBlock = length === 28 || (length >= capture([]).length &&
      (length - capture([]).length) % blockBytes === 0);
    const error = atBlock
      ? undefined
      : `Cannot read capture "F" at byte ${length}: it is cut short`;
    strictEqual(seen.error, error);
  }
});

Deno.test("a gzip capture cut anywhere gives a beginning of its events and one error", () => {
  const events = Array.from({ length: 60 }, (_, index) => open(index, `/p/${index * 7919}`));
  const bytes = gzipSync(capture(events));
  const all = readAll([bytes]).events;
  for (let length = 20; length < bytes.length; length += 3) {
    const seen = readAll([bytes.slice(0, length)]);
    deepStrictEqual(seen.events, all.slice(0, seen.events.length));
    strictEqual(/cut short|damaged|no capture/.test(seen.error ?? ""), true, `${length}`);
  }
});

Deno.test("what is no capture is refused with one line", () => {
  const texts = ["", "x", "hello, this is no capture at all", "\x1f\x8b rubbish"];
  for (const text of texts) {
    const path = tempFile(new TextEncoder().encode(text));
    throws(() => new CaptureSource([path]), /^.*Cannot read capture "[^"]*"( at byte \d+)?: .+$/);
    Deno.removeSync(path);
  }
  throws(
    () => new CaptureSource(["/nowhere.scap"]),
    /Cannot read capture "\/nowhere.scap": there is/,
  );
  throws(() => new CaptureSource(["/"]), /Cannot read capture "\/": it is a directory/);
});

Deno.test("a block of an impossible length ends the run at its place", () => {
  const bytes = capture([open(1, "/a"), open(2, "/b")]);
  const at = bytes.length - (bytes.length - capture([]).length) / 2;
  new DataView(bytes.buffer).setUint32(at + 4, 0xfffffff0, true);
  const seen = readAll([bytes]);
  strictEqual(seen.events.length, 1);
  strictEqual(
    seen.error,
    `Cannot read capture "F" at byte ${at}: damaged: a block of 4294967280 bytes`,
  );
});

Deno.test("an entry event lends its parameters to the exit event of an old capture", () => {
  const entry = eventBytes({ id: "SYSCALL_CLOSE_E", tid: 7, params: { fd: 9 } });
  const other = eventBytes({ id: "SYSCALL_CLOSE_E", tid: 8, params: { fd: 4 } });
  const exit = old({ id: "SYSCALL_CLOSE_X", tid: 7, params: { res: 0 } }, 1);
  deepStrictEqual(readAll([capture([entry, other, exit, exit])]).events, [
    "SYSCALL_CLOSE_X(res=0000000000000000 fd=0900000000000000)",
    "SYSCALL_CLOSE_X(res=0000000000000000 fd=0000000000000000)",
  ]);
});

Deno.test("an old version becomes the current one, its parameters found by name", () => {
  const values = { res: 5, exe: "sh", pid: 5, tid: 5, ptid: 1, flags: 1, uid: 1000, gid: 100 };
  const seen = readAll([
    capture([eventBytes({ id: "SYSCALL_CLONE_11_X", tid: 5, params: values })]),
  ]).events[0]!;
  strictEqual(seen.startsWith("SYSCALL_CLONE_20_X(res=0500000000000000 exe=736800 "), true);
  strictEqual(seen.includes(" uid=e8030000 gid=64000000 vtid= vpid="), true);
});

Deno.test("entry events that say what an exit may lack are handed on", () => {
  const events = [
    eventBytes({ id: "SYSCALL_EXECVE_18_E", tid: 5, params: { filename: "/bin/sh" } }),
    old({ id: "SYSCALL_EXECVE_18_X", tid: 5, params: { res: 0, exe: "sh", comm: "sh" } }, 17),
  ];
  const seen = readAll([capture(events)]).events;
  strictEqual(seen[0], "SYSCALL_EXECVE_19_E(filename=2f62696e2f736800)");
  strictEqual(seen[1]!.includes(" filename=2f62696e2f736800)"), true);
});

Deno.test("events without a parameter count, with and without flags, are counted", () => {
  const event = first(open(1, "/a"));
  for (const type of [0x204, 0x8010abcd, 0x208]) {
    deepStrictEqual(
      readAll([capture([event], type)]).events,
      readAll([capture([open(1, "/a")])]).events,
    );
  }
});

Deno.test("every event of the table passes or is converted, whatever its parameters are", () => {
  for (const { id, params, code, flags } of EVENTS) {
    if (flags.has("large_payload")) continue;
    const values = Object.fromEntries(params.map(({ name }) => [name, 1]));
    const versions = params.map((_, count) => old({ id, tid: 1, params: values }, count));
    const { events, error } = readAll([
      capture([...versions, eventBytes({ id, tid: 1, params: values })]),
    ]);
    strictEqual(error, undefined, id);
    const isCurrent = code % 2 === 1 && !flags.has("old_version") && !flags.has("unused");
    if (isCurrent) strictEqual(events.length, params.length + 1, id);
    if (flags.has("unused")) strictEqual(events.length, 0, id);
  }
});

Deno.test("unknown event codes and state blocks are passed over", () => {
  const event = open(1, "/a");
  new DataView(event.buffer).setUint16(20, 9999, true);
  strictEqual(codeOf("SYSCALL_OPENAT_2_X") < 9999, true);
  const out = new BlockBuffer();
  out.raw(capture([event, open(2, "/b")]));
  strictEqual(readAll([out.bytes.slice()]).events.length, 1);
});

/** Found once: kept, so that they stay found. */
const SEEDS = [1, 2, 3, 42, 1337];

Deno.test("any bytes as a capture give events or an error, nothing else", () => {
  const events = Array.from({ length: 30 }, (_, index) => open(index, `/f/${index}`));
  for (const seed of SEEDS) {
    let state = seed;
    const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) >>> 8;
    for (let round = 0; round < 60; round++) {
      const bytes = capture(events);
      for (let hits = 1 + random() % 6; hits > 0; hits--) {
        bytes[28 + random() % (bytes.length - 28)] = random();
      }
      readAll([random() % 2 === 0 ? bytes : gzipSync(bytes)], 1024);
      const packed = gzipSync(bytes);
      packed[random() % packed.length] = random();
      readAll([packed], 1024);
    }
  }
});

Deno.test("progress grows from nothing to the whole size", () => {
  const paths = [capture([open(1, "/a")]), gzipSync(capture([open(2, "/b")]))].map(tempFile);
  const source = new CaptureSource(paths);
  const { total } = source.progress();
  strictEqual(total, paths.reduce((sum, path) => sum + Deno.statSync(path).size, 0));
  const buffer = new Uint8Array(4096);
  for (let got = source.read(buffer); got !== -1; got = source.read(buffer)) source.snapshot();
  strictEqual(source.progress().read, total);
  source.close();
  for (const path of paths) Deno.removeSync(path);
});
