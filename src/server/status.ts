// All that is known of this saker, for people and their tools (GET /status): health's report and
// the facts of the metrics come in, one object for JSON goes out. Nothing here asks the engine.
import type { QueueStats } from "../alerts/queue.ts";
import { EVENTS } from "../events/table.ts";
import { Counter, type CounterPlace, type Counters } from "../engine/contract/counters.ts";
import type { Latencies } from "../engine/contract/latencies.ts";
import type { DeadRule } from "../engine/contract/messages.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import type { Facts, ReloadFacts } from "../metrics/facts.ts";
import { sumOfAll } from "../metrics/file_sums.ts";
import type { HealthReport } from "./health.ts";
import type { Rates } from "./rates.ts";
import type { StreamStats } from "./stream/alert_stream.ts";

export type RateName = "events" | "passed_over" | "lost" | "alerts";

export interface StatusOptions {
  readonly facts: Facts;
  readonly health: () => HealthReport;
  readonly rates: Rates<RateName>;
  readonly stream: () => StreamStats;
  readonly deadRules: () => readonly DeadRule[];
  readonly troubles: () => readonly string[];
  /** Most threads and descriptors that the tables may hold. */
  readonly bounds: { readonly threads: number; readonly descriptors: number };
}

/** Rules that are told of one by one: those with the most alerts, then those that took longest. */
const RULES_MAX = 1000;

export function statusOf(options: StatusOptions): Record<string, unknown> {
  const { facts, rates } = options;
  const { counters } = facts;
  const health = options.health();
  const get = (place: CounterPlace) => counters.get(place);
  const perSecond = (name: RateName) => rates.perSecond(name) ?? null;
  return {
    status: health.status,
    ...(health.reason === undefined ? {} : { reason: health.reason }),
    degraded: options.troubles(),
    saker_version: facts.sakerVersion,
    hostname: facts.hostname,
    uptime_s: health.uptime_s,
    driver: { name: facts.driver, programs: health.programs },
    events: {
      judged: health.events,
      per_second: perSecond("events"),
      passed_over: health.passed_over.events,
      passed_over_per_second: perSecond("passed_over"),
      last_event_age_s: health.last_event_age_s,
      truncated: health.truncated,
      malformed: get(Counter.Malformed),
      mistakes: health.mistakes,
    },
    lost: {
      per_second: perSecond("lost"),
      by_lane: { critical: get(Counter.LostCritical), bulk: get(Counter.LostBulk) },
      over_share: get(Counter.OverShare),
      by_event: health.lost.by_event,
      not_shown: health.lost.not_shown,
      ...(health.lost.journal === undefined ? {} : { journal: health.lost.journal }),
    },
    ...typesOf(counters),
    ...(facts.busiest === undefined ? {} : { processes: facts.busiest() }),
    latency_ms: {
      alert_to_output: percentiles(counters.toOutput),
      event_to_engine: percentiles(counters.lag),
    },
    alerts: {
      raised: get(Counter.Alerts),
      per_second: perSecond("alerts"),
      not_handed_over: get(Counter.AlertsDropped),
      dropped: health.alerts_dropped,
    },
    dossiers: {
      made: get(Counter.Dossiers),
      left_out: get(Counter.DossiersLeftOut),
      ms: ms(get(Counter.DossierNs)),
    },
    outputs: facts.outputs().map(outputOf),
    stream: options.stream(),
    reload: reloadOf(facts.reload()),
    rules: rulesOf(options),
    memory: memoryOf(options),
    names: health.names,
    captures: health.captures,
    ...(health.web === undefined ? {} : { web: health.web }),
  };
}

/** Of each type that there was: events judged, kept back since no rule can use them, and lost. */
function typesOf({ judged, passedOver, lost }: Counters): Record<string, unknown> {
  const byType = new Map<string, { judged: number; passed_over: number; lost: number }>();
  for (const { code, name } of EVENTS) {
    if (judged[code]! + passedOver[code]! + lost[code]! === 0) continue;
    const told = code === 0 ? "unknown" : name;
    const row = byType.get(told) ?? { judged: 0, passed_over: 0, lost: 0 };
    row.judged += judged[code]!;
    row.passed_over += passedOver[code]!;
    row.lost += lost[code]!;
    byType.set(told, row);
  }
  return { types: Object.fromEntries(byType) };
}

