// What is written is read again: events with and without our own parameters, state, damage.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { BLOCK_EVENT, BLOCK_EVENT_FLAGS, BLOCK_EVENT_LARGE, BlockWalk, Step } from "../blocks.ts";
import {
  Event,
  OWN_FILES,
  OWN_LANE,
  OWN_PARAMS,
  OWN_PATH,
  OWN_PATH2,
  OWN_SEQUENCE,
} from "../event.ts";
import { NEW_SNAPSHOT } from "../source.ts";
import { codeOf, EVENTS } from "../table.ts";
import { BlockBuffer } from "./block_buffer.ts";
import { CaptureSource } from "./capture.ts";
import { CaptureOutput } from "./output.ts";
import { MemorySink, outputTo } from "./sink_fixture.ts";
import { putMachine } from "./state_blocks.ts";
import { CaptureWriter } from "./writer.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");
const ASYNC = codeOf("ASYNCEVENT_E");

interface Described {
  code: number;
  time: number;
  params: string[];
  own?: [path: string, path2: string, files: string, sequence: number, lane: number];
  stateOnly?: boolean;
}

/** A block as a source gives it: our own parameters after Falco's. */
function block(out: BlockBuffer, { code, time, params, own, stateOnly }: Described): void {
  const all = params.map((text) => new TextEncoder().encode(text));
  if (own !== undefined) {
    const [path, path2, files, sequence, lane] = own;
    const fixed = new DataView(new ArrayBuffer(9));
    fixed.setBigUint64(0, BigInt(sequence), true);
    fixed.setUint8(8, lane);
    all.push(...[path, path2, files].map((text) => new TextEncoder().encode(text)));
    all.push(new Uint8Array(fixed.buffer, 0, 8), new Uint8Array(fixed.buffer, 8, 1));
  }
  const large = EVENTS[code]!.flags.has("large_payload");
  out.beginBlock(stateOnly ? BLOCK_EVENT_FLAGS : large ? BLOCK_EVENT_LARGE : BLOCK_EVENT);
  out.u16(3);
  if (stateOnly) out.u32(1);
  const bytes = all.reduce((sum, param) => sum + param.length, 26 + all.length * (large ? 4 : 2));
  out.u64(BigInt(time));
  out.u64(77n);
  out.u32(bytes);
  out.u16(code);
  out.u32(all.length);
  for (const param of all) large ? out.u32(param.length) : out.u16(param.length);
  for (const param of all) out.raw(param);
  out.endBlock();
}

/** Events of blocks, as they were described. */
function described(bytes: Uint8Array, length: number): Described[] {
  const event = new Event();
  const walk = new BlockWalk(event);
  const found: Described[] = [];
  walk.begin(bytes, length);
  for (let step = walk.next(); step !== Step.End; step = walk.next()) {
    if (step !== Step.Event) continue;
    const text = (index: number) => {
      const start = event.param(index);
      return new TextDecoder().decode(bytes.subarray(start, start + event.paramLength(index)));
    };
    const count = event.paramCount - (event.hasOwn ? OWN_PARAMS : 0);
    found.push({
      code: event.code,
      time: Number(event.time()),
      // Our own are asked for first now and then: they are found in any order.
      ...(event.hasOwn
        ? {
          own: [
            text(event.own(OWN_PATH)),
            text(event.own(OWN_PATH2)),
            text(event.own(OWN_FILES)),
            Number(event.uint64(event.own(OWN_SEQUENCE))),
            event.uint8(event.own(OWN_LANE)),
          ],
        }
        : {}),
      params: Array.from({ length: count }, (_, index) => text(index)),
      ...(event.stateOnly ? { stateOnly: true } : {}),
    });
  }
  return found;
}

const MACHINE = {
  cpus: 2,
  memoryBytes: 1n,
  pidMax: 2n,
  hostname: "host",
  bootTs: 3n,
};

