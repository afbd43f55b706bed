// Captures on a disk that does not keep up, one that is full, one that never answers: the engine
// goes on, what is missing is counted, and what is there is a whole capture.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { Buffer } from "node:buffer";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { CaptureSource } from "../../events/scap/capture.ts";
import { CaptureOutput } from "../../events/scap/output.ts";
import { CaptureWriter } from "../../events/scap/writer.ts";
import { NEW_SNAPSHOT } from "../../events/source.ts";
import { Counter, Counters } from "../contract/counters.ts";
import { loadAddon } from "../host/addon.ts";
import { CaptureDisk, HOW } from "./capture_disk.ts";
import { Recorder } from "./recorder.ts";
import { putClose, TapScene } from "./tap_fixture.ts";

/** Events whose times gzip cannot make small. */
function events(count: number, state: { seed: number }): BlockBuffer {
  const out = new BlockBuffer();
  for (let event = 0; event < count; event++) {
    state.seed = Math.imul(state.seed, 1_103_515_245) + 12_345 >>> 0;
    putClose(out, BigInt(state.seed), BigInt(state.seed) * 7_919n);
  }
  return out;
}

/** A pipe that is read when the test says so. */
class SlowPipe implements Disposable {
  readonly path: string;
  readonly #descriptor: number;
  readonly #pieces: Buffer[] = [];

