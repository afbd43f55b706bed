// The last seconds in memory, so that a capture can begin before its alert: event blocks as they
// came, in stretches that each begin with the state of the machine. Bounded in time and in bytes.

/** Batches are copied whole into pieces of this size, or of their own where they are larger. */
const PIECE_BYTES = 1 << 20;
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
  /** How much of each piece is used. */
  readonly used: number[];
  /** Memory of the state and the pieces. */
  bytes: number;
}

export class EventRing {
  /** How often the bound in bytes made it forget what it would have kept. */
  overflows = 0;
  /** Bytes of memory that are held. */
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
    const isFull = last !== undefined && last.bytes + this.#needed(length) > bytesMax / 2;
    if (isFull && this.#mayDump(DUMP_SHARE_FORCED)) this.#beginStretch(time);
    while (this.bytes + this.#needed(length) > bytesMax && stretches.length > 0) {
      this.#drop();
      this.overflows++;
    }
  }

  /** After the batch: takes its blocks. */
  add(bytes: Uint8Array, length: number): void {
    const stretch = this.#stretches.at(-1);
    if (stretch === undefined) return;
    if (!fits(stretch, length)) {
      const piece = length <= PIECE_BYTES ? this.#spare.pop() : undefined;
      const room = Math.max(PIECE_BYTES, length);
      stretch.pieces.push(piece ?? new Uint8Array(room));
      stretch.used.push(0);
      stretch.bytes += room;
      this.bytes += room;
    }
    const last = stretch.pieces.length - 1;
    stretch.pieces[last]!.set(bytes.subarray(0, length), stretch.used[last]);
    stretch.used[last]! += length;
  }

  /**
   * State before the oldest event that is held, and all blocks since, in pieces of whole blocks;
   * undefined: nothing is held.
   */
  held(): { readonly state: Uint8Array; readonly pieces: readonly Uint8Array[] } | undefined {
    const oldest = this.#stretches[0];
    if (oldest === undefined) return undefined;
    const pieces = this.#stretches.flatMap(({ pieces, used }) =>
      pieces.map((piece, index) => piece.subarray(0, used[index]))
    );
    return { state: oldest.state, pieces };
  }

  /** Forgets all: what comes next does not follow what is held. */
  clear(): void {
    while (this.#stretches.length > 0) this.#drop();
  }

  #drop(): void {
    const { bytes, pieces } = this.#stretches.shift()!;
    this.bytes -= bytes;
    // As many are held as were at once, so that none is made once the ring has been full.
    this.#spare.push(...pieces.filter((piece) => piece.length === PIECE_BYTES));
  }

  /** Memory that a batch of so many bytes will take. */
  #needed(length: number): number {
    const last = this.#stretches.at(-1);
    return last !== undefined && fits(last, length) ? 0 : Math.max(PIECE_BYTES, length);
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
    const stretch = { from: time, state, pieces: [], used: [], bytes: state.length };
    this.#stretches.push(stretch);
    this.bytes += state.length;
    return stretch;
  }
}

/** Whether the stretch's last piece has room for so many bytes. */
function fits({ pieces, used }: Stretch, length: number): boolean {
  const piece = pieces.at(-1);
  return piece !== undefined && used.at(-1)! + length <= piece.length;
}
