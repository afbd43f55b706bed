// How many events each process had in a window of time: events come in one by one, the busiest
// processes go out. Nothing is made for an event: counts lie in a table that is found by pid.
import type { Machine } from "../../state/contract/machine.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { shownText } from "../../words/raw_text.ts";
import type { BusyProcess, BusyWindow } from "../contract/busiest.ts";

/** A power of two; at most half of the places are taken. */
const PLACES = 8192;
const SHIFT = 32 - Math.log2(PLACES);
/** Processes that one window counts. Further ones count as others: whoever is busy has events
 * early in a window, so it is those of few events that find no place. */
const PROCESSES_MAX = PLACES / 2;
/** How long a window is while somebody looks, and while nobody does. */
export const LOOKED_AT_MS = 2_000;
export const UNSEEN_MS = 5_000;
const LISTED_MAX = 24;

export class ProcessCounts {
  /** 0: the place is free. */
  readonly #pids = new Int32Array(PLACES);
  readonly #events = new Float64Array(PLACES);
  /** One thread of each process, for its names when the window ends. */
  readonly #threads: (Thread | undefined)[] = new Array<Thread | undefined>(PLACES).fill(undefined);
  readonly #taken = new Int32Array(PROCESSES_MAX);
  #count = 0;
  #others = 0;
  /** Events in a row are mostly of one process. */
  #lastPid = 0;
  #lastPlace = 0;
  #begunMs: number;
  readonly #machine: Machine;
  /** Of the strings, when the window began: after a sweep, ids of what has ended may be others'. */
  #generation: number;

  constructor(machine: Machine, nowMs: number) {
    this.#machine = machine;
    this.#begunMs = nowMs;
    this.#generation = machine.strings.generation;
  }

  add(thread: Thread): void {
    const { pid } = thread;
    if (pid !== this.#lastPid) {
      const place = this.#placeOf(pid, thread);
      if (place < 0) return void this.#others++;
      this.#lastPid = pid;
      this.#lastPlace = place;
    }
    this.#events[this.#lastPlace]!++;
  }

  /** To be called about once a second: a window that is over, and another begins. */
  take(nowMs: number, windowMs = LOOKED_AT_MS): BusyWindow | undefined {
    const ms = nowMs - this.#begunMs;
    if (ms >= 0 && ms < windowMs) return undefined;
    const places = this.#taken.slice(0, this.#count)
      .sort((one, other) => this.#events[other]! - this.#events[one]!);
    const window: BusyWindow = {
      ms: Math.max(ms, 1),
      list: [...places.subarray(0, LISTED_MAX)].map((place) => this.#row(place)),
      processes: this.#count,
      others: places.subarray(LISTED_MAX)
        .reduce((sum, place) => sum + this.#events[place]!, this.#others),
    };
    this.#begin(nowMs);
    return window;
  }

  #begin(nowMs: number): void {
    for (const place of this.#taken.subarray(0, this.#count)) {
      this.#pids[place] = 0;
      this.#events[place] = 0;
      this.#threads[place] = undefined;
    }
    this.#count = this.#others = this.#lastPid = 0;
    this.#begunMs = nowMs;
    this.#generation = this.#machine.strings.generation;
  }

  /** Negative: there is none left. */
  #placeOf(pid: number, thread: Thread): number {
    let place = Math.imul(pid, 0x9e3779b1) >>> SHIFT;
    for (;;) {
      const there = this.#pids[place]!;
      if (there === pid) return place;
      if (there === 0) break;
      place = (place + 1) & (PLACES - 1);
    }
    // A thread whose process is not known yet has none.
    if (this.#count === PROCESSES_MAX || pid <= 0) return -1;
    this.#taken[this.#count++] = place;
    this.#pids[place] = pid;
    this.#threads[place] = thread;
    return place;
  }

  #row(place: number): BusyProcess {
    const thread = this.#threads[place]!;
    const { strings } = this.#machine;
    const main = this.#machine.mainOf(thread) ?? thread;
    const isKnown = strings.generation === this.#generation || !main.isDead;
    const text = (id: number) => shownText(isKnown ? strings.text(id) ?? "" : "");
    const container = text(main.containerId);
    return {
      pid: this.#pids[place]!,
      name: text(main.comm),
      exepath: text(main.exepath),
      container: container === "host" ? "" : container,
      events: this.#events[place]!,
    };
  }
}
