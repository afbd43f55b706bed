// What Falco shows of a buffer that an event lacks (a read that failed): "NULL", and behind it, up
// to the length of the last buffer that it showed, what earlier parameters left in the memory that
// it writes their text to. Outputs of captures look the same here, so the same memory is kept: of
// texts that outputs showed, nothing else. Events of our own drivers just show "NULL".
import type { ParamType } from "../../events/table.ts";
import { bufferText } from "./params.ts";

const encoder = new TextEncoder();
const ZONE = "+0000\0";
/** More is never shown. */
const SHOWN_BYTES_MAX = 1021;
const BYTES_MAX = 1 << 16;

export class LeftOver {
  #bytes = new Uint8Array(1024);
  #bufferLength = 0;

  /** To be called with the raw text of every parameter that an output shows, in order; `type` is
   * NONE for one that is absent. */
  note(text: string, type: ParamType): void {
    const room = text.length * 3 + 1;
    if (room > this.#bytes.length && room <= BYTES_MAX) {
      const larger = new Uint8Array(room);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const { written } = encoder.encodeInto(text, this.#bytes);
    if (written < this.#bytes.length) this.#bytes[written] = 0;
    // A time is written with its zone, which is then cut off.
    if (type === "ABSTIME") encoder.encodeInto(ZONE, this.#bytes.subarray(written + 1));
    if (type === "FDLIST" && written > 0) this.#bytes[written + 1] = 0;
    if (type === "BYTEBUF") this.#bufferLength = written;
  }

  /** What is shown of a buffer that is not there; its absence must have been noted. */
  missingBuffer(): string {
    const length = Math.min(this.#bufferLength, SHOWN_BYTES_MAX, this.#bytes.length);
    return bufferText(this.#bytes.subarray(0, length), "dots");
  }
}

/** Text of an absent buffer. */
export const NO_BUFFER = "NULL";
