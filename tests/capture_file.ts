// Small captures for tests: opened files and what plugins gave come in, a .scap file goes out, in
// saker's own writing.
import { BLOCK_EVENT } from "../src/events/blocks.ts";
import { OWN_LANE, OWN_PARAMS, OWN_PATH, OWN_SEQUENCE } from "../src/events/event.ts";
import { PLUGIN_DATA_AT, pluginBlockBytes, PluginFrames } from "../src/events/plugin_block.ts";
import { bytesOf } from "../src/words/raw_text.ts";
import { codeOf, flagValue } from "../src/events/table.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { outputTo } from "../src/events/scap/sink_fixture.ts";
import { CaptureWriter } from "../src/events/scap/writer.ts";
import { putMachine } from "../src/events/scap/state_blocks.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");
const O_RDONLY = flagValue("file_flags", "O_RDONLY");
const O_DIRECTORY = flagValue("file_flags", "O_DIRECTORY");

export interface Opened {
  /** Bytes that are no UTF-8 stand in it as in all texts (src/words/raw_text.ts). */
  readonly path: string;
  readonly tid?: number;
  readonly fd?: number;
  readonly isDirectory?: boolean;
  /** Seconds since the epoch. */
  readonly second?: number;
  /** The path that the kernel opened: the event is one of our own drivers. */
  readonly kernel?: string;
}

/** An event of a plugin's source. */
export interface Given {
  /** The plugin's id. */
  readonly plugin: number;
  readonly data: string;
  readonly second: number;
}

/** Writes a capture in which a thread that nobody knows opens files for reading. */
export function writeCapture(file: string, happened: readonly (Opened | Given)[]): void {
  const writer = new CaptureWriter(outputTo(file, 6));
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
  happened.forEach((event, at) => {
    const bytes = "plugin" in event ? givenBlock(event) : openBlock(block, event, at);
    writer.write(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
  });
  writer.close();
}

function openBlock(block: BlockBuffer, open: Opened, at: number): Uint8Array {
  block.clear();
  putOpen(block, open, BigInt(at));
  return block.bytes.subarray(0, block.length);
}

function givenBlock({ plugin, data, second }: Given): Uint8Array {
  const text = bytesOf(data);
  const bytes = new Uint8Array(pluginBlockBytes(text.length));
  const frames = new PluginFrames();
  frames.bind(bytes);
  frames.write(0, text.length, plugin, second, 0);
  bytes.set(text, PLUGIN_DATA_AT);
  return bytes;
}

/** An openat event: result, directory, name, flags, mode, device, inode, then our own. */
function putOpen(out: BlockBuffer, opened: Opened, at: bigint): void {
  const { path, tid = 100, fd = 3, second = 1_700_000_000, kernel } = opened;
  const name = bytesOf(`${path}\0`);
  const own = kernel === undefined ? [] : ownParams(kernel);
  const lengths = [8, 8, name.length, 4, 4, 4, 8, ...own.map((param) => param.length)];
  out.beginBlock(BLOCK_EVENT);
  out.u16(0);
  out.u64(BigInt(second) * 1_000_000_000n + at);
  out.u64(BigInt(tid));
  out.u32(26 + 2 * lengths.length + lengths.reduce((sum, length) => sum + length, 0));
  out.u16(OPENAT);
  out.u32(lengths.length);
  for (const length of lengths) out.u16(length);
  out.u64(BigInt(fd));
  out.u64(BigInt.asUintN(64, -100n));
  out.raw(name);
  out.u32(opened.isDirectory === true ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  out.u32(0);
  out.u32(1);
  out.u64(1n);
  for (const param of own) out.raw(param);
  out.endBlock();
}

function ownParams(kernel: string): Uint8Array[] {
  const params = Array.from({ length: OWN_PARAMS }, () => new Uint8Array(0));
  params[OWN_PATH] = new TextEncoder().encode(`${kernel}\0`);
  params[OWN_SEQUENCE] = new Uint8Array(8);
  params[OWN_LANE] = new Uint8Array(1);
  return params;
}
