// Live metadata of containers and pods for one run: what the start says of runtimes and of a
// cluster comes in, a source that the engine asks goes out.
import type { Counters } from "../contract/counters.ts";
import type { LiveStart, RuntimesTold } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
import { ClusterSource } from "../host/cluster_source.ts";
import { ContainerSource } from "../host/container_source.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";

export interface LiveContainers {
  readonly containers?: ContainerSource;
}

/** None where nobody is to be asked. */
export function liveContainers(
  source: LiveStart | { readonly kind: string },
  addon: () => Addon,
  { awaited, cluster: known }: MachineHost,
  { news, clusterNews }: Counters,
  told: (runtimes: RuntimesTold) => void,
  begun: () => void,
): LiveContainers {
  if (!("containers" in source) || source.containers === undefined) return {};
  const { sockets, labelMaxLen, withSize, waitMs } = source.containers;
  const asked = source.cluster;
  if (sockets.length === 0 && asked === undefined) return {};
  const { hostRoot } = source;
  const runtimes = addon().Runtimes.start({
    ...{ hostRoot, sockets, labelMaxLen, withSize },
    patienceMs: Math.max(waitMs, PATIENCE_MS),
  });
  const cluster = asked &&
    new ClusterSource(addon().Cluster.start(asked.options), clusterNews, waitMs);
  known.enabled = cluster !== undefined;
  let before = "";
  const tell = (now: RuntimesTold) => {
    const text = JSON.stringify(now);
    if (text === before) return;
    before = text;
    told(now);
  };
  return {
    containers: new ContainerSource({
      ...{ runtimes, awaited, news, waitMs, begun },
      ...(cluster === undefined ? {} : { cluster }),
      told: (sockets, totals) =>
        tell({
          ...{ sockets, totals },
          ...(cluster && asked && { cluster: { ...cluster.state(), address: asked.address } }),
        }),
    }),
  };
}

/** What is told too late for the alerts that waited is of use to the next. */
const PATIENCE_MS = 3_000;
