// What happened in each second of the last ten minutes and in each minute of the last day, for who
// plots it (GET /series): the engine's running totals come in once a second, what each step added
// goes out. Memory is bounded and allocated once; the engine is not asked.
import { EVENT_COUNT } from "../../events/event_count.ts";
import { EVENTS } from "../../events/table.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import { Latencies } from "../../engine/contract/latencies.ts";
import type { SeriesAnswer } from "./answers.ts";

export interface SeriesOptions {
  readonly counters: Counters;
  /** Alerts of all sources so far. */
  readonly alerts: () => number;
}

export interface SeriesStep {
  readonly step: 1 | 60;
  /** Steps that are kept. */
  readonly kept: number;
}

const SECONDS: SeriesStep = { step: 1, kept: 600 };
const MINUTES: SeriesStep = { step: 60, kept: 1_440 };
/** Types that are kept of each step, those with the most events, and that an answer names. */
const TYPES_KEPT = 12;
const TYPES_TOLD = 12;

export class Series {
  readonly #seconds: Steps;
  readonly #minutes: Steps;

  constructor(options: SeriesOptions) {
    this.#seconds = new Steps(SECONDS, options);
    this.#minutes = new Steps(MINUTES, options);
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    this.#seconds.tick(nowMs);
    this.#minutes.tick(nowMs);
  }

  answer(step: 1 | 60): SeriesAnswer {
    return (step === 1 ? this.#seconds : this.#minutes).answer();
  }
}

/** Reads a query of /series. */
export function seriesQuery(query: URLSearchParams): 1 | 60 | { readonly error: string } {
  for (const name of query.keys()) {
    if (name !== "step") return { error: `no parameter "${name}" There is step` };
  }
  const step = query.get("step") || "1";
  if (step === "1" || step === "60") return step === "1" ? 1 : 60;
  return { error: `step "${step}": expected 1 or 60` };
}

/** Columns of numbers of a step; NaN: there is none. */
const COLUMNS = [
  "at_ms",
  "events",
  "passed_over",
  "lost_critical",
  "lost_bulk",
  "alerts",
  "event_to_engine_p50",
  "event_to_engine_p99",
  "alert_to_output_p50",
  "alert_to_output_p99",
] as const;

interface Totals {
  atMs: number;
  readonly numbers: Float64Array;
  readonly judged: Float64Array;
  readonly lag: Latencies;
  readonly toOutput: Latencies;
}

const SHARES = [0.5, 0.99];

class Steps {
  readonly #step: SeriesStep;
  readonly #options: SeriesOptions;
  /** A row for each step, circular. */
  readonly #rows: Float64Array;
  readonly #codes: Uint16Array;
  readonly #rates: Float32Array;
  #count = 0;
  #before: Totals | undefined;
  /** Those before: a step allocates nothing that lasts. */
  #spare: Totals | undefined;

  constructor(step: SeriesStep, options: SeriesOptions) {
    this.#step = step;
    this.#options = options;
    this.#rows = new Float64Array(step.kept * COLUMNS.length);
    this.#codes = new Uint16Array(step.kept * TYPES_KEPT);
    this.#rates = new Float32Array(step.kept * TYPES_KEPT);
  }

  tick(nowMs: number): void {
    const before = this.#before;
    // Ticks come a little late or early; each belongs to one step.
    const isWithin = before !== undefined && nowMs >= before.atMs &&
      nowMs - before.atMs < this.#step.step * 1_000 - HALF_TICK_MS;
    if (isWithin) return;
    const now = this.#totals(nowMs);
    // A clock that was set back begins anew.
    if (before !== undefined && nowMs >= before.atMs) this.#add(before, now);
    this.#spare = before;
    this.#before = now;
  }

