// Does saker see? Once a second the engine's numbers and the kernel's count of process starts come
// in, a reason for blindness goes out. Busy is not blind: an engine that still works through what
// waits in the rings, or whose machine was stopped as a whole, is given no verdict.
import { Counter, type Counters } from "../engine/contract/counters.ts";

/** The engine comes round its loop at least once a second. */
const STUCK_MS = 5_000;
/** What a pause between two ticks counts for at most: in a longer one this thread stood as well. */
const PAUSE_MAX_MS = 2_000;

/**
 * Every start and end of a process is recorded whatever the rules. So many starts without one
 * event, within the window, are more than what goes unrecorded: the kernel's own threads and
 * those of saker itself.
 */
const UNSEEN_FORKS = 16;
const WINDOW_MS = 10_000;
/** A start's event is in the rings this long after the kernel has counted it, at the latest. */
const UNDER_WAY_MS = 500;

export interface SightOptions {
  readonly counters: Counters;
  /** Processes and threads that this machine started since it booted; undefined if unknown. */
  readonly countForks: () => number | undefined;
}

/** A stretch without events, and the starts counted in it. */
interface Silence {
  events: number;
  /** Starts when the window began, and when that was; none in the first second. */
  begin: { forks: number; atMs: number } | undefined;
  /** The last count that the engine may still have to look for. */
  sample: { forks: number; atMs: number } | undefined;
}

export class Sight {
  readonly #options: SightOptions;
  #tickedMs = 0;
  #beat = 0;
  #stillMs = 0;
  #silence: Silence | undefined;
  #unseenForks = 0;

  constructor(options: SightOptions) {
    this.#options = options;
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    const { counters } = this.#options;
    const passedMs = Math.min(Math.max(0, nowMs - this.#tickedMs), PAUSE_MAX_MS);
    this.#tickedMs = nowMs;
    if (counters.get(Counter.StartedMs) === 0) return;
    const beat = counters.get(Counter.HeartbeatMs);
    this.#stillMs = beat === this.#beat ? this.#stillMs + passedMs : 0;
    this.#beat = beat;
    this.#listen(nowMs);
  }

  blindness(): string | undefined {
    const { counters } = this.#options;
    if (counters.get(Counter.StartedMs) === 0) return undefined;
    if (this.#stillMs > STUCK_MS && counters.get(Counter.HeartbeatMs) === this.#beat) {
      return `the engine has not moved for ${Math.round(this.#stillMs / 100) / 10} s`;
    }
    const detached = counters.get(Counter.ProgramsDetached);
    if (detached > 0) {
      const wanted = counters.get(Counter.ProgramsWanted);
      return `${detached} of ${wanted} probe programs are detached`;
    }
    if (this.#unseenForks >= UNSEEN_FORKS && this.#silence?.events === this.#events()) {
      return `no event came while this machine started ${this.#unseenForks} processes`;
    }
    return undefined;
  }

  /** Counts starts without an event; those that the engine found no event of in the rings. */
  #listen(nowMs: number): void {
    // Read before the events: what the engine read until then is among them.
    const emptyMs = this.#options.counters.get(Counter.EmptyMs);
    const events = this.#events();
    if (this.#silence?.events !== events) {
      this.#unseenForks = 0;
      // The first silent second only sets the mark; a busy host never counts its forks.
      this.#silence = { events, begin: undefined, sample: undefined };
      return;
    }
    const silence = this.#silence;
    const forks = this.#options.countForks();
    if (forks === undefined) return;
    const { begin, sample } = silence;
    if (begin === undefined || sample === undefined || nowMs < sample.atMs) {
      silence.begin = silence.sample = { forks, atMs: nowMs };
      return;
    }
    if (emptyMs <= sample.atMs + UNDER_WAY_MS) return;
    // What one window showed stays true until an event comes.
    const unseen = sample.forks - begin.forks;
    if (unseen >= UNSEEN_FORKS) this.#unseenForks = Math.max(this.#unseenForks, unseen);
    if (nowMs - begin.atMs > WINDOW_MS) silence.begin = sample;
    silence.sample = { forks, atMs: nowMs };
  }

  #events(): number {
    return this.#options.counters.get(Counter.Events);
  }
}

/** Forks since boot as the kernel counts them (`processes` of /proc/stat, proc(5)). */
export function forksSinceBoot(procRoot: string): number | undefined {
  try {
    const line = /^processes (\d+)$/m.exec(Deno.readTextFileSync(`${procRoot}/proc/stat`));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
