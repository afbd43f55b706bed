// For tests: pieces of a capture in memory and in a file, where no other thread is wanted.
import { CaptureOutput, type CaptureSink } from "./output.ts";

/** What was taken, and whether more is. */
export class MemorySink implements CaptureSink {
  readonly pieces: Uint8Array[] = [];
  refuses = false;
  closed = false;

  take(bytes: Uint8Array, length: number): boolean {
    if (!this.refuses) this.pieces.push(bytes.slice(0, length));
    return !this.refuses;
  }

  close(): void {
    this.closed = true;
  }
}

/** A capture's output into a file, which holds at any time what was handed on. */
export function outputTo(path: string, compression: number): CaptureOutput {
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const sink: CaptureSink = {
    take(bytes: Uint8Array, length: number): boolean {
      for (let at = 0; at < length;) at += file.writeSync(bytes.subarray(at, length));
      return true;
    },
    close: () => file.close(),
  };
  return new CaptureOutput({ compression, sink });
}