  constructor(directory: string) {
    this.path = `${directory}/pipe`;
    strictEqual(new Deno.Command("mkfifo", { args: [this.path] }).outputSync().code, 0);
    this.#descriptor = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** Reads until nobody has anything more to write. */
  drain(isDone: () => boolean): void {
    for (;;) {
      const done = isDone();
      const piece = Buffer.alloc(1 << 16);
      try {
        const read = readSync(this.#descriptor, piece, 0, piece.length, null);
        if (read > 0) this.#pieces.push(piece.subarray(0, read));
        else if (done) return;
      } catch {
        // Nothing just now.
        if (done) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

function diskOf(counters: Counters, { bytesMax = 1 << 20, isReplay = false } = {}) {
  const notices: string[] = [];
  const clock = { nowMs: 0 };
  const disk = new CaptureDisk({
    addon: loadAddon(),
    counters,
    notice: (line) => notices.push(line),
    clock: () => clock.nowMs,
    isReplay,
    bytesMax,
  });
  return { disk, notices, clock };
}

/** How many events each section of the capture has. */
function sections(path: string): number[] {
  const source = new CaptureSource([path]);
  ok(source.snapshot().length > 0);
  const buffer = new Uint8Array(1 << 20);
  const counts = [0];
  for (;;) {
    const bytes = source.read(buffer);
    if (bytes === -1) break;
    if (bytes === NEW_SNAPSHOT) {
      ok(source.snapshot().length > 0);
      counts.push(0);
      continue;
    }
    const view = new DataView(buffer.buffer);
    for (let at = 0; at < bytes; at += view.getUint32(at + 4, true)) {
      counts[counts.length - 1]!++;
    }
  }
  source.close();
  return counts;
}

Deno.test("a recording whose disk stands still goes on behind a gap, with the tables anew", () => {
  using scene = new TapScene();
  using pipe = new SlowPipe(scene.directory);
  const { disk, clock } = diskOf(scene.counters);
  const recorder = new Recorder({
    options: { path: pipe.path, compression: 1 },
    machine: scene.machine,
    counters: scene.counters,
    disk,
    clock: () => clock.nowMs,
  });
  const state = { seed: 1 };
  let passed = 0;
  const batch = (count: number) => {
    passed += count;
    clock.nowMs += 2_000;
    strictEqual(scene.run(recorder, events(count, state), () => {}), false);
  };
  // The pipe holds 64 kB, the bound a MB: what comes then is refused, and nothing waits.
  while (scene.counters.get(Counter.CaptureGap) === 0) batch(1_000);
  batch(1_000);
  const lost = scene.counters.get(Counter.CaptureEventsLost);
  ok(lost >= 1_000);
  ok(scene.counters.get(Counter.CaptureWaitingBytes) <= 1 << 20);
  let rest = 0;
  pipe.drain(() => {
    rest = scene.counters.get(Counter.CaptureWaitingBytes);
    disk.tell();
    clock.nowMs += 2_000;
    return rest === 0;
  });
  batch(10);
  strictEqual(scene.counters.get(Counter.CaptureGap), 0);
  strictEqual(scene.counters.get(Counter.CaptureEventsLost), lost, "nothing more is lost");
  recorder.close();
  pipe.drain(() => true);
  const file = `${scene.directory}/read.scap`;
  Deno.writeFileSync(file, pipe.bytes);
  const counts = sections(file);
  deepStrictEqual(counts, [passed - 10 - lost, 10]);
  strictEqual(scene.counters.get(Counter.RecordedEvents), passed - lost);
});

Deno.test("a replay waits for a slow disk and loses nothing", async () => {
  using scene = new TapScene();
  const path = `${scene.directory}/pipe`;
  const file = `${scene.directory}/read.scap`;
  strictEqual(new Deno.Command("mkfifo", { args: [path] }).outputSync().code, 0);
  const script = 'exec 3< "$0"; sleep 0.3; cat <&3 > "$1"';
  const reader = new Deno.Command("sh", { args: ["-c", script, path, file] }).spawn();
  // Opening for both never waits, and holds the pipe until the writer has it open.
  const hold = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const { disk } = diskOf(scene.counters, { bytesMax: 1_000, isReplay: true });
  const sink = disk.open(path, HOW.given);
  const writer = new CaptureWriter(new CaptureOutput({ compression: 0, sink }));
  disk.settle();
  deepStrictEqual(disk.failures(), []);
  closeSync(hold);
  writer.begin(scene.machine.dump(1n));
  const blocks = events(1_000, { seed: 3 });
  const view = new DataView(blocks.bytes.buffer, 0, blocks.length);
  for (let round = 0; round < 40; round++) {
    for (let at = 0; at < blocks.length; at += view.getUint32(at + 4, true)) {
      writer.write(view, at, at + view.getUint32(at + 4, true));
    }
  }
  writer.close();
  strictEqual(disk.finish(), undefined);
  ok((await reader.status).success);
  deepStrictEqual([writer.lost, sections(file)], [0, [40_000]]);
});

Deno.test("a full disk is one line, and so is a name that cannot be", () => {
  const { disk } = diskOf(new Counters());
  const reasonsOf = (path: string, how: 0 | 1 | 2 = HOW.given) => {
    const file = disk.open(path, how);
    file.take(new Uint8Array(100), 100);
    file.close();
    disk.settle();
    return disk.failures().map(({ error }) => error.message);
  };
  deepStrictEqual(reasonsOf("/dev/full"), [
    'Cannot write capture "/dev/full": no space is left on the device',
  ]);
  deepStrictEqual(reasonsOf("/nowhere/a\nb"), [
    'Cannot write capture "/nowhere/a\\nb": there is no such directory',
  ]);
  const directory = Deno.makeTempDirSync();
  match(reasonsOf(directory)[0]!, /it is a directory$/);
  // A byte that is no UTF-8, as src/words/raw_text.ts keeps it.
  strictEqual(reasonsOf(`${directory}/a\udcff`).length, 0);
  match(reasonsOf(`${directory}/a\udcff`, HOW.new)[0]!, /a\ufffd": there is a file of that name$/);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a disk that never answers refuses what is over the bound, and lets it end", () => {
  const directory = Deno.makeTempDirSync();
  using pipe = new SlowPipe(directory);
  const counters = new Counters();
  const { disk, notices, clock } = diskOf(counters);
  const file = disk.open(pipe.path, HOW.given);
  ok(file.take(new Uint8Array(1 << 20), 1 << 20));
  strictEqual(file.take(new Uint8Array(1), 1), false, "beyond the bound");
  strictEqual(disk.hasRoom, false);
  counters.stop();
  match(
    disk.finish()!.message,
    /^Cannot write capture "[^"]+pipe": its file system does not take the last 1\.0 MB/,
  );
  clock.nowMs += 60_000;
  disk.tell();
  ok(counters.get(Counter.CaptureStuckMs) >= 2_000);
  deepStrictEqual(notices, [], "it is not so long yet");
  pipe.drain(() => disk.hasRoom);
  Deno.removeSync(directory, { recursive: true });
});