function state(): Uint8Array {
  const out = new BlockBuffer();
  putMachine(out, MACHINE);
  return out.bytes.slice();
}

/** Writes the events' blocks to a file; returns its path. */
function written(
  events: Described[],
  { compression = 1, stateOnly = false, file = Deno.makeTempFileSync() } = {},
): string {
  const blocks = new BlockBuffer();
  const ends: number[] = [];
  for (const event of events) {
    block(blocks, event);
    ends.push(blocks.length);
  }
  const bytes = blocks.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = outputTo(file, compression);
  const writer = new CaptureWriter(output);
  writer.begin(state());
  for (const [index, end] of ends.entries()) {
    writer.write(view, ends[index - 1] ?? 0, end, stateOnly);
  }
  strictEqual(writer.events, events.length);
  strictEqual(writer.refused, 0);
  writer.close();
  return file;
}

/** All events of a capture, by way of the source that a replay has. */
function read(file: string): Described[] {
  const source = new CaptureSource([file]);
  source.snapshot();
  const buffer = new Uint8Array(1 << 20);
  const found: Described[] = [];
  for (let bytes = source.read(buffer); bytes > 0; bytes = source.read(buffer)) {
    found.push(...described(buffer, bytes));
  }
  source.close();
  return found;
}

const PARAMS = EVENTS[OPENAT]!.params.map((_, index) => "x".repeat(index % 5) + index);

const EVENT: Described = { code: OPENAT, time: 5, params: PARAMS };
const OWN: Described = { ...EVENT, own: ["/etc/passwd", "", "24 bytes of a descriptor", 9, 1] };
const LARGE: Described = {
  code: ASYNC,
  time: 6,
  params: ["abcd", "container", "{}".repeat(40_000)],
};

Deno.test("a writer writes events as they came, compressed or not", () => {
  const events = [EVENT, { ...EVENT, stateOnly: true }, LARGE, { ...EVENT, params: [...PARAMS] }];
  for (const compression of [0, 1, 6]) {
    const file = written(events, { compression });
    deepStrictEqual(read(file), events);
    Deno.removeSync(file);
  }
});

Deno.test("a writer keeps our own parameters, where Falco does not count them", () => {
  const events: Described[] = [
    OWN,
    { ...OWN, own: ["", "", "", 1, 0] },
    { ...OWN, own: ["/a", "/b/c", "", 2 ** 40, 1], stateOnly: true },
    EVENT,
  ];
  const file = written(events);
  deepStrictEqual(read(file), events);

  const plain = gunzipSync(Deno.readFileSync(file));
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const counts: number[] = [];
  for (let at = 0; at < plain.length; at += view.getUint32(at + 4, true)) {
    const type = view.getUint32(at, true);
    const end = at + view.getUint32(at + 4, true);
    strictEqual(view.getUint32(end - 4, true), end - at, "both lengths are equal");
    strictEqual(end % 4, 0, "blocks are padded");
    const event = at + (type === BLOCK_EVENT ? 10 : 14);
    if (type !== BLOCK_EVENT && type !== BLOCK_EVENT_FLAGS) continue;
    counts.push(view.getUint32(event + 22, true));
    const lengths = PARAMS.map((_, index) => view.getUint16(event + 26 + index * 2, true));
    const data = lengths.reduce((sum, length) => sum + length, 26 + lengths.length * 2);
    strictEqual(view.getUint32(event + 16, true), data, "the event ends with its parameters");
  }
  deepStrictEqual(counts, Array(4).fill(PARAMS.length));
  Deno.removeSync(file);
});

