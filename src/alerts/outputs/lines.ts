// Lines onto a stream that may take part of them and then fail: counts what arrived whole, and
// begins anew behind what did not, so that one alert cut off never spoils the next.

import { PartlyWritten } from "./output.ts";

/** What is written to; a write may take fewer bytes than it is given. */
export interface ByteStream {
  write(bytes: Uint8Array): Promise<number>;
}

const LF = 10;
const encoder = new TextEncoder();

export class LineWriter {
  /** Whether the last byte that was taken is not the end of a line. */
  #isMidLine = false;

  /** Writes lines, each of which ends with a newline; rejects with PartlyWritten. */
  async write(lines: readonly string[], stream: ByteStream): Promise<void> {
    const begin = this.#isMidLine ? "\n" : "";
    const bytes = encoder.encode(begin + lines.join(""));
    let at = 0;
    try {
      while (at < bytes.length) {
        const taken = await stream.write(bytes.subarray(at));
        // A stream that takes nothing again and again would be asked for ever.
        if (taken === 0) throw new Error("it takes nothing");
        at += taken;
        this.#isMidLine = bytes[at - 1] !== LF;
      }
    } catch (error) {
      throw new PartlyWritten(linesIn(bytes.subarray(begin.length, at)), error);
    }
  }

  /** What comes next goes behind something else, which ends within a line or not. */
  startAt(isMidLine: boolean): void {
    this.#isMidLine = isMidLine;
  }
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === LF) lines++;
  return lines;
}
