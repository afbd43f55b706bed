// Losses as the journal has them: the source's counters and what its sequence numbers tell come in
// about once a second; an entry goes out when all of its losses have their place in the sequence,
// or after some seconds, since nothing may follow a loss.
import { type EventSource, NUMBERS_BY_CPU } from "../../events/source.ts";
import type { Counters } from "../contract/counters.ts";
import { lostByName } from "../contract/drop_kinds.ts";
import type { LossEntry } from "../contract/loss_journal.ts";

/** An entry is told so long after its first loss at the latest. */
export const TOLD_AFTER_MS = 3_000;

interface Known {
  readonly critical: number;
  readonly bulk: number;
  readonly byEvent: ReadonlyMap<string, number>;
  readonly cpus: Float64Array;
}

const NOTHING: Known = { critical: 0, bulk: 0, byEvent: new Map(), cpus: new Float64Array() };

export class LossRecord {
  readonly #source: EventSource;
  readonly #counters: Counters;
  /** What earlier entries hold, of the counters. */
  #told: Known = NOTHING;
  /** Lost events that gaps in the sequence told of, since the start. */
  #placed = 0;
  #fromMs = Infinity;
  #untilMs = 0;
  /** When the first loss of the entry at hand was seen, and when there was none last. */
  #sinceMs: number | undefined;
  #quietMs: number;

  constructor(source: EventSource, counters: Counters, startedMs: number) {
    this.#source = source;
    this.#counters = counters;
    this.#quietMs = startedMs;
  }

  /** Takes the present totals, which the shared counters hold already. */
  update([critical, bulk]: readonly [number, number], nowMs: number): LossEntry | undefined {
    const total = critical + bulk;
    const isNew = total > this.#told.critical + this.#told.bulk;
    if (total > this.#placed) this.#takeGaps();
    if (!isNew) {
      this.#quietMs = nowMs;
      this.#forgetPlace();
      return undefined;
    }
    this.#sinceMs ??= nowMs;
    const isPlaced = this.#placed >= total;
    if (!isPlaced && nowMs - this.#sinceMs < TOLD_AFTER_MS) return undefined;
    return this.#tell({ critical, bulk }, isPlaced, nowMs);
  }

  #takeGaps(): void {
    for (const { lost, fromMs, untilMs } of this.#source.takeGaps?.() ?? []) {
      this.#placed += lost;
      this.#fromMs = Math.min(this.#fromMs, fromMs);
      this.#untilMs = Math.max(this.#untilMs, untilMs);
    }
  }

  #tell(
    lost: { readonly critical: number; readonly bulk: number },
    isPlaced: boolean,
    nowMs: number,
  ): LossEntry {
    const before = this.#told;
    const { critical, bulk } = lost;
    const byEvent = new Map(lostByName(this.#counters));
    const cpus = this.#source.cpus?.() ?? new Float64Array();
    this.#told = { critical, bulk, byEvent, cpus };
    const fromMs = isPlaced ? this.#fromMs : Math.min(this.#fromMs, this.#quietMs);
    const untilMs = isPlaced ? this.#untilMs : nowMs;
    this.#quietMs = nowMs;
    this.#sinceMs = undefined;
    this.#forgetPlace();
    return {
      fromMs,
      untilMs,
      critical: critical - before.critical,
      bulk: bulk - before.bulk,
      byEvent: risen(byEvent, before.byEvent),
      byCpu: risenByCpu(cpus, before.cpus),
    };
  }

  #forgetPlace(): void {
    this.#fromMs = Infinity;
    this.#untilMs = 0;
  }
}

/** What is more than before, by name. */
export function risen(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): [name: string, more: number][] {
  return [...now].map(([name, lost]): [string, number] => [name, lost - (before.get(name) ?? 0)])
    .filter(([, more]) => more > 0);
}

function risenByCpu(now: Float64Array, before: Float64Array): LossEntry["byCpu"] {
  const more = (at: number) => now[at]! - (before[at] ?? 0);
  return Array.from({ length: now.length / NUMBERS_BY_CPU }, (_, cpu) => {
    const at = cpu * NUMBERS_BY_CPU;
    return { cpu, critical: more(at + 1), bulk: more(at + 2) };
  }).filter(({ critical, bulk }) => critical + bulk > 0);
}
