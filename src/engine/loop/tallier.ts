// Counts by rule, type, process, CPU and program: events, alerts and their outputs come in as they
// are, what the rule set and the source know about once a second; all goes into memory that the
// main thread reads, but what it is told of busy processes.
import { type EventSource, NUMBERS_BY_CPU } from "../../events/source.ts";
import type { CompiledRule, RenderedOutput, RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import type { BusyWindow } from "../contract/busiest.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import { Tallies, type TalliesTold } from "../contract/tallies.ts";
import { LOOKED_AT_MS, ProcessCounts, UNSEEN_MS } from "./process_counts.ts";

export interface TallierParts {
  readonly source: EventSource;
  readonly counters: Counters;
  /** Milliseconds from anywhere, in fractions; absent: no time is taken. */
  readonly stopwatch?: () => number;
  /** Whether the source is asked how often its programs run. */
  readonly programRuns?: boolean;
  readonly told?: (tallies: TalliesTold) => void;
  /** Of whose processes events are counted, by which clock, and who is told; absent: of none. */
  readonly machine?: Machine;
  readonly clock?: () => number;
  readonly onBusy?: (window: BusyWindow) => void;
}

/** So long after somebody asked which processes are busy, the answer is kept fresh. */
const ASKED_MS = 30_000;

export class Tallier {
  readonly #parts: TallierParts;
  #rules: RuleSet;
  #tallies: Tallies;
  /** What conditions took under earlier sets of rules, and of how many events that was known. */
  #sharedNs = 0;
  #samples = 0;
  #conditionNs: Float64Array;
  readonly #judged: Float64Array;
  readonly #processes: ProcessCounts | undefined;

  constructor(rules: RuleSet, parts: TallierParts) {
    this.#parts = parts;
    this.#rules = rules;
    this.#tallies = this.#begin(rules);
    this.#conditionNs = new Float64Array(rules.rules.length);
    this.#judged = parts.counters.judged;
    const { machine, clock, onBusy } = parts;
    if (machine === undefined || clock === undefined || onBusy === undefined) return;
    this.#processes = new ProcessCounts(machine, clock());
  }

  /** Other rules: what is known goes on under the same names. */
  exchange(rules: RuleSet): void {
    this.update();
    const { costs } = this.#rules;
    this.#sharedNs += costs?.sharedNs ?? 0;
    this.#samples += costs?.samples ?? 0;
    const before = this.#tallies;
    const places = new Map(before.rules.map(({ name }, at) => [name, at]));
    this.#rules = rules;
    const next = this.#begin(rules);
    for (const [at, { name }] of rules.rules.entries()) {
      const place = places.get(name);
      if (place === undefined) continue;
      next.matches[at] = before.matches[place]!;
      next.conditionNs[at] = before.conditionNs[place]!;
      next.outputNs[at] = before.outputNs[place]!;
      next.lastMs[at] = before.lastMs[place]!;
    }
    this.#conditionNs = next.conditionNs.slice();
    this.#tallies = next;
    this.#parts.told?.(next.told());
  }

  /** To be called once the start is over. */
  tell(): void {
    this.update();
    this.#parts.told?.(this.#tallies.told());
  }

  /** An event that the tables know of. */
  saw({ event, thread }: Context): void {
    this.#judged[event.code]!++;
    if (thread !== undefined) this.#processes?.add(thread);
  }

  /** An alert of the rule whose output was made already; `time`: of its event. */
  count(rule: CompiledRule, time: bigint): void {
    const { matches, lastMs } = this.#tallies;
    matches[rule.index] = matches[rule.index]! + 1;
    lastMs[rule.index] = Math.max(lastMs[rule.index]!, Number(time / 1_000_000n));
  }

  /** A rule's output for an alert, which is counted. */
  render(rule: CompiledRule, context: Context, time: bigint): RenderedOutput {
    const { outputNs } = this.#tallies;
    const { stopwatch } = this.#parts;
    this.count(rule, time);
    if (stopwatch === undefined) return rule.render(context);
    const begun = stopwatch();
    const output = rule.render(context);
    outputNs[rule.index] = outputNs[rule.index]! + (stopwatch() - begun) * 1e6;
    return output;
  }

  alertsByRule(): [rule: string, priority: number, alerts: number][] {
    const { matches } = this.#tallies;
    return this.#rules.rules.map(({ name, priority }, at) => [name, priority, matches[at]!]);
  }

  /** To be called about once a second. */
  update(): void {
    const { source, counters, programRuns } = this.#parts;
    const { conditionNs, cpuEvents, cpuLostCritical, cpuLostBulk } = this.#tallies;
    const { programs, runs, runNs } = this.#tallies;
    const { costs } = this.#rules;
    if (costs !== undefined) {
      for (let at = 0; at < conditionNs.length; at++) {
        conditionNs[at] = this.#conditionNs[at]! + costs.ownNs[at]!;
      }
      counters.set(Counter.MatchNs, this.#sharedNs + costs.sharedNs);
      counters.set(Counter.MatchSamples, this.#samples + costs.samples);
    }
    this.#tellBusy(this.#parts.clock?.() ?? 0);
    const cpus = source.cpus?.();
    for (let cpu = 0; cpu < cpuEvents.length && cpus !== undefined; cpu++) {
      const at = NUMBERS_BY_CPU * cpu;
      cpuEvents[cpu] = cpus[at]!;
      cpuLostCritical[cpu] = cpus[at + 1]!;
      cpuLostBulk[cpu] = cpus[at + 2]!;
    }
    if (programRuns !== true) return;
    const places = new Map(programs.map((name, at) => [name, at]));
    for (const program of source.runs?.() ?? []) {
      const place = places.get(program.name);
      if (place === undefined) continue;
      runs[place] = program.runs;
      runNs[place] = program.ns;
    }
  }

  /** A window that is told wakes the main thread. */
  #tellBusy(nowMs: number): void {
    const isLookedAt = nowMs - this.#parts.counters.get(Counter.BusyAskedMs) < ASKED_MS;
    const busy = this.#processes?.take(nowMs, isLookedAt ? LOOKED_AT_MS : UNSEEN_MS);
    if (busy !== undefined) this.#parts.onBusy?.(busy);
  }

  #begin(rules: RuleSet): Tallies {
    const { source, stopwatch, programRuns } = this.#parts;
    if (rules.costs !== undefined) rules.costs.clock = stopwatch;
    const runs = programRuns === true ? source.runs?.() ?? [] : [];
    return new Tallies({
      rules: rules.rules.map(({ name, priority, source, tags }) => ({
        name,
        priority,
        source,
        tags,
      })),
      programs: runs.map(({ name }) => name),
      cpus: (source.cpus?.().length ?? 0) / NUMBERS_BY_CPU,
    });
  }
}
