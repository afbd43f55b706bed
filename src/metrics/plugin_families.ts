// Numbers of plugins: how each stands on each thread that asks it, what it counts itself, and what
// came of the events of their sources. They stand in /healthz as they are, and become series here.
import type { PluginTold } from "../engine/contract/messages.ts";
import type { Family, Sample } from "./exposition.ts";
import type { Measure } from "./measure.ts";
import type { SourceNumbers } from "./source_numbers.ts";

/** What came of a plugin source's events. */
export interface PluginSourceReport extends SourceNumbers {
  readonly source: string;
  /** It came to its end. */
  readonly ended: boolean;
}

export interface PluginFacts {
  readonly plugins: readonly PluginTold[];
  readonly sources: readonly PluginSourceReport[];
}

/** How one stands, for people. */
export interface PluginHealth {
  readonly name: string;
  readonly source: string;
  readonly state: string;
  readonly restarts: number;
  readonly errors: number;
  readonly dropped: number;
  readonly timeouts: number;
  readonly resident_bytes: number;
  readonly blocked_ms: number;
  /** Questions for values of fields, the events that they were about, and what else it had to do
   * with events: parsed, sent by itself. */
  readonly questions: number;
  readonly asked: number;
  readonly parsed: number;
  readonly sent: number;
  readonly last_error?: string;
}

export function pluginHealth({ name, source, numbers, work }: PluginTold): PluginHealth {
  return {
    name,
    source,
    state: numbers.state,
    restarts: numbers.restarts,
    errors: numbers.errors,
    dropped: numbers.dropped,
    timeouts: numbers.timeouts,
    resident_bytes: numbers.residentBytes,
    blocked_ms: numbers.blockedMs,
    questions: work.questions,
    asked: work.asked,
    parsed: work.parsed,
    sent: work.sent,
    ...(numbers.lastError === undefined ? {} : { last_error: numbers.lastError }),
  };
}

/** What is amiss with one until it is back. */
export function pluginTroubles({ plugins }: PluginFacts): string[] {
  return plugins
    .filter(({ numbers }) => numbers.state === "pausing" || numbers.state === "failed")
    .map(({ name, numbers: { state, lastError = "it failed" } }) =>
      `plugin ${name}: ${lastError}` +
      (state === "pausing" ? "; it is started anew after a pause" : "")
    );
}

const NUMBERS = [
  ["restarts_total", "counter", "restarts", "How often it was started anew."],
  ["errors_total", "counter", "errors", "Calls of it that failed."],
  ["dropped_total", "counter", "dropped", "Events of it that were not taken."],
  ["timeouts_total", "counter", "timeouts", "Times that it did not answer in time."],
  ["resident_bytes", "gauge", "residentBytes", "Memory of its own process."],
] as const;

const WORK = [
  ["questions_total", "questions", "Questions for the values of a field, of an event or of many."],
  ["asked_total", "asked", "Events that such questions were about, once for each field."],
  ["parsed_total", "parsed", "Events that it was handed to parse."],
  ["sent_total", "sent", "Asynchronous events that it sent into the stream."],
] as const;

const OF_SOURCES = [
  ["events_total", "counter", "events", "Events that were held against the rules."],
  ["alerts_total", "counter", "alerts", "Alerts on its events."],
  ["alerts_dropped_total", "counter", "alerts_dropped", "Alerts that nobody could take."],
  ["malformed_total", "counter", "malformed", "What was given as events and is none."],
  ["mistakes_total", "counter", "mistakes", "Events that judging failed on."],
  ["rules", "gauge", "rules", "Rules of the source."],
] as const;

export function pluginFamilies({ plugins, sources }: PluginFacts): Family[] {
  if (plugins.length === 0 && sources.length === 0) return [];
  const labels = ({ name, source }: PluginTold) => ({ plugin: name, source });
  return [
    family(
      "up",
      "gauge",
      "Whether it runs.",
      plugins.map((one) => ({
        labels: labels(one),
        value: one.numbers.state === "running" ? 1 : 0,
      })),
    ),
    ...NUMBERS.map(([name, kind, key, help]) =>
      family(
        name,
        kind,
        help,
        plugins.map((one) => ({ labels: labels(one), value: one.numbers[key] })),
      )
    ),
    ...WORK.map(([name, key, help]) =>
      family(
        name,
        "counter",
        help,
        plugins.map((one) => ({ labels: labels(one), value: one.work[key] })),
      )
    ),
    ...OF_SOURCES.map(([name, kind, key, help]) =>
      family(
        `source_${name}`,
        kind,
        help,
        sources.map((one) => ({ labels: { source: one.source }, value: one[key] })),
      )
    ),
  ];
}

/** What plugins count themselves, as Falco names it: of several threads that ask one together. */
export function pluginMeasures({ plugins }: PluginFacts): Measure[] {
  const measures = new Map<string, Measure>();
  for (const { name: plugin, metrics } of plugins) {
    for (const { name, kind, value } of metrics) {
      const key = `${plugin}.${name}`;
      const before = measures.get(key)?.value ?? 0;
      measures.set(key, {
        name: key,
        group: "plugins",
        unit: "count",
        kind,
        value: before + value,
      });
    }
  }
  return [...measures.values()];
}

function family(name: string, kind: Family["kind"], help: string, samples: Sample[]): Family {
  return { name: `saker_plugin_${name}`, kind, help, samples };
}
