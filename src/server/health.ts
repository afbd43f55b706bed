// Is saker really seeing, and is it heard? The engine's counters and the outputs' come in, a
// verdict goes out with what it rests on. Nothing here asks the engine, so the answer comes also
// while it is stuck.
import type { QueueStats } from "../alerts/queue.ts";
import { EVENTS } from "../events/table.ts";
import { Counter, type Counters } from "../engine/contract/counters.ts";
import { lostByName } from "../engine/contract/drop_kinds.ts";
import type { LossJournalReport } from "../engine/contract/loss_journal.ts";
import type { DeadRule, RefusedProgram } from "../engine/contract/messages.ts";
import { unseenLine } from "../engine/host/refused.ts";
import type { AuditIntake } from "../metrics/audit_families.ts";
import { REFUSALS } from "../metrics/own_families.ts";
import type { ClusterReport } from "../metrics/cluster_families.ts";
import { type PluginFacts, type PluginHealth, pluginHealth } from "../metrics/plugin_families.ts";
import type { RuntimeReport } from "../metrics/runtime_families.ts";
import type { RolloutReport } from "../rollout/report.ts";
import { Losses } from "./losses.ts";
import type { ServerStats } from "./serve.ts";
import { Sight, type SightOptions } from "./sight.ts";

export interface HealthOptions extends SightOptions {
  readonly driver: string;
  readonly outputs?: () => readonly QueueStats[];
  readonly web?: () => ServerStats | undefined;
  /** What brings Kubernetes audit events in; absent: they are not asked for. */
  readonly audit?: () => AuditIntake;
  /** How plugins stand; absent: none is loaded. */
  readonly plugins?: () => PluginFacts;
  /** How the container runtimes stand; undefined where none is asked. */
  readonly runtimes?: () => RuntimeReport | undefined;
  /** How the cluster stands that is asked about pods; undefined where none is. */
  readonly cluster?: () => ClusterReport | undefined;
  /** Failures that nobody waited for: mistakes of saker's own that it survived. */
  readonly strays?: () => number;
  /** What is amiss until somebody acts, one line each: such as new rules that were refused. */
  readonly troubles?: () => readonly string[];
  /** Rules that cannot match here, or not all that they name. */
  readonly deadRules?: () => readonly DeadRule[];
  /** Programs that this kernel did not take. */
  readonly refused?: () => readonly RefusedProgram[];
  /** When which events were lost. */
  readonly losses?: () => LossJournalReport;
  /** How the roll-out of rules stands; absent: there is none. */
  readonly rollout?: () => RolloutReport;
}

export type RuleReason = Pick<DeadRule, "rule" | "reason">;

/** `blind`: it does not see; `failing`: an alert is not heard; `degraded`: less than was asked. */
export type HealthStatus = "ok" | "starting" | "degraded" | "failing" | "blind";

export interface HealthReport {
  readonly status: HealthStatus;
  readonly reason?: string;
  readonly driver: string;
  readonly programs: {
    readonly attached: number;
    readonly wanted: number;
    /** Left out, since this kernel refuses them, and the events that are not seen without them. */
    readonly refused: readonly Omit<RefusedProgram, "codes">[];
  };
  readonly events: number;
  /** Seconds since the engine saw an event; null before the first. */
  readonly last_event_age_s: number | null;
  readonly lost: {
    readonly critical: number;
    readonly bulk: number;
    /** Of `critical`: what single processes sent over their share of a ring that filled up. */
    readonly over_share: number;
    readonly by_event: Readonly<Record<string, number>>;
    /** Calls that the kernel did not show to the probe (Linux 7), whether wanted or not. */
    readonly not_shown: number;
    /** When how many of which kind were lost, the newest last. */
    readonly journal?: LossJournalReport;
  };
  /** Events that nobody could have used, by type; with `engine.sieve` off there are none. */
  readonly passed_over: {
    readonly events: number;
    readonly by_type: Readonly<Record<string, number>>;
  };
  readonly truncated: number;
  /** Names that calls took without opening a file: looked up after the call, and of those the ones
   * whose path stays unknown (docs/names.md). */
  readonly names: {
    readonly looked_up: number;
    readonly unknown: number;
    /** Files that rules name and that are known by their inodes. */
    readonly files_of_rules: number;
  };
  readonly rules: number;
  /** Those that cannot match on this host, or not all that they name, with the reason. */
  readonly dead_rules: readonly RuleReason[];
  /** Those that match, and whose output lacks what the probe does not tell. */
  readonly blank_outputs: readonly RuleReason[];
  readonly alerts: number;
  /** Alerts that did not arrive, by whatever output. */
  readonly alerts_dropped: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly state: QueueStats["state"];
    readonly waiting: number;
    readonly written: number;
    readonly lost: number;
    readonly reason?: string;
  }[];
  readonly threads: number;
  /** Events that were not judged, and other mistakes of saker's own that it survived. */
  readonly mistakes: number;
  /** What a bound refused, by what was bounded; see docs/limits.md. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections of this server. */
  readonly web?: {
    readonly open: number;
    readonly streams: number;
    readonly bodies: number;
    readonly accepted: number;
    readonly cut_off: number;
    readonly accept_errors: number;
  };
  /** The container runtimes that are asked for metadata. */
  readonly runtimes?: RuntimeReport;
  /** Rules from elsewhere (docs/rollout.md). */
  readonly rollout?: RolloutReport;
  /** The cluster that is asked about pods. */
  readonly kubernetes?: ClusterReport;
  /** What brings Kubernetes audit events in. */
  readonly k8s_audit?: AuditIntake;
  /** Plugins that are loaded, on each thread that asks them, and what came of their events. */
  readonly plugins?: readonly PluginHealth[];
  readonly plugin_sources?: PluginFacts["sources"];
  /** Captures that alerts started, and what is held for the next to begin with. */
  readonly captures: {
    readonly started: number;
    readonly failed: number;
    /** Events that they lack, since their disk did not keep up, and what waits for it now. */
    readonly events_lost: number;
    readonly waiting_bytes: number;
    readonly ring_bytes: number;
    readonly ring_overflows: number;
  };
  /** Absent without --canary. */
  readonly canary?: {
    readonly interval_s: number;
    readonly sent: number;
    readonly seen: number;
    /** Since one came through, and how long it took from its start to the outputs; null: none. */
    readonly age_s: number | null;
    readonly latency_ms: number | null;
  };
  readonly uptime_s: number;
}