  #totals(atMs: number): Totals {
    const { counters, alerts } = this.#options;
    const totals = this.#spare ?? {
      atMs,
      numbers: new Float64Array(5),
      judged: new Float64Array(EVENT_COUNT),
      lag: new Latencies(),
      toOutput: new Latencies(),
    };
    totals.atMs = atMs;
    totals.numbers[0] = counters.get(Counter.Events);
    totals.numbers[1] = counters.get(Counter.PassedOver);
    totals.numbers[2] = counters.get(Counter.LostCritical);
    totals.numbers[3] = counters.get(Counter.LostBulk);
    totals.numbers[4] = alerts();
    totals.judged.set(counters.judged);
    counters.lag.still(totals.lag);
    counters.toOutput.still(totals.toOutput);
    return totals;
  }

  #add(before: Totals, now: Totals): void {
    const seconds = (now.atMs - before.atMs) / 1_000;
    const row = this.#count++ % this.#step.kept;
    const rows = this.#rows;
    let at = row * COLUMNS.length;
    rows[at++] = now.atMs;
    for (let number = 0; number < now.numbers.length; number++) {
      rows[at++] = Math.max(0, now.numbers[number]! - before.numbers[number]!) / seconds;
    }
    for (const name of ["lag", "toOutput"] as const) {
      for (const ms of now[name].percentilesSince(before[name], SHARES)) rows[at++] = ms ?? NaN;
    }
    this.#addTypes(row, before.judged, now.judged, seconds);
  }

  #addTypes(row: number, before: Float64Array, now: Float64Array, seconds: number): void {
    const from = row * TYPES_KEPT;
    const codes = this.#codes.subarray(from, from + TYPES_KEPT);
    const rates = this.#rates.subarray(from, from + TYPES_KEPT);
    codes.fill(0);
    rates.fill(0);
    for (let code = 0; code < EVENT_COUNT; code++) {
      // Most are of none.
      if (now[code]! <= before[code]!) continue;
      const rate = (now[code]! - before[code]!) / seconds;
      let place = TYPES_KEPT;
      while (place > 0 && rates[place - 1]! < rate) place--;
      if (place === TYPES_KEPT) continue;
      rates.copyWithin(place + 1, place);
      codes.copyWithin(place + 1, place);
      rates[place] = rate;
      codes[place] = code;
    }
  }

  answer(): SeriesAnswer {
    const { step, kept } = this.#step;
    const length = Math.min(this.#count, kept);
    const rows = Array.from({ length }, (_, at) => (this.#count - length + at) % kept);
    const column = (name: (typeof COLUMNS)[number]) => {
      const place = COLUMNS.indexOf(name);
      return rows.map((row) => rounded(this.#rows[row * COLUMNS.length + place]!));
    };
    const sure = (name: (typeof COLUMNS)[number]) => column(name).map((value) => value ?? 0);
    return {
      step_s: step,
      at_ms: sure("at_ms"),
      events: sure("events"),
      passed_over: sure("passed_over"),
      lost_critical: sure("lost_critical"),
      lost_bulk: sure("lost_bulk"),
      alerts: sure("alerts"),
      event_to_engine_p50: column("event_to_engine_p50"),
      event_to_engine_p99: column("event_to_engine_p99"),
      alert_to_output_p50: column("alert_to_output_p50"),
      alert_to_output_p99: column("alert_to_output_p99"),
      by_type: this.#byType(rows),
    };
  }

  #byType(rows: readonly number[]): Record<string, number[]> {
    const byName = new Map<string, { readonly rates: number[]; sum: number }>();
    for (const [at, row] of rows.entries()) {
      for (let place = row * TYPES_KEPT; place < (row + 1) * TYPES_KEPT; place++) {
        const rate = this.#rates[place]!;
        if (rate === 0) break;
        const name = EVENTS[this.#codes[place]!]?.name ?? "";
        let known = byName.get(name);
        if (known === undefined) {
          byName.set(name, known = { rates: new Array<number>(rows.length).fill(0), sum: 0 });
        }
        known.rates[at]! += rate;
        known.sum += rate;
      }
    }
    const most = [...byName].sort(([, one], [, other]) => other.sum - one.sum)
      .slice(0, TYPES_TOLD);
    return Object.fromEntries(
      most.map(([name, { rates }]) => [name, rates.map((rate) => rounded(rate) ?? 0)]),
    );
  }
}

const HALF_TICK_MS = 500;

function rounded(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 100) / 100;
}
