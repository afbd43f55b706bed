// Numbers of the cluster that is asked about pods: they stand in /healthz as they are, and become
// series here.
import type { RuntimesTold } from "../engine/contract/messages.ts";
import { type Family, single } from "./exposition.ts";

/** As /healthz has it. */
export interface ClusterReport {
  readonly address: string;
  /** Pods of this node are followed. */
  readonly up: boolean;
  readonly version?: string;
  readonly reason?: string;
  readonly pods: number;
  readonly objects: number;
  readonly connects: number;
  readonly answers: number;
  readonly failures: number;
  readonly relists: number;
  readonly refused: number;
  readonly dropped: number;
}

export function clusterReport({ cluster }: RuntimesTold): ClusterReport | undefined {
  if (cluster === undefined) return undefined;
  const { address, up, version, trouble, pods, objects } = cluster;
  const { connects, answers, failures, relists, refused, dropped } = cluster;
  return {
    ...{ address, up },
    ...(version === "" ? {} : { version }),
    ...(trouble === "" ? {} : { reason: trouble }),
    ...{ pods, objects, connects, answers, failures, relists, refused, dropped },
  };
}

export function clusterFamilies(report: ClusterReport | undefined): Family[] {
  if (report === undefined) return [];
  const { up, objects, pods, connects, answers, failures, relists, refused, dropped } = report;
  const gauge = (name: string, help: string, value: number) =>
    single(`saker_cluster_${name}`, "gauge", value, help);
  return [
    gauge("up", "1 while pods of this node are followed.", up ? 1 : 0),
    gauge("pods", "Pods that the cluster told of.", pods),
    gauge("objects", "Pods and what they belong to.", objects),
    {
      ...{ name: "saker_cluster_asked_total", kind: "counter" },
      help: "Questions to the cluster, by what came of them.",
      samples: Object.entries({ connects, answers, failures, relists, refused, dropped })
        .map(([result, value]) => ({ labels: { result }, value })),
    },
  ];
}
