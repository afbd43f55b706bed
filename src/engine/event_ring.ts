// The last seconds in memory, so that a capture can begin before its alert: event blocks as they
// came, in stretches that each begin with the state of the machine. Bounded in time and in bytes.

/** Blocks are copied into pieces of this size. */
const PIECE_BYTES = 256 << 10;
/** State dumps may take a hundredth of the engine's time, and a twentieth where the ring would
 * otherwise have to forget everything. */
const DUMP_SHARE = 100;
const DUMP_SHARE_FORCED = 20;
/** Every so much of the time kept, a stretch ends and the next begins. */
const STRETCHES = 2n;

export interface RingOptions {
  /** Events so long before an alert are kept, ns: at the least once so much has passed. */
  readonly keepNs: bigint;
  /** State and events together, in bytes. */
  readonly bytesMax: number;
  /** The tables as state blocks, as they are before the next event. */
  readonly dump: (time: bigint) => Uint8Array;
  /** Milliseconds of a clock that only rises; one that stands where dumps are not limited. */
  readonly clock: () => number;
}

interface Stretch {
  readonly from: bigint;
  readonly state: Uint8Array;
  readonly pieces: Uint8Array[];
  /** Bytes used of the last piece. */
  used: number;
  bytes: number;
}

export class EventRing {
  /** How often the bound in bytes made it forget what it would have kept. */
  overflows = 0;
  /** Bytes held. */
  bytes = 0;
  readonly #options: RingOptions;
  readonly #stretches: Stretch[] = [];
  readonly #spare: Uint8Array[] = [];
  #dumpedMs = -Infinity;
  #dumpTookMs = 0;

  constructor(options: RingOptions) {
    this.#options = options;
  }

  /** Before a batch of so many bytes is applied, whose first event is of that time. */
  begin(time: bigint, length: number): void {
    const { keepNs, bytesMax } = this.#options;
    const stretches = this.#stretches;
    while (stretches.length > 1 && stretches[1]!.from <= time - keepNs) this.#drop();
    let last = stretches.at(-1);
    const isDue = last === undefined || time - last.from >= keepNs / STRETCHES;
    if (isDue && this.#mayDump(DUMP_SHARE)) last = this.#beginStretch(time);
    // A stretch of its own for every half: dropping the older one leaves the other.
    const isFull = last !== undefined && last.bytes + length > bytesMax / 2;
    if (isFull && this.#mayDump(DUMP_SHARE_FORCED)) this.#beginStretch(time);
    while (this.bytes + length > bytesMax && stretches.length > 0) {
      this.#drop();
      this.overflows++;
    }
  }

  /** After the batch: takes its blocks. */
  add(bytes: Uint8Array, length: number): void {
    const stretch = this.#stretches.at(-1);
    if (stretch === undefined) return;
    for (let from = 0; from < length;) {
      let piece = stretch.pieces.at(-1);
      if (piece === undefined || stretch.used === PIECE_BYTES) {
        stretch.pieces.push(piece = this.#spare.pop() ?? new Uint8Array(PIECE_BYTES));
        stretch.used = 0;
      }
      const count = Math.min(length - from, PIECE_BYTES - stretch.used);
      piece.set(bytes.subarray(from, from + count), stretch.used);
      stretch.used += count;
      from += count;
    }
    stretch.bytes += length;
    this.bytes += length;
  }

  /** State before the oldest event that is held, and all blocks since; undefined: nothing is. */
  held(): { readonly state: Uint8Array; readonly blocks: Uint8Array } | undefined {
    const oldest = this.#stretches[0];
    if (oldest === undefined) return undefined;
    const total = this.#stretches.reduce(
      (sum, { bytes, state }) => sum + bytes - state.length,
      0,
    );
    const blocks = new Uint8Array(total);
    let at = 0;
    for (const stretch of this.#stretches) {
      for (const [index, piece] of stretch.pieces.entries()) {
        const isLast = index === stretch.pieces.length - 1;
        const part = isLast ? piece.subarray(0, stretch.used) : piece;
        blocks.set(part, at);
        at += part.length;
      }
    }
    return { state: oldest.state, blocks };
  }

  /** Forgets all: what comes next does not follow what is held. */
  clear(): void {
    while (this.#stretches.length > 0) this.#drop();
  }

  #drop(): void {
    const { bytes, pieces } = this.#stretches.shift()!;
    this.bytes -= bytes;
    // As many are held as were at once, so that none is made once the ring has been full.
    this.#spare.push(...pieces);
  }

  #mayDump(share: number): boolean {
    return this.#options.clock() - this.#dumpedMs >= this.#dumpTookMs * share;
  }

  #beginStretch(time: bigint): Stretch {
    const { dump, clock } = this.#options;
    const beganMs = clock();
    // A copy: the dump's buffer is larger than what it holds.
    const state = dump(time).slice();
    this.#dumpedMs = clock();
    this.#dumpTookMs = this.#dumpedMs - beganMs;
    const stretch = { from: time, state, pieces: [], used: 0, bytes: state.length };
    this.#stretches.push(stretch);
    this.bytes += state.length;
    return stretch;
  }
}
