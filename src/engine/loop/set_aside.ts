// Events that come while the engine has something else to do for a moment, such as to compile new
// rules: read from the source in time, so that its rings do not fill, and judged afterwards by the
// rules that were in force when they came.
import type { EventSource } from "../../events/source.ts";

/** What is set aside at the most; beyond it events wait in the rings, as they always do. */
const BYTES_MAX = 64 << 20;
/** One batch; not more than the engine takes at once. */
const BATCH_BYTES = 1 << 20;

export class SetAside {
  readonly #source: EventSource;
  readonly #buffer = new Uint8Array(BATCH_BYTES);
  #batches: Uint8Array[] = [];
  #bytes = 0;

  constructor(source: EventSource) {
    this.#source = source;
  }

  /** Empties the rings as far as there is room. */
  readOn(): void {
    while (this.#bytes < BYTES_MAX) {
      const length = this.#source.read(this.#buffer);
      if (length <= 0) return;
      this.#bytes += length;
      this.#batches.push(this.#buffer.slice(0, length));
      // What is far from full was all that there was.
      if (length < BATCH_BYTES / 2) return;
    }
  }

  /** The batches in order; there are none afterwards. */
  take(): readonly Uint8Array[] {
    const batches = this.#batches;
    this.#batches = [];
    this.#bytes = 0;
    return batches;
  }
}
