// How this thread counts: where counts by rule are told to be, with which clock, and what its heap
// has.
import { Counter, type Counters } from "../contract/counters.ts";
import { type EngineStart, type FromEngine, isReplay } from "../contract/messages.ts";
import type { EngineParts } from "../loop/engine_parts.ts";

/** A replay takes no times: what it counts is the same each time. */
export function tallyOf(
  { source, programRuns = false }: EngineStart,
  post: (message: FromEngine) => void,
): EngineParts["tally"] & object {
  return {
    ...(isReplay(source) ? {} : { stopwatch: () => performance.now() }),
    programRuns,
    told: (tallies) => post({ kind: "tallies", tallies }),
    ...(source.kind === "live" || source.kind === "raw"
      ? { onBusy: (window) => post({ kind: "busy", window }) }
      : {}),
  };
}

export function tellHeap(counters: Counters): void {
  const { heapUsed, heapTotal, external } = Deno.memoryUsage();
  counters.set(Counter.EngineHeapUsed, heapUsed + external);
  counters.set(Counter.EngineHeapTotal, heapTotal + external);
}
