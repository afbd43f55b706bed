// Waiting for a time, unless somebody cuts the wait short.

export class Pause {
  #wake: (() => void) | undefined;

  /** Settles after so long, or when woken. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  wake(): void {
    this.#wake?.();
  }
}

/** Settles with the promise, or after so long. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const pause = new Pause();
  await Promise.race([pause.wait(ms), promise.then(() => {}, () => {})]);
  pause.wake();
}
