// The thread of one source besides system calls, as a watch sees it: its counters, whether it still
// moves, and why it does no more.
import { Counter, type CounterPlace, Counters } from "../../engine/contract/counters.ts";
import type { EnginePart } from "../../engine/thread/engines.ts";
import type { SourceNumbers } from "../../metrics/source_numbers.ts";

/** A thread that has not come round for so long is stuck. */
const STUCK_MS = 10_000;

export interface SourceWatchOptions {
  /** The source's name, for messages. */
  readonly source: string;
  /** What it judges, for people: such as "audit events". */
  readonly events: string;
  readonly warn: (line: string) => void;
}

export class SourceWatch {
  readonly counters = new Counters();
  readonly #options: SourceWatchOptions;
  #failure: string | undefined;
  #ended = false;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
  }

  /** What the group of engines is told. */
  get part(): Pick<EnginePart, "counters" | "onFailure" | "onEnd"> {
    const { source, events, warn } = this.#options;
    return {
      counters: this.counters,
      onEnd: () => this.#ended = true,
      onFailure: (error) => {
        this.#failure = error;
        warn(`Warning: ${source}: ${error}; ${events} are not judged any more`);
      },
    };
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Why it judges no more; `isPatient`: it may well wait. */
  trouble(isPatient: boolean): string | undefined {
    return this.#failure ?? (isPatient || this.#ended ? undefined : this.#stuck());
  }

  #stuck(): string | undefined {
    const movedMs = this.counters.get(Counter.HeartbeatMs);
    const stuckMs = Date.now() - movedMs;
    if (movedMs === 0 || stuckMs < STUCK_MS) return undefined;
    return `${this.#options.events} have not been judged for ${Math.round(stuckMs / 1000)} s: ` +
      "the thread that does it does not move";
  }

  /** What became of its events. */
  judged(): SourceNumbers {
    const get = (place: CounterPlace) => this.counters.get(place);
    return {
      rules: get(Counter.Rules),
      events: get(Counter.Events),
      malformed: get(Counter.Malformed),
      alerts: get(Counter.Alerts),
      alerts_dropped: get(Counter.AlertsDropped),
      mistakes: get(Counter.Mistakes),
    };
  }
}
