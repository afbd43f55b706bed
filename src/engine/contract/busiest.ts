// The processes whose events the engine judged most often in the last moments: the engine tells a
// window of a few seconds after the other, the main thread holds those of the last ten.

export interface BusyProcess {
  readonly pid: number;
  /** Its name (comm), the file that it runs, and its container's id; "" where unknown, or none. */
  readonly name: string;
  readonly exepath: string;
  readonly container: string;
  readonly events: number;
}

/** One window, as it crosses between the threads. */
export interface BusyWindow {
  readonly ms: number;
  /** The busiest first. */
  readonly list: readonly BusyProcess[];
  /** Of how many processes there were events, and how many events those that are not listed had. */
  readonly processes: number;
  readonly others: number;
}

export interface BusiestReport {
  /** Of so many seconds; 0 before the first window. */
  readonly seconds: number;
  /** In the newest window. */
  readonly processes: number;
  /** Events of processes that are not listed. */
  readonly others: number;
  readonly list: readonly (BusyProcess & { readonly per_second: number })[];
}

/** Rates are over so long, as all others: over the newest windows that are as long together. */
const SPAN_MS = 10_000;
/** Windows that are held. */
const WINDOWS = 5;
/** Windows that are so old tell of the past: the engine is stuck, or says nothing more. */
const STALE_MS = 15_000;
/** Processes that a report lists. */
const LISTED_MAX = 32;

export class Busiest {
  #windows: { readonly atMs: number; readonly window: BusyWindow }[] = [];

  add(window: BusyWindow, nowMs: number): void {
    this.#windows.push({ atMs: nowMs, window });
    if (this.#windows.length > WINDOWS) this.#windows.shift();
  }

  report(nowMs: number): BusiestReport {
    const fresh = this.#windows.filter(({ atMs }) => nowMs - atMs < STALE_MS)
      .map(({ window }) => window);
    let [from, ms] = [fresh.length, 0];
    while (from > 0 && ms < SPAN_MS) ms += fresh[--from]!.ms;
    const windows = fresh.slice(from);
    const seconds = ms / 1000;
    const byPid = new Map<number, BusyProcess>();
    for (const row of windows.flatMap(({ list }) => list)) {
      // The newest name holds: a process may have executed something else.
      byPid.set(row.pid, { ...row, events: row.events + (byPid.get(row.pid)?.events ?? 0) });
    }
    const rows = [...byPid.values()].sort((one, other) =>
      other.events - one.events || one.pid - other.pid
    );
    const others = windows.reduce((sum, { others }) => sum + others, 0) +
      rows.slice(LISTED_MAX).reduce((sum, { events }) => sum + events, 0);
    return {
      seconds: Math.round(seconds * 10) / 10,
      processes: windows.at(-1)?.processes ?? 0,
      others,
      list: rows.slice(0, LISTED_MAX).map((row) => ({
        ...row,
        per_second: Math.round(10 * row.events / Math.max(seconds, 0.001)) / 10,
      })),
    };
  }
}