/** A disk that has not moved for so long is told of, as an output is. */
const CAPTURE_STUCK_MS = 10_000;

/** Dead rules that an answer tells of. */
const DEAD_RULES_MAX = 100;

export class Health {
  readonly #options: HealthOptions;
  readonly #sight: Sight;
  readonly #losses: Losses;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#sight = new Sight(options);
    this.#losses = new Losses(options.counters);
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    this.#sight.tick(nowMs);
    this.#losses.tick(nowMs);
  }

  /** All that is amiss until somebody acts, captures included, and what was lost lately. */
  troubles(nowMs: number): string[] {
    const lost = this.#losses.trouble(nowMs);
    const unseen = unseenLine(this.#options.refused?.() ?? []);
    return [
      ...(unseen === undefined ? [] : [unseen]),
      ...this.#options.troubles?.() ?? [],
      ...this.#captureTroubles(),
      ...(lost === undefined ? [] : [lost]),
    ];
  }

  report(nowMs: number): HealthReport {
    const { counters, driver } = this.#options;
    const get = (place: (typeof Counter)[keyof typeof Counter]) => counters.get(place);
    const outputs = this.#options.outputs?.() ?? [];
    const [status, reason] = this.#verdict(outputs, nowMs);
    const started = get(Counter.StartedMs);
    const lastEvent = get(Counter.LastEventMs);
    const lost = (queue: QueueStats) => queue.dropped + queue.failed;
    const web = this.#options.web?.();
    const runtimes = this.#options.runtimes?.();
    const cluster = this.#options.cluster?.();
    return {
      status,
      ...(reason === undefined ? {} : { reason }),
      driver,
      programs: {
        attached: get(Counter.ProgramsWanted) - get(Counter.ProgramsDetached),
        wanted: get(Counter.ProgramsWanted),
        refused: (this.#options.refused?.() ?? []).map(({ codes: _, ...told }) => told),
      },
      events: get(Counter.Events),
      last_event_age_s: lastEvent === 0 ? null : seconds(nowMs - lastEvent),
      lost: {
        critical: get(Counter.LostCritical),
        bulk: get(Counter.LostBulk),
        over_share: get(Counter.OverShare),
        by_event: Object.fromEntries(lostByName(counters)),
        not_shown: get(Counter.CallsSkipped),
        ...(this.#options.losses === undefined ? {} : { journal: this.#options.losses() }),
      },
      passed_over: { events: get(Counter.PassedOver), by_type: passedByType(counters) },
      truncated: get(Counter.Truncated),
      names: {
        looked_up: get(Counter.NamesLookedUp),
        unknown: get(Counter.NamesUnknown),
        files_of_rules: get(Counter.FilesNamed),
      },
      rules: get(Counter.Rules),
      dead_rules: this.#rulesThat((rule) => rule.onlyOutput !== true),
      blank_outputs: this.#rulesThat((rule) => rule.onlyOutput === true),
      alerts: get(Counter.Alerts),
      alerts_dropped: outputs.reduce((sum, one) => sum + lost(one), get(Counter.AlertsDropped)),
      outputs: outputs.map((queue) => ({
        name: queue.name,
        state: queue.state,
        waiting: queue.waiting,
        written: queue.written,
        lost: lost(queue),
        ...(queue.reason === undefined ? {} : { reason: queue.reason }),
      })),
      threads: get(Counter.Threads),
      mistakes: get(Counter.Mistakes) + (this.#options.strays?.() ?? 0),
      refused: Object.fromEntries(REFUSALS.map(([name, place]) => [name, get(place)])),
      ...(web === undefined ? {} : {
        web: {
          open: web.open,
          streams: web.streams,
          bodies: web.bodies,
          accepted: web.accepted,
          cut_off: web.cutOff,
          accept_errors: web.acceptErrors,
        },
      }),
      ...(this.#options.rollout === undefined ? {} : { rollout: this.#options.rollout() }),
      ...(runtimes === undefined ? {} : { runtimes }),
      ...(cluster === undefined ? {} : { kubernetes: cluster }),
      ...(this.#options.audit === undefined ? {} : { k8s_audit: this.#options.audit() }),
      ...pluginsOf(this.#options.plugins),
      captures: {
        started: get(Counter.CapturesStarted),
        failed: get(Counter.CapturesFailed),
        events_lost: get(Counter.CaptureEventsLost),
        waiting_bytes: get(Counter.CaptureWaitingBytes),
        ring_bytes: get(Counter.CaptureRingBytes),
        ring_overflows: get(Counter.CaptureRingOverflows),
      },
      ...canaryOf(counters, nowMs),
      uptime_s: started === 0 ? 0 : seconds(nowMs - started),
    };
  }

  #rulesThat(wanted: (rule: DeadRule) => boolean): RuleReason[] {
    return (this.#options.deadRules?.() ?? []).filter(wanted).slice(0, DEAD_RULES_MAX)
      .map(({ rule, reason }) => ({ rule, reason }));
  }

  #captureTroubles(): string[] {
    const { counters } = this.#options;
    const stuckMs = counters.get(Counter.CaptureStuckMs);
    const isStuck = stuckMs >= CAPTURE_STUCK_MS;
    if (!isStuck && counters.get(Counter.CaptureGap) === 0) return [];
    const why = isStuck
      ? `their file system has not answered for ${seconds(stuckMs)} s`
      : "their disk does not keep up";
    return [`captures: ${why}; they lack ${counters.get(Counter.CaptureEventsLost)} events`];
  }

  #verdict(outputs: readonly QueueStats[], nowMs: number): [HealthStatus, string?] {
    const blindness = this.#sight.blindness();
    if (blindness !== undefined) return ["blind", blindness];
    const failing = outputs.find(({ state }) => state === "failing");
    if (failing !== undefined) {
      const lost = failing.dropped + failing.failed;
      return ["failing", `alerts do not reach ${failing.name}: ${failing.reason}; ${lost} lost`];
    }
    const troubles = this.troubles(nowMs);
    if (troubles.length > 0) return ["degraded", troubles.join("; ")];
    return [this.#options.counters.get(Counter.StartedMs) === 0 ? "starting" : "ok"];
  }
}

function passedByType({ passedOver }: Counters): Record<string, number> {
  const byType: Record<string, number> = {};
  for (const { code, name } of EVENTS) {
    const count = passedOver[code]!;
    if (count > 0) byType[name] = (byType[name] ?? 0) + count;
  }
  return byType;
}

function canaryOf(counters: Counters, nowMs: number): Pick<HealthReport, "canary"> {
  const everyMs = counters.get(Counter.CanaryEveryMs);
  if (everyMs === 0) return {};
  const seenMs = counters.get(Counter.CanarySeenMs);
  return {
    canary: {
      interval_s: seconds(everyMs),
      sent: counters.get(Counter.CanariesSent),
      seen: counters.get(Counter.CanariesSeen),
      age_s: seenMs === 0 ? null : seconds(nowMs - seenMs),
      latency_ms: seenMs === 0 ? null : counters.get(Counter.CanaryLatencyMs),
    },
  };
}

function seconds(ms: number): number {
  return Math.round(Math.max(0, ms) / 100) / 10;
}

function pluginsOf(
  told: (() => PluginFacts) | undefined,
): Pick<HealthReport, "plugins" | "plugin_sources"> {
  if (told === undefined) return {};
  const { plugins, sources } = told();
  return { plugins: plugins.map(pluginHealth), plugin_sources: sources };
}