Deno.test("a capture of ours that is read and written again stays the same", () => {
  const first = written([OWN, EVENT, LARGE], { compression: 0 });
  const source = new CaptureSource([first]);
  source.snapshot();
  const buffer = new Uint8Array(1 << 20);
  const length = source.read(buffer);
  source.close();
  const second = Deno.makeTempFileSync();
  const output = outputTo(second, 0);
  const writer = new CaptureWriter(output);
  writer.begin(state());
  const view = new DataView(buffer.buffer);
  for (let at = 0; at < length;) {
    const end = at + view.getUint32(at + 4, true);
    writer.write(view, at, end);
    at = end;
  }
  writer.close();
  deepStrictEqual(Deno.readFileSync(second), Deno.readFileSync(first));
  Deno.removeSync(first);
  Deno.removeSync(second);
});

Deno.test("a writer marks what only keeps the tables right", () => {
  const file = written([OWN, EVENT], { stateOnly: true });
  deepStrictEqual(read(file), [{ ...OWN, stateOnly: true }, { ...EVENT, stateOnly: true }]);
  Deno.removeSync(file);
});

Deno.test("a writer gives a block that Falco's reader takes for too long the large type", () => {
  const long = { ...EVENT, params: PARAMS.map(() => "y".repeat(20_000)) };
  const file = written([long, EVENT]);
  deepStrictEqual(read(file), [long, EVENT]);
  const plain = gunzipSync(Deno.readFileSync(file));
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  for (let at = 0; at < plain.length;) {
    const length = view.getUint32(at + 4, true);
    const small = view.getUint32(at, true) === BLOCK_EVENT;
    strictEqual(small && length - 8 > 65_536, false);
    at += length;
  }
  Deno.removeSync(file);
});

Deno.test("a capture is sound up to what was secured last, whatever follows", () => {
  const file = Deno.makeTempFileSync();
  const blocks = new BlockBuffer();
  block(blocks, OWN);
  const view = new DataView(blocks.bytes.buffer, 0, blocks.length);
  const output = outputTo(file, 1);
  const writer = new CaptureWriter(output);
  writer.begin(state());
  for (let event = 0; event < 10; event++) writer.write(view, 0, blocks.length);
  writer.secure();
  const secured = output.written;
  strictEqual(output.unsecured, 0);
  strictEqual(Deno.statSync(file).size, secured);
  deepStrictEqual(read(file), Array(10).fill(OWN));
  writer.write(view, 0, blocks.length);
  strictEqual(read(file).length, 10, "as after a sudden end of the writer");
  writer.close();
  deepStrictEqual(read(file), Array(11).fill(OWN));
  Deno.removeSync(file);
});

Deno.test("behind a piece that was refused nothing is taken until a section begins anew", () => {
  const sink = new MemorySink();
  const writer = new CaptureWriter(new CaptureOutput({ compression: 1, sink }));
  const blocks = new BlockBuffer();
  block(blocks, OWN);
  const view = new DataView(blocks.bytes.buffer, 0, blocks.length);
  const write = (count: number) => {
    for (let event = 0; event < count; event++) writer.write(view, 0, blocks.length);
    writer.secure();
  };
  writer.begin(state());
  write(3);
  sink.refuses = true;
  write(4);
  strictEqual(writer.hasGap, true);
  sink.refuses = false;
  write(5);
  strictEqual(sink.pieces.length, 2, "the state and three events");
  sink.refuses = true;
  writer.begin(state());
  strictEqual(writer.hasGap, true, "the state was refused as well");
  write(6);
  sink.refuses = false;
  writer.begin(state());
  write(7);
  deepStrictEqual([writer.events, writer.lost, writer.hasGap], [10, 15, false]);
  writer.close();
  strictEqual(sink.closed, true);
  const file = Deno.makeTempFileSync();
  Deno.writeFileSync(file, Buffer.concat(sink.pieces));
  strictEqual(writer.output.written, Deno.statSync(file).size);
  const source = new CaptureSource([file]);
  const buffer = new Uint8Array(1 << 20);
  ok(source.snapshot().length > 0);
  const first = source.read(buffer);
  strictEqual(first % 3, 0);
  strictEqual(source.read(buffer), NEW_SNAPSHOT);
  ok(source.snapshot().length > 0);
  strictEqual(source.read(buffer), first / 3 * 7);
  strictEqual(source.read(buffer), -1);
  source.close();
  Deno.removeSync(file);
});

