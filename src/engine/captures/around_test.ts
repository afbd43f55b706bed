// The events around one event of a capture, and what is said where they cannot be had.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { outputTo } from "../../events/scap/sink_fixture.ts";
import { putMachine } from "../../events/scap/state_blocks.ts";
import { CaptureWriter } from "../../events/scap/writer.ts";
import type { Around, AroundFound } from "../contract/around.ts";
import { type AroundOptions, EVENTS_AROUND, eventsAround } from "./around.ts";
import { putClose } from "./tap_fixture.ts";

const OPTIONS: AroundOptions = {
  machine: { paths: "kernel", threadsMax: 1000, fdsMax: 1000, hostname: "here" },
  bufferFormat: "dots",
};
const START_NS = 1_700_000_000_000_000_000n;
const EVENTS = 400;

/** A second apart, each tenth by thread 8, all others by thread 7. */
function inCapture(work: (file: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "saker-around-" });
  try {
    const file = `${directory}/some.scap`;
    write(file);
    work(file);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function write(file: string): void {
  const writer = new CaptureWriter(outputTo(file, 6));
  const state = new BlockBuffer();
  const machine = { cpus: 1, memoryBytes: 1n << 30n, pidMax: 32_768n, bootTs: 1n };
  putMachine(state, { ...machine, hostname: "recorded-here" });
  writer.begin(state.bytes.subarray(0, state.length));
  const block = new BlockBuffer();
  for (let place = 0; place < EVENTS; place++) {
    block.clear();
    putClose(block, timeOf(place), BigInt(place), place % 10 === 0 ? 8n : 7n);
    const { buffer, byteOffset } = block.bytes;
    writer.write(new DataView(buffer, byteOffset), 0, block.length);
  }
  writer.close();
}

function timeOf(place: number): bigint {
  return START_NS + BigInt(place) * 1_000_000_000n;
}

function at(file: string, place: number, more: Partial<AroundOptions> = {}): Around {
  return eventsAround({ file, time: timeOf(place) }, { ...OPTIONS, ...more });
}

function numbers(events: AroundFound["ofAll"]): number[] {
  return events.map(({ number }) => number - 1);
}

function found(answer: Around): AroundFound {
  if ("error" in answer) throw new Error(answer.error);
  return answer;
}

Deno.test("the nearest events of the alert's process, and of all, with their arguments", () =>
  inCapture((file) => {
    const { ofProcess, ofAll, remarks } = found(at(file, 300));
    deepStrictEqual(remarks, []);
    deepStrictEqual(numbers(ofAll), Array.from({ length: 41 }, (_, step) => 280 + step));
    // Ten are behind it until the capture's end.
    const tenths = Array.from({ length: 30 }, (_, step) => (step + 10) * 10);
    deepStrictEqual(numbers(ofProcess), tenths);
    for (const events of [ofProcess, ofAll]) {
      const own = events.filter(({ isAlerts }) => isAlerts);
      strictEqual(own.length, 1);
      const { time, type, args, tid } = own[0]!;
      strictEqual(time, timeOf(300));
      strictEqual(type, "close");
      strictEqual(tid, 8);
      ok(args.startsWith("res=300"), args);
    }
  }));

Deno.test("at the capture's beginning and its end there are fewer", () =>
  inCapture((file) => {
    deepStrictEqual(numbers(found(at(file, 0)).ofAll), [...new Array(EVENTS_AROUND + 1).keys()]);
    deepStrictEqual(
      numbers(found(at(file, EVENTS - 1)).ofAll),
      Array.from({ length: EVENTS_AROUND + 1 }, (_, step) => EVENTS - 1 - EVENTS_AROUND + step),
    );
  }));

Deno.test("a capture that is still being written has what is there so far", () =>
  inCapture((file) => {
    const bytes = Deno.readFileSync(file);
    // Of the one gzip member the last part is missing.
    Deno.writeFileSync(file, bytes.subarray(0, Math.trunc(bytes.length * 0.7)));
    const { ofAll, remarks } = found(at(file, 100));
    ok(ofAll.length > EVENTS_AROUND, `${ofAll.length} events`);
    ok(remarks.length <= 1);
    const late = at(file, EVENTS - 1);
    ok("error" in late && late.error.includes("still be being written"), JSON.stringify(late));
  }));

Deno.test("no more is read than the bound, and what is no capture is said to be none", () =>
  inCapture((file) => {
    const bound = at(file, EVENTS + 5, { bytesMax: 1 });
    ok("error" in bound && bound.error.includes("further behind"), JSON.stringify(bound));
    Deno.writeTextFileSync(file, "root:x:0:0:root");
    deepStrictEqual(at(file, 1), { error: "it is no capture" });
    Deno.removeSync(file);
    deepStrictEqual(at(file, 1), { error: "there is no such file" });
  }));
