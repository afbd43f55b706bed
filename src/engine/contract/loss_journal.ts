// When events were lost, how many of which kind, where: entries come in from the engine's thread,
// the newest of them go out, as JSON has them too.

/** Events that were lost in one stretch of time. */
export interface LossEntry {
  /** Milliseconds since the epoch: the losses lie between the two. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly critical: number;
  readonly bulk: number;
  /** By name, of those that lost some; `unknown` for those whose event is not known. */
  readonly byEvent: readonly (readonly [event: string, lost: number])[];
  /** Of those CPUs that lost some. */
  readonly byCpu: readonly {
    readonly cpu: number;
    readonly critical: number;
    readonly bulk: number;
  }[];
}

/** The newest are kept. */
const ENTRIES_MAX = 64;

export interface LossJournalReport {
  readonly entries: readonly {
    readonly from: string;
    readonly until: string;
    readonly critical: number;
    readonly bulk: number;
    readonly by_event: Readonly<Record<string, number>>;
    readonly by_cpu: LossEntry["byCpu"];
  }[];
  /** Older ones that are not kept any more. */
  readonly left_off: number;
}

export class LossJournal {
  readonly #entries: LossEntry[] = [];
  #leftOff = 0;

  add(entry: LossEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length <= ENTRIES_MAX) return;
    this.#entries.shift();
    this.#leftOff++;
  }

  report(): LossJournalReport {
    const time = (ms: number) => new Date(ms).toISOString();
    return {
      entries: this.#entries.map(({ fromMs, untilMs, critical, bulk, byEvent, byCpu }) => ({
        from: time(Math.floor(fromMs)),
        until: time(Math.ceil(untilMs)),
        critical,
        bulk,
        by_event: Object.fromEntries(byEvent),
        by_cpu: byCpu,
      })),
      left_off: this.#leftOff,
    };
  }
}