Deno.test("a writer is total on any bytes", () => {
  const file = Deno.makeTempFileSync();
  const output = outputTo(file, 1);
  const writer = new CaptureWriter(output);
  writer.begin(state());
  let seed = 7;
  const random = () => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) >>> 16;
  for (let round = 0; round < 2_000; round++) {
    const blocks = new BlockBuffer();
    block(blocks, round % 2 === 0 ? OWN : LARGE);
    const bytes = blocks.bytes;
    // The frame is sound: a walk gives no other to the writer.
    for (let change = 0; change < 3; change++) {
      bytes[8 + random() % (Math.min(bytes.length, 200) - 12)] = random() & 0xff;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    writer.write(view, 0, bytes.length);
  }
  writer.close();
  strictEqual(writer.events + writer.refused, 2_000);
  // Every block that went out has a sound frame, so that the next one is found.
  const plain = gunzipSync(Deno.readFileSync(file));
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  let at = 0;
  let blocks = 0;
  for (; at < plain.length; blocks++) {
    const length = view.getUint32(at + 4, true);
    strictEqual(view.getUint32(at + length - 4, true), length);
    at += length;
  }
  strictEqual(at, plain.length);
  strictEqual(blocks, writer.events + 2);
  Deno.removeSync(file);
});

/** Random numbers below a bound, the same for the same seed. */
function chance(seed: number): (below: number) => number {
  return (below) => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0;
    return (seed >>> 8) % below;
  };
}

Deno.test("events of every kind are read as they were written", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = chance(seed);
    const text = () => "aß\0/ é".repeat(random(9)).slice(0, random(30));
    const events = Array.from({ length: 100 }, (_, time): Described => {
      // Numbers are read with their full width, so parameters have eight bytes at the least.
      const code = CURRENT[random(CURRENT.length)]!;
      const params = EVENTS[code]!.params.map(() => `${text()}12345678`);
      if (random(2) === 0) return { code, time, params };
      return { code, time, params, own: [text(), text(), text(), random(1 << 30), random(2)] };
    });
    const file = written(events, { compression: random(3) });
    deepStrictEqual(read(file), events, `seed ${seed}`);
    Deno.removeSync(file);
  }
});

/** Codes that no converter changes and whose lengths have 16 bits. */
const CURRENT = EVENTS.filter((event) =>
  event.kind.includes("syscall") && event.code % 2 === 1 && !event.flags.has("large_payload") &&
  !event.flags.has("unused") && !event.flags.has("old_version")
).map(({ code }) => code);

Deno.test("a capture that is cut anywhere gives its first events, then an error", () => {
  const events = Array.from({ length: 40 }, (_, time) => ({ ...OWN, time }));
  const file = written(events, { compression: 0 });
  const whole = Deno.readFileSync(file);
  const sizes = new Set<number>();
  for (let size = whole.length - 1; size > whole.length - 800; size -= 7) {
    Deno.writeFileSync(file, whole.subarray(0, size));
    const found: Described[] = [];
    const source = new CaptureSource([file]);
    source.snapshot();
    const buffer = new Uint8Array(1 << 20);
    let problem = "";
    try {
      for (let bytes = source.read(buffer); bytes > 0; bytes = source.read(buffer)) {
        found.push(...described(buffer, bytes));
      }
    } catch (error) {
      problem = (error as Error).message;
    }
    source.close();
    deepStrictEqual(found, events.slice(0, found.length));
    sizes.add(found.length);
    if (problem !== "") strictEqual(/at byte \d+: it is cut short$/.test(problem), true, problem);
  }
  strictEqual(sizes.size > 4, true);
  Deno.removeSync(file);
});
