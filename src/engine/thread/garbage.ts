// Garbage of a thread that the runtime would leave: it collects by how much is allocated, and in
// pauses of the event loop, which an engine never has. So an idle thread keeps what its start left,
// and a busy one lets its heap grow far beyond what lives in it.

/** How much of a thread's heap may be garbage before it is looked for. */
const SLACK_BYTES = 12 << 20;
/** The same as a part of what lives, where that is more: to go through a large heap takes long. */
const SLACK_SHARE = 0.25;

type Collect = (options: Readonly<Record<string, string>>) => void;

/** Collects all garbage of this thread; nothing where the runtime was started without `gc`. */
export function collectGarbage(): void {
  collector()?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

/** The thread's heap over time. */
export class HeapWatch {
  readonly #slackBytes: number;
  /** What lived after the last collection, or at the start. */
  #floor = Infinity;

  constructor(slackBytes = SLACK_BYTES) {
    this.#slackBytes = slackBytes;
  }

  /** To be called every few seconds: takes microseconds, or tens of milliseconds to collect. */
  look(): void {
    const used = heapBytes();
    this.#floor = Math.min(this.#floor, used);
    if (used - this.#floor < Math.max(this.#slackBytes, this.#floor * SLACK_SHARE)) return;
    collector()?.({ type: "major", execution: "sync" });
    // What has come to live there since is the new floor.
    this.#floor = heapBytes();
  }
}

function collector(): Collect | undefined {
  return (globalThis as { gc?: Collect }).gc;
}

function heapBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
