// What metrics are made from: the shared numbers of the engine, the queues of the outputs, and what
// is known of this saker. Nothing here asks the engine.
import type { QueueStats } from "../alerts/queue.ts";
import type { BusiestReport } from "../engine/contract/busiest.ts";
import type { Counters } from "../engine/contract/counters.ts";
import type { Tallies } from "../engine/contract/tallies.ts";
import type { AuditIntake } from "./audit_families.ts";
import type { RolloutReport } from "../rollout/report.ts";
import type { FileSum } from "./file_sums.ts";
import { cpuMeasures, ITERATOR_MEASURES, kernelMeasures } from "./engine_measures.ts";
import { programMeasures, stateMeasures } from "./engine_measures.ts";
import type { Group, Measure } from "./measure.ts";
import type { ClusterReport } from "./cluster_families.ts";
import type { RuntimeReport } from "./runtime_families.ts";
import { type PluginFacts, pluginMeasures } from "./plugin_families.ts";
import type { Resources } from "./resources.ts";

export interface Facts {
  readonly counters: Counters;
  readonly tallies: () => Tallies | undefined;
  readonly outputs: () => readonly QueueStats[];
  /** Clients that follow the alerts, and alerts that slow ones did not get. */
  readonly stream: () => { readonly clients: number; readonly dropped: number };
  /** How the container runtimes stand; undefined where none is asked. */
  readonly runtimes?: () => RuntimeReport | undefined;
  /** How the cluster stands that is asked about pods; undefined where none is. */
  readonly cluster?: () => ClusterReport | undefined;
  /** What brings Kubernetes audit events in; absent: they are not asked for. */
  readonly audit?: () => AuditIntake;
  /** How plugins stand; absent: none is loaded. */
  readonly plugins?: () => PluginFacts;
  /** How the roll-out of rules stands; absent: there is none. */
  readonly rollout?: () => RolloutReport;
  /** Which processes had most events lately; absent: nobody counts them. */
  readonly busiest?: () => BusiestReport;
  readonly resources: () => Resources;
  readonly sums: () => { readonly rules: readonly FileSum[]; readonly config: readonly FileSum[] };
  readonly reload: () => ReloadFacts;
  readonly falcoVersion: string;
  readonly sakerVersion: string;
  readonly hostname: string;
  readonly kernelRelease: string;
  readonly cpus: number;
  /** `scap.engine_name`. */
  readonly driver: string;
  readonly startedMs: number;
}

/** What came of reading configuration and rules anew, so far. */
export interface ReloadFacts {
  /** Counts what was taken since the start, which is 1. */
  readonly generation: number;
  /** Of configuration and rules; unknown where they are not read anew. */
  readonly sha256?: string;
  /** When they were taken, in ms since the epoch. */
  readonly atMs: number;
  readonly refusals: number;
  /** Why the last one was refused; absent where it was taken. */
  readonly refusal?: string;
  /** Keys that changed and wait for the next start. */
  readonly restart: readonly string[];
}

/** Which groups are wanted: the switches `metrics.*_enabled`. */
export interface Wanted extends Readonly<Record<Group, boolean>> {
  readonly rules: boolean;
  /** Values of 0 too. */
  readonly empty: boolean;
}

/** Alerts that no output has, of all outputs together: what Falco's queue drops. */
export function queueDrops({ outputs }: Facts): number {
  return outputs().reduce((sum, { dropped, failed }) => sum + dropped + failed, 0);
}

/** Falco's measures of the wanted groups. */
export function measuresOf(facts: Facts, wanted: Wanted, resources: Resources): Measure[] {
  const { counters } = facts;
  const tallies = facts.tallies();
  return [
    ...(wanted.kernel ? kernelMeasures(counters) : []),
    ...(wanted.cpu && tallies !== undefined ? cpuMeasures(tallies) : []),
    ...(wanted.programs && tallies !== undefined ? programMeasures(tallies) : []),
    ...(wanted.iterators ? ITERATOR_MEASURES : []),
    ...(wanted.resource ? resources.measures : []),
    ...(wanted.state ? stateMeasures(counters) : []),
    ...(wanted.plugins && facts.plugins !== undefined ? pluginMeasures(facts.plugins()) : []),
  ];
}
