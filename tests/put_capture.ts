// For tests: a capture into which events are put one by one, as a file that goes with the test.
import type { EventValues } from "../src/events/event_fixture.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { putMachine, putSection } from "../src/events/scap/state_blocks.ts";
import { putEvent } from "./sieve_captures.ts";

export interface PutCaptureOptions {
  /** When the machine was started, where it is told of; ns since the epoch. */
  readonly bootTs?: bigint;
}

export class PutCapture implements Disposable {
  readonly #path = Deno.makeTempFileSync({ suffix: ".scap" });
  readonly #out = new BlockBuffer(1 << 12);

  constructor({ bootTs }: PutCaptureOptions = {}) {
    putSection(this.#out);
    if (bootTs === undefined) return;
    const machine = { cpus: 2, memoryBytes: 1n << 32n, pidMax: 4_194_304n, hostname: "box" };
    putMachine(this.#out, { ...machine, bootTs });
  }

  put(event: EventValues): void {
    putEvent(this.#out, event);
  }

  /** Its path, with all that was put. */
  file(): string {
    Deno.writeFileSync(this.#path, this.#out.bytes.slice(0, this.#out.length));
    return this.#path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}