/** Under the names that JSON has elsewhere; of what is 0 by priority only what is not. */
function outputOf(queue: QueueStats): Record<string, unknown> {
  const { droppedByPriority, lastError, ...others } = queue;
  const byPriority = droppedByPriority
    .map((count, priority) => [PRIORITY_NAMES[priority]!, count] as const)
    .filter(([, count]) => count > 0);
  return {
    ...others,
    dropped_by_priority: Object.fromEntries(byPriority),
    ...(lastError === undefined ? {} : {
      last_error: { reason: lastError.reason, ago_s: Math.round(lastError.agoMs / 100) / 10 },
    }),
  };
}

function percentiles(latencies: Latencies): Record<string, number | null> {
  const of = (share: number) => {
    const ms = latencies.percentile(share);
    return ms === undefined ? null : Math.round(ms * 100) / 100;
  };
  return { count: latencies.count, p50: of(0.5), p90: of(0.9), p99: of(0.99), max: of(1) };
}

function reloadOf({ generation, sha256, atMs, refusals, refusal, restart }: ReloadFacts) {
  return {
    generation,
    since: new Date(atMs).toISOString(),
    sha256: sha256 ?? null,
    refusals,
    refused: refusal ?? null,
    restart,
  };
}

function rulesOf({ facts, deadRules }: StatusOptions): Record<string, unknown> {
  const { counters } = facts;
  const tallies = facts.tallies();
  const { rules, config } = facts.sums();
  const rows = (tallies?.rules ?? []).map(({ name, priority, source }, at) => ({
    name,
    priority: PRIORITY_NAMES[priority],
    source,
    matches: tallies!.matches[at]!,
    condition_ms: ms(tallies!.conditionNs[at]!),
    output_ms: ms(tallies!.outputNs[at]!),
  })).sort((one, other) =>
    other.matches - one.matches || other.condition_ms - one.condition_ms ||
    (one.name < other.name ? -1 : 1)
  );
  return {
    in_force: counters.get(Counter.Rules),
    sha256: sumOfAll(rules),
    files: rules,
    config_files: config,
    // Finding the rules that can match an event is common to all of them.
    shared_ms: ms(counters.get(Counter.MatchNs)),
    timed_events: counters.get(Counter.MatchSamples),
    dead: deadRules().slice(0, RULES_MAX),
    list: rows.slice(0, RULES_MAX),
    left_off: Math.max(0, rows.length - RULES_MAX),
  };
}

function memoryOf({ facts, bounds }: StatusOptions): Record<string, unknown> {
  const { counters } = facts;
  const get = (place: CounterPlace) => counters.get(place);
  const { heapUsed, external } = Deno.memoryUsage();
  return {
    resident_bytes: facts.resources().residentBytes ?? null,
    main_heap_bytes: heapUsed + external,
    engine_heap_bytes: get(Counter.EngineHeapUsed) || null,
    tables: {
      threads: {
        entries: get(Counter.Threads),
        bound: bounds.threads,
        refused: get(Counter.ThreadsRefused),
        bytes_about: get(Counter.Threads) * THREAD_BYTES,
      },
      descriptors: {
        entries: get(Counter.Fds),
        bound: bounds.descriptors,
        refused: get(Counter.FdsRefused),
        bytes_about: get(Counter.Fds) * FD_BYTES,
      },
      strings: {
        entries: get(Counter.Strings),
        bytes: get(Counter.StringBytes),
        freed: get(Counter.StringsFreed),
      },
      users: {
        entries: get(Counter.Users),
        refused: get(Counter.UsersRefused),
        bytes_about: get(Counter.Users) * USER_BYTES,
      },
      containers: {
        entries: get(Counter.Containers),
        evicted: get(Counter.ContainersEvicted),
        bytes_about: get(Counter.Containers) * CONTAINER_BYTES,
      },
    },
    captures_before_bytes: get(Counter.CaptureRingBytes),
  };
}

function ms(ns: number): number {
  return Math.round(ns / 1e4) / 100;
}

/** Bytes of one entry in the engine's heap, its place in the table included and strings apart; of a
 * thread with its process. Measured with 100,000 of each on V8 of Deno 2.6. */
const THREAD_BYTES = 700;
const FD_BYTES = 150;
const USER_BYTES = 190;
const CONTAINER_BYTES = 440;
