// What this host tells of itself in NATS: the numbers of a watch → the JSON that `saker fleet`
// reads, again and again, and at once where something has changed.
import { atMost } from "../../alerts/delivery/pause.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { Counter, type CounterPlace, type Counters } from "../../engine/contract/counters.ts";
import {
  type Presence,
  PRESENCE_RULES_MAX,
  type PresenceBundles,
  type PresenceRules,
} from "../../fleet/contract/presence.ts";
import { sumOfAll } from "../../metrics/file_sums.ts";
import type { Facts } from "../../metrics/facts.ts";
import type { Beat } from "../../nats/beat.ts";
import { hostToken } from "../../nats/names.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import type { KindReport } from "../../rollout/report.ts";
import type { HostTeller } from "./nats.ts";

export interface PresencesOptions {
  readonly facts: Facts;
  /** Of all threads. */
  readonly counters: readonly Counters[];
  readonly engine: string;
  readonly rules: () => number;
  /** Looks anew whether outputs can be written to. */
  readonly check: () => void;
  readonly warn: (line: string) => void;
}

/** Rules whose alerts are counted; those of others count in the total alone. */
const COUNTED_MAX = 4_096;
/** A rule's name, of which one may be as long as its author likes. */
const NAME_MAX = 256;
/** An output that is being closed ends what it is at, and then this has its time. */
const ENDED_MS = 2_000;

export class Presences implements HostTeller {
  readonly #options: PresencesOptions;
  readonly #byRule = new Map<string, number>();
  readonly #byPriority = PRIORITY_NAMES.map(() => 0);
  #total = 0;
  #state: Presence["state"] | undefined;
  #lostAtMs = -Infinity;
  #beat: Beat | undefined;
  #everyMs = 0;

  constructor(options: PresencesOptions) {
    this.#options = options;
  }

  get key(): string {
    return hostToken(this.#options.facts.hostname);
  }

  get isLast(): boolean {
    return this.#state === "stopped";
  }

  take(beat: Beat, everyMs: number): void {
    this.#beat = beat;
    this.#everyMs = everyMs;
    if (this.#state !== undefined) beat.now();
  }

  /** It watches from now on. */
  ready(): void {
    this.#state = "running";
    this.#beat?.now();
  }

  /** The run ends; after a failure that is not told, and the host is silent. */
  readonly stopped = (failure: string | undefined): void => {
    if (this.#state !== undefined && failure === undefined) this.#state = "stopped";
  };

  /** Settles when that has been told, within a bound. */
  async ended(): Promise<void> {
    if (this.isLast && this.#beat !== undefined) await atMost(ENDED_MS, this.#beat.over);
  }

  /** Other rules are in force, or new ones were refused. */
  readonly changed = (): void => {
    if (this.#state === "running") this.#beat?.now();
  };

  /** Events were lost: told at once where none were for a while, else with the next one. */
  lost(nowMs: number): void {
    const isNew = nowMs - this.#lostAtMs > this.#everyMs;
    this.#lostAtMs = nowMs;
    if (isNew) this.changed();
  }

  count(alerts: readonly Alert[]): void {
    this.#total += alerts.length;
    for (const { rule, priority } of alerts) {
      this.#byPriority[priority]!++;
      const name = rule.slice(0, NAME_MAX);
      const before = this.#byRule.get(name);
      if (before === undefined && this.#byRule.size >= COUNTED_MAX) continue;
      this.#byRule.set(name, (before ?? 0) + 1);
    }
  }

  /** The output may tell of the same; then it is told once. */
  readonly onTrouble = (reason: string): void => {
    if (this.#isFailing()) return;
    this.#options.warn(`Warning: ${troubleOf(reason)}`);
  };

  /** The server is there, and the output may not know: it has had no alert since it failed. */
  readonly onWritten = (): void => {
    if (this.#isFailing()) this.#options.check();
  };

  #isFailing(): boolean {
    const output = this.#options.facts.outputs().find(({ name }) => name === "nats");
    return output?.state === "failing";
  }

  troubles(): string[] {
    const reason = this.#beat?.trouble;
    return reason === undefined ? [] : [troubleOf(reason)];
  }

  readonly text = (): string | undefined =>
    this.#state === undefined ? undefined : JSON.stringify(this.#presence(this.#state));

  #presence(state: Presence["state"]): Presence {
    const { facts, engine } = this.#options;
    const { measures, residentBytes } = facts.resources();
    return {
      host: facts.hostname,
      version: facts.sakerVersion,
      state,
      started: new Date(facts.startedMs).toISOString(),
      at: new Date().toISOString(),
      every: this.#everyMs / 1000,
      engine: { kind: engine },
      rules: this.#rules(),
      config: configOf(facts.rollout?.().config),
      events: {
        seen: this.#sum(Counter.Events),
        lost: this.#sum(Counter.LostCritical) + this.#sum(Counter.LostBulk),
        kept_back: this.#sum(Counter.PassedOver),
      },
      alerts: {
        total: this.#total,
        by_priority: Object.fromEntries(
          PRIORITY_NAMES.map((name, at) => [name, this.#byPriority[at]!] as const)
            .filter(([, count]) => count > 0),
        ),
        by_rule: Object.fromEntries(
          [...this.#byRule].sort(([, a], [, b]) => b - a).slice(0, PRESENCE_RULES_MAX),
        ),
      },
      outputs: facts.outputs().map(({ name, state, waiting, dropped, failed, spool }) => ({
        ...{ name, state },
        waiting: waiting + (spool?.alerts ?? 0),
        dropped: dropped + failed,
      })),
      cpu_percent: measures.find(({ name }) => name === "cpu_usage_perc")?.value ?? null,
      memory_bytes: residentBytes ?? null,
    };
  }

  #rules(): PresenceRules {
    const { facts, rules } = this.#options;
    return {
      sum: sumOfAll(facts.sums().rules),
      count: rules(),
      ...bundlesOf(facts.rollout?.().rules),
    };
  }

  #sum(place: CounterPlace): number {
    return this.#options.counters.reduce((sum, counters) => sum + counters.get(place), 0);
  }
}

function bundlesOf(report: KindReport | undefined): PresenceBundles {
  const refused = report?.refused ?? undefined;
  return {
    rollout: report?.in_force ?? null,
    // 0: nobody knows who wrote it.
    refused: refused === undefined ? null : { serial: refused.serial ?? 0, why: refused.told },
  };
}

const configOf = (report: KindReport | undefined): PresenceBundles | null =>
  report === undefined ? null : bundlesOf(report);

function troubleOf(reason: string): string {
  return `nats_output.hosts_bucket: this host cannot tell of itself: ${reason}`;
}
