// An event of another source made by hand, for tests: its data in, the cursor on it.
import type { Event } from "./event.ts";
import { PLUGIN_DATA_AT, PLUGIN_EVENT_AT, pluginBlockBytes, PluginFrames } from "./plugin_block.ts";

const SECONDS = 1_700_000_000;

/** Points the cursor at a plugin event with that data, the next one of a run. */
export function pluginEvent(event: Event, data: string, seconds = SECONDS, nanoseconds = 0): void {
  const bytes = new TextEncoder().encode(data);
  const block = new Uint8Array(pluginBlockBytes(bytes.length));
  block.set(bytes, PLUGIN_DATA_AT);
  const frames = new PluginFrames();
  frames.bind(block);
  frames.write(0, bytes.length, 1, seconds, nanoseconds);
  event.bind(block);
  if (!event.moveTo(PLUGIN_EVENT_AT, block.length - 4)) throw new Error("The block is not sound");
  event.num++;
}
