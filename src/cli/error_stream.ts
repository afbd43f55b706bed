// Standard error: at first written at once; once a run watches, without waiting, since whoever
// reads it may stop, and the main thread must go on answering. What waits has a bound, and what
// the bound refused is told when there is a reader again.

export interface ByteSink {
  writeSync(bytes: Uint8Array): number;
  write(bytes: Uint8Array): Promise<number>;
}

const WAITING_BYTES_MAX = 256 << 10;

export class ErrorStream {
  readonly #sink: ByteSink;
  #detached = false;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Never throws: nobody could be told. */
  write(bytes: Uint8Array): void {
    if (!this.#detached) return this.#writeNow(bytes);
    if (this.#bytes + bytes.length > WAITING_BYTES_MAX) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#writing ??= this.#drain();
  }

  /** From now on a write waits for nobody. */
  detach(): void {
    this.#detached = true;
  }

  /** Settles when all is written, or after so long. */
  async flushed(timeoutMs: number): Promise<void> {
    if (this.#writing === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  #writeNow(bytes: Uint8Array): void {
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#sink.writeSync(bytes));
    } catch {
      // Nobody reads it.
    }
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    // It ends behind its beginning, whatever there is to write: the caller keeps the promise.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      let rest = next;
      try {
        while (rest.length > 0) rest = rest.subarray(await this.#sink.write(rest));
      } catch {
        // As above.
      }
      this.#bytes -= next.length;
      if (this.#lost > 0 && this.#waiting.length === 0) this.#tellLost();
    }
    this.#writing = undefined;
  }

  #tellLost(): void {
    const line = `Warning: ${this.#lost} messages were not written here: nobody read them\n`;
    this.#lost = 0;
    this.#waiting.push(new TextEncoder().encode(line));
    this.#bytes += line.length;
  }
}
