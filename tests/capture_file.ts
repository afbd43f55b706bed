// Small captures for tests: opened files come in, a .scap file goes out, in saker's own writing.
import { BLOCK_EVENT } from "../src/events/blocks.ts";
import { codeOf } from "../src/events/table.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { CaptureOutput } from "../src/events/scap/output.ts";
import { CaptureWriter } from "../src/events/scap/writer.ts";
import { putMachine } from "../src/events/scap/state_blocks.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");

export interface Opened {
  readonly path: string;
  readonly tid?: number;
  /** Seconds since the epoch. */
  readonly second?: number;
}

/** Writes a capture in which a thread that nobody knows opens files for reading. */
export function writeCapture(file: string, opened: readonly Opened[]): void {
  const output = new CaptureOutput({ path: file, compression: 6, mustBeNew: false });
  const writer = new CaptureWriter(output);
  const state = new BlockBuffer();
  putMachine(state, {
    cpus: 1,
    memoryBytes: 1n << 30n,
    pidMax: 32_768n,
    hostname: "recorded-here",
    bootTs: 1n,
  });
  writer.begin(state.bytes);
  const block = new BlockBuffer();
  opened.forEach(({ path, tid = 100, second = 1_700_000_000 }, at) => {
    block.clear();
    putOpen(block, path, tid, BigInt(second) * 1_000_000_000n + BigInt(at));
    writer.write(
      new DataView(block.bytes.buffer, block.bytes.byteOffset),
      0,
      block.length,
    );
  });
  writer.close();
}

/** An openat event: result, directory, name, flags, mode, device, inode. */
function putOpen(out: BlockBuffer, path: string, tid: number, time: bigint): void {
  const name = new TextEncoder().encode(`${path}\0`);
  const lengths = [8, 8, name.length, 4, 4, 4, 8];
  out.beginBlock(BLOCK_EVENT);
  out.u16(0);
  out.u64(time);
  out.u64(BigInt(tid));
  out.u32(26 + 2 * lengths.length + lengths.reduce((sum, length) => sum + length, 0));
  out.u16(OPENAT);
  out.u32(lengths.length);
  for (const length of lengths) out.u16(length);
  out.u64(3n);
  out.u64(BigInt.asUintN(64, -100n));
  out.raw(name);
  out.u32(1);
  out.u32(0);
  out.u32(1);
  out.u64(1n);
  out.endBlock();
}
