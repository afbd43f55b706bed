// Failures that nobody waits for: a promise that is rejected without a handler, an error thrown in
// a timer or a listener. The runtime would end the program for one of them; a watch goes on, tells
// the first of them, and counts all.

export interface Strays {
  /** How many there were. */
  readonly count: () => number;
}

/** Catches the strays of this thread from now on; `tell` gets the first one. */
export function catchStrays(tell: (failure: unknown) => void): Strays {
  let count = 0;
  const take = (event: Event, failure: unknown): void => {
    event.preventDefault();
    if (++count === 1) tell(failure);
  };
  globalThis.addEventListener("unhandledrejection", (event) => take(event, event.reason));
  globalThis.addEventListener("error", (event) => take(event, event.error ?? event.message));
  return { count: () => count };
}
