// The overview's numbers: status and series come in, each number as the text that stands on the
// page goes out, by the name by which page and script know it. The page is made with these,
// and the script puts newer ones in their places (GET /page/now).
import type { SeriesAnswer } from "../told/answers.ts";
import { pathsOf, piecesOf, type Span } from "./plots.tsx";
import { age, bytes, count, duration, many } from "./shown.ts";
import type { Percentiles, StatusShown } from "./status_shown.ts";

export interface Tile {
  readonly name: string;
  readonly title: string;
  readonly value: string;
  readonly note: string;
  /** Something is amiss. */
  readonly isBad?: boolean;
  readonly plot?: {
    readonly values: readonly (number | null)[];
    readonly unit: string;
    readonly isLoss?: boolean;
  };
}

/** What GET /page/now answers. */
export interface Now {
  readonly state: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly bad: Readonly<Record<string, boolean>>;
  readonly paths: Readonly<Record<string, string>>;
}

/** What the plots show: the last ten minutes, or the last day. */
export type SpanName = "minutes" | "day";

export const SPANS: Readonly<
  Record<SpanName, { readonly step: 1 | 60; readonly ms: number; readonly words: string }>
> = {
  minutes: { step: 1, ms: 600_000, words: "10 minutes" },
  day: { step: 60, ms: 86_400_000, words: "24 hours" },
};

/** Five seconds each, or ten minutes and more. */
const PIECES = 120;

export function nowOf(status: StatusShown, series: SeriesAnswer): Now {
  const texts: Record<string, string> = {};
  const bad: Record<string, boolean> = {};
  const paths: Record<string, string> = {};
  for (const { name, value, note, isBad = false, plot } of tilesOf(status, series)) {
    texts[`${name}.value`] = value;
    texts[`${name}.note`] = note;
    bad[`${name}.value`] = isBad;
    if (plot === undefined) continue;
    const { line, area } = pathsOf(plot.values);
    paths[`${name}.line`] = line;
    paths[`${name}.area`] = area;
    texts[`${name}.top`] = topOf(plot);
  }
  return { state: status.status, texts, bad, paths };
}

/** What the full height of a plot stands for. */
export function topOf({ values, unit }: NonNullable<Tile["plot"]>): string {
  let top = 0;
  for (const value of values) if (value !== null && value > top) top = value;
  const text = unit === "ms" ? duration(top) : `${count(top)}${unit}`;
  return top === 0 ? "" : `at most ${text}`;
}

export function tilesOf(status: StatusShown, series: SeriesAnswer): readonly Tile[] {
  const { events, lost, latency_ms, alerts, driver, memory, rules } = status;
  const { attached, wanted } = driver.programs;
  const allLost = lost.by_lane.critical + lost.by_lane.bulk;
  const lostSteps = series.lost_critical.map((one, at) => one + series.lost_bulk[at]!);
  const span: Span = {
    untilMs: series.at_ms.at(-1) ?? 0,
    ms: series.step_s === 1 ? SPANS.minutes.ms : SPANS.day.ms,
    pieces: PIECES,
  };
  const plotted = (values: readonly (number | null)[]) => piecesOf(series.at_ms, values, span);
  const seen = events.judged + events.passed_over;
  return [
    {
      name: "events",
      title: "Events judged",
      value: rate(events.per_second),
      note: `${count(events.judged)} so far`,
      plot: { values: plotted(series.events), unit: "/s" },
    },
    {
      name: "sieve",
      title: "Passed over by the sieve",
      value: rate(events.passed_over_per_second),
      note: seen === 0
        ? "nothing yet"
        : `${Math.floor(100 * events.passed_over / seen)}% of all events matter to no rule`,
      plot: { values: plotted(series.passed_over), unit: "/s" },
    },
    {
      name: "lost",
      title: "Events lost",
      value: count(allLost),
      isBad: lostSteps.some((one) => one > 0),
      note: allLost === 0
        ? "none since the start"
        : `${count(lost.by_lane.critical)} of them critical, ${rate(lost.per_second)} now`,
      plot: { values: plotted(lostSteps), unit: "/s", isLoss: true },
    },
    {
      name: "alerts",
      title: "Alerts",
      value: count(alerts.raised),
      isBad: alerts.dropped > 0,
      note: alerts.dropped > 0
        ? `${count(alerts.dropped)} did not reach an output`
        : `${rate(alerts.per_second)}, all handed on`,
      plot: { values: plotted(series.alerts), unit: "/s" },
    },
    {
      name: "latency",
      title: "From call to alert",
      value: median(latency_ms.alert_to_output),
      note: slowest(latency_ms.alert_to_output),
      plot: { values: plotted(series.alert_to_output_p99), unit: "ms" },
    },
    {
      name: "lag",
      title: "From call to engine",
      value: median(latency_ms.event_to_engine),
      note: slowest(latency_ms.event_to_engine),
      plot: { values: plotted(series.event_to_engine_p99), unit: "ms" },
    },
    {
      name: "driver",
      title: "Driver",
      value: driver.name,
      isBad: attached < wanted,
      note: wanted === 0 ? "no probe is wanted" : `${attached} of ${wanted} programs attached`,
    },
    {
      name: "self",
      title: "saker itself",
      value: memory.resident_bytes === null ? "–" : bytes(memory.resident_bytes),
      note: `${many(rules.in_force, "rule")}, up for ${age(status.uptime_s)}`,
    },
  ];
}

function rate(perSecond: number | null): string {
  return perSecond === null ? "–" : `${count(perSecond)}/s`;
}

function median({ p50 }: Percentiles): string {
  return p50 === null ? "–" : duration(p50);
}

function slowest({ count: measured, p99, max }: Percentiles): string {
  if (p99 === null || max === null || measured === 0) return "none measured yet";
  return `median; 99% within ${duration(p99)}, longest ${duration(max)}`;
}
