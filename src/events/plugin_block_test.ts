// Events of other sources as blocks.
import { strictEqual } from "node:assert";
import { BlockWalk, Step } from "./blocks.ts";
import { Event } from "./event.ts";
import { pluginEvent } from "./plugin_block_fixture.ts";
import { PLUGIN_DATA_AT, pluginBlockBytes, PluginFrames } from "./plugin_block.ts";

Deno.test("blocks of plugin events of any length are walked over", () => {
  const event = new Event();
  const walk = new BlockWalk(event);
  for (let length = 0; length < 9; length++) {
    const size = pluginBlockBytes(length);
    // As every reader of such files expects it of a block.
    strictEqual(size % 4, 0);
    const bytes = new Uint8Array(2 * size);
    const frames = new PluginFrames();
    frames.bind(bytes);
    for (const at of [0, size]) {
      bytes.fill(65, at + PLUGIN_DATA_AT, at + PLUGIN_DATA_AT + length);
      frames.write(at, length, 7, 1, 2);
    }
    walk.begin(bytes, bytes.length);
    for (let times = 0; times < 2; times++) {
      strictEqual(walk.next(), Step.Event);
      strictEqual(event.code, 322);
      strictEqual(event.tid, -1);
      strictEqual(event.uint32(0), 7);
      strictEqual(event.paramLength(1), length);
      strictEqual(event.time(), 1_000_000_002n);
    }
    strictEqual(walk.next(), Step.End);
  }
});

Deno.test("times are exact, and wrap where 64 bits end", () => {
  const event = new Event();
  const timeOf = (seconds: number, nanoseconds: number) => {
    pluginEvent(event, "{}", seconds, nanoseconds);
    return event.time();
  };
  for (const [seconds, nanoseconds] of [[0, 0], [1_795_642_138, 943_453_001], [4, 999_999_999]]) {
    strictEqual(
      timeOf(seconds!, nanoseconds!),
      BigInt(seconds!) * 1_000_000_000n + BigInt(nanoseconds!),
    );
  }
  strictEqual(timeOf(-1, 0), 2n ** 64n - 1_000_000_000n);
  for (const seconds of [10_413_792_000, 253_402_300_799, -62_167_219_200]) {
    strictEqual(timeOf(seconds, 5), BigInt.asUintN(64, BigInt(seconds) * 1_000_000_000n + 5n));
  }
});
