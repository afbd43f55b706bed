// Events of sources besides system calls as .scap blocks: the data that such a source gives, a
// time, and a plugin event around them.
import { BLOCK_EVENT_LARGE } from "./blocks.ts";
import { HEADER_BYTES } from "./event.ts";
import { codeOf } from "./table.ts";

const PLUGIN_EVENT = codeOf("PLUGINEVENT_E");
/** Type, length and CPU of the block, the event's header, the lengths and the id of the plugin. */
export const PLUGIN_EVENT_AT = 10;
const LENGTHS_AT = PLUGIN_EVENT_AT + HEADER_BYTES;
const ID_BYTES = 4;
export const PLUGIN_DATA_AT = LENGTHS_AT + 8 + ID_BYTES;

/** Bytes of the block of an event with so much data. */
export function pluginBlockBytes(dataBytes: number): number {
  return PLUGIN_DATA_AT + ((dataBytes + 3) & ~3) + 4;
}

/** Writes the frames of blocks into one buffer. */
export class PluginFrames {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);

  bind(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Writes the frame of a block at `at`, whose data stands at `at + PLUGIN_DATA_AT` or is put
   * there afterwards. Seconds and nanoseconds count from the epoch; what does not fit wraps, as in
   * Falco.
   */
  write(
    at: number,
    dataBytes: number,
    pluginId: number,
    seconds: number,
    nanoseconds: number,
  ): void {
    const view = this.#view;
    const length = pluginBlockBytes(dataBytes);
    view.setUint32(at, BLOCK_EVENT_LARGE, true);
    view.setUint32(at + 4, length, true);
    view.setUint16(at + 8, 0, true);
    // A product of 64 bits without one: its low half by itself, the high one from what is left.
    const exact = (Math.imul(seconds, 1_000_000_000) >>> 0) + nanoseconds;
    const low = exact % 0x1_0000_0000;
    const high = Math.round((seconds * 1e9 + nanoseconds - low) / 0x1_0000_0000);
    const event = at + PLUGIN_EVENT_AT;
    view.setUint32(event, low, true);
    view.setInt32(event + 4, high % 0x1_0000_0000 | 0, true);
    // Nobody's thread.
    view.setInt32(event + 8, -1, true);
    view.setInt32(event + 12, -1, true);
    view.setUint32(event + 16, HEADER_BYTES + 8 + ID_BYTES + dataBytes, true);
    view.setUint16(event + 20, PLUGIN_EVENT, true);
    view.setUint32(event + 22, 2, true);
    view.setUint32(at + LENGTHS_AT, ID_BYTES, true);
    view.setUint32(at + LENGTHS_AT + 4, dataBytes, true);
    view.setUint32(at + LENGTHS_AT + 8, pluginId, true);
    const end = at + length;
    for (let byte = at + PLUGIN_DATA_AT + dataBytes; byte < end - 4; byte++) view.setUint8(byte, 0);
    view.setUint32(end - 4, length, true);
  }
}
