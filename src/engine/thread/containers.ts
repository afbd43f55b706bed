// Live metadata of containers for one run: what the start says of runtimes comes in, a source that
// the engine asks goes out.
import type { Counters } from "../contract/counters.ts";
import type { LiveStart, RuntimesTold } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
import { ContainerSource } from "../host/container_source.ts";
import type { AwaitedContainers } from "../../state/tables/awaited_containers.ts";

export interface LiveContainers {
  readonly containers?: ContainerSource;
}

/** None where no runtime is to be asked. */
export function liveContainers(
  source: LiveStart | { readonly kind: string },
  addon: () => Addon,
  awaited: AwaitedContainers,
  { news }: Counters,
  told: (runtimes: RuntimesTold) => void,
): LiveContainers {
  if (!("containers" in source) || source.containers === undefined) return {};
  const { sockets, labelMaxLen, withSize, waitMs } = source.containers;
  if (sockets.length === 0) return {};
  const { hostRoot } = source;
  const runtimes = addon().Runtimes.start({
    ...{ hostRoot, sockets, labelMaxLen, withSize },
    patienceMs: Math.max(waitMs, PATIENCE_MS),
  });
  let before = "";
  const tell = (now: RuntimesTold) => {
    const text = JSON.stringify(now);
    if (text === before) return;
    before = text;
    told(now);
  };
  return {
    containers: new ContainerSource({
      ...{ runtimes, awaited, news, waitMs },
      told: (sockets, totals) => tell({ sockets, totals }),
    }),
  };
}

/** What is told too late for the alerts that waited is of use to the next. */
const PATIENCE_MS = 3_000;
