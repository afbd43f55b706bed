// The contract of everything that events come from: a live driver, a capture, a plugin. Every
// implementation keeps to what stands here.

export interface SourceStats {
  /** Events that the source handed over. */
  events: number;
  /** Events that were lost before they could be read, by lane (LANE_CRITICAL, LANE_BULK). */
  lost: readonly [number, number];
  /** Of the lost: those over the share that one process has of a ring that fills up. */
  excess?: number;
  /** How often the kernel left a program of the probe out: calls of which nothing is known. */
  skipped?: number;
  /** Events whose strings were cut to fit. */
  truncated: number;
  /** Names that the probe looked up after the call, and those whose path stays unknown. */
  named?: number;
  unresolved?: number;
  /** Files of rules that are known by their inodes, and names that found no place. */
  filesNamed?: number;
  filesRefused?: number;
  /** Probe programs attached; 0 for sources without a probe. */
  programs: number;
}

/** A process that lost events over its share. */
export interface ProcessExcess {
  readonly pid: number;
  readonly name: string;
  readonly lost: number;
}

/** Events of one CPU and lane that are missing, by their sequence numbers; the losses lie between
 * the two times (milliseconds since the epoch). */
export interface SequenceGap {
  readonly cpu: number;
  readonly lane: number;
  readonly lost: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export const NUMBERS_BY_CPU = 3;

/** How often a program of the probe ran, and for how long; 0 where the kernel does not count. */
export interface ProgramRuns {
  readonly name: string;
  readonly runs: number;
  readonly ns: number;
}

/** What `read` returns when another state of the machine begins: `snapshot` has its blocks. */
export const NEW_SNAPSHOT = -2;

export interface EventSource {
  readonly name: string;
  /** `evt.source`: "syscall" for drivers and captures. */
  readonly source: string;
  /** It hands over few events at a time, and then has more at once. */
  readonly isPiecemeal?: boolean;
  /** A read that leaves half of the buffer free took all that there was: to look again at once
   * would find nothing. */
  readonly readsAll?: boolean;
  /** What the source was given and is no event. */
  readonly malformed?: number;
  /**
   * Fills `buffer` with whole .scap event blocks in time order. Returns the bytes written: 0 means
   * nothing now (the caller waits), -1 that the source has ended, NEW_SNAPSHOT that `snapshot` is
   * to be loaded before the next events (another file or section of a capture). Throws an Error
   * that says all in one line where the source cannot go on; everything before was handed over.
   */
  read(buffer: Uint8Array): number;
  /** Blocks until there is something to read or the time is over. A source that `looksAtBells` also
   * looks at them some ten times a second, and returns where one is not zero. */
  wait(timeoutMs: number, bells: Uint32Array): void;
  readonly looksAtBells?: boolean;
  stats(): SourceStats;
  /** Processes that lost events over their share since the last call. */
  takeExcess?(): readonly ProcessExcess[];
  /** The machine as it was at the start, as .scap blocks (machine, interfaces, users, processes,
   * descriptors). Asked for once before the first `read`, and after NEW_SNAPSHOT. */
  snapshot(): Uint8Array;
  /** Event codes that rules and state need; the source may leave out all others. */
  setInterest(codes: ReadonlySet<number>): void;
  /** Exchanges the table of the sieve (src/sieve/table.ts), under load; an empty one lets all
   * through. `keepsOpens`: whatever it says of opens, they keep the tables of descriptors. Throws
   * where the source cannot ask it, and hands all over then. */
  setSieve?(table: Uint8Array, keepsOpens: boolean): void;
  /** The files that are to be known under any of their links, too. Throws where that cannot be. */
  nameFiles?(names: readonly string[]): void;
  /** There may be processes with a root that is new: those files are looked for there soon. */
  lookAtRoots?(): void;
  /** Writes the events that the sieve kept back to their codes' places. */
  sifted?(counts: Float64Array): void;
  /** Events that were lost, by event code; 0 is the code of those that are not known. */
  lostByCode?(): ReadonlyMap<number, number>;
  /** What was found missing among the events that were read since the last call; what nothing
   * follows yet is not among it. */
  takeGaps?(): readonly SequenceGap[];
  /** For each CPU NUMBERS_BY_CPU: events that were written, that were lost of the critical lane,
   * and of the bulk one. */
  cpus?(): Float64Array;
  /** How often the programs of a probe ran. */
  runs?(): readonly ProgramRuns[];
  close(): void;
}
