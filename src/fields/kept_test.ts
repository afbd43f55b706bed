// What a capture keeps, as a table that is read and compared: each event of the table, old ones as
// what they are read as, and the blocks of state, which other readers take too. UPDATE=1 writes
// kept.json anew; its changes are to be read like code.
import { deepStrictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { BLOCK_EVENT, BlockWalk, Step } from "../events/blocks.ts";
import { eventBytes, type EventValues } from "../events/event_fixture.ts";
import { BlockBuffer } from "../events/scap/block_buffer.ts";
import { CaptureSource } from "../events/scap/capture.ts";
import { outputTo } from "../events/scap/sink_fixture.ts";
import { CaptureWriter } from "../events/scap/writer.ts";
import { NEW_SNAPSHOT } from "../events/source.ts";
import { EVENTS } from "../events/table.ts";
import { Bench, CHILD } from "./context_fixture.ts";
import { inZone, madeUp } from "./shown_fixture.ts";
import { SESSION } from "./shown_session_fixture.ts";

const FILE = new URL("./kept.json", import.meta.url);
const TIME = 1_700_000_000_000_000_000n;
/** One event at a time, and many. */
const READS = [4096, 1 << 20];

function framed(values: EventValues): Uint8Array {
  const block = new BlockBuffer();
  block.beginBlock(BLOCK_EVENT);
  block.u16(3);
  block.raw(eventBytes(values));
  block.endBlock();
  return block.bytes;
}

/** A capture of the events, with the state of the machine before them. */
function written(file: string, compression: number, state: Uint8Array, events: EventValues[]) {
  const writer = new CaptureWriter(outputTo(file, compression));
  writer.begin(state);
  for (const [at, event] of events.entries()) {
    const block = framed({ ...event, time: TIME + BigInt(at) });
    writer.write(new DataView(block.buffer, block.byteOffset), 0, block.length);
  }
  writer.close();
}

function load(bench: Bench, blocks: Uint8Array): void {
  const walk = new BlockWalk(bench.context.event);
  walk.begin(blocks, blocks.length);
  for (let step = walk.next(); step !== Step.End; step = walk.next()) {
    if (step === Step.State) bench.machine.load(walk.type, blocks, walk.start, walk.end);
    if (step === Step.Event) bench.machine.apply(bench.context);
  }
}

/** What a reader shows of the capture's events. */
function read(file: string, bytes: number): string[] {
  const source = new CaptureSource([file]);
  const bench = new Bench();
  load(bench, source.snapshot());
  const walk = new BlockWalk(bench.context.event);
  const buffer = new Uint8Array(bytes);
  const shown: string[] = [];
  for (let length = source.read(buffer); length !== -1; length = source.read(buffer)) {
    if (length === NEW_SNAPSHOT) {
      load(bench, source.snapshot());
      continue;
    }
    walk.begin(buffer, length);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step !== Step.Event) continue;
      bench.machine.apply(bench.context);
      const { event } = bench.context;
      const name = event.hasOwn ? ` | ${bench.text("fd.name")} ${bench.text("fs.path.name")}` : "";
      shown.push(`${EVENTS[event.code]!.id} ${event.cpu} ${bench.text("evt.args")}${name}`);
    }
  }
  source.close();
  return shown;
}

/** Each block of state: its kind, its length, and what its bytes are known by. */
function blocksOf(state: Uint8Array): string[] {
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  const blocks: string[] = [];
  for (let at = 0; at < state.length;) {
    const length = view.getUint32(at + 4, true);
    const digest = createHash("sha256").update(state.subarray(at, at + length)).digest("hex");
    blocks.push(`${view.getUint32(at, true).toString(16)} ${length} ${digest.slice(0, 16)}`);
    at += length;
  }
  return blocks;
}

Deno.test("what a capture keeps of each event and of the tables is what kept.json says", () => {
  const bench = new Bench("kernel");
  for (const values of SESSION) bench.apply(values);
  const state = bench.machine.dump(TIME);
  const kept = EVENTS.filter(({ flags }) => !flags.has("unused") && !flags.has("large_payload"));
  const events = [
    ...[0, 1].flatMap((round) => kept.map((info) => madeUp(info, round))),
    ...SESSION,
  ];
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  try {
    const made = inZone("UTC", () => {
      const shown = READS.map((bytes, at) => {
        written(file, at * 6, state, events);
        return read(file, bytes);
      });
      deepStrictEqual(shown[0], shown[1]);
      return { state: blocksOf(state), events: shown[0] };
    });
    const text = `${JSON.stringify(made, null, 2)}\n`;
    if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(FILE, text);
    deepStrictEqual(made, JSON.parse(Deno.readTextFileSync(FILE)));
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("a machine that is loaded from what a capture keeps shows the same", () => {
  const first = new Bench("kernel");
  for (const values of SESSION) first.apply(values);
  const second = new Bench("kernel");
  load(second, first.machine.dump(TIME));
  const write = {
    id: "SYSCALL_WRITE_X",
    tid: CHILD,
    params: { res: 1, data: "x", fd: 41, size: 1 },
  };
  for (const bench of [first, second]) bench.apply(write);
  const fields = ["proc.cmdline", "proc.cwd", "proc.exepath", "user.name", "fd.name", "fd.type"];
  for (const field of [...fields, "proc.pname", "proc.sid", "fd.sip", "fd.cport", "group.gid"]) {
    deepStrictEqual(second.text(field), first.text(field), field);
  }
});
