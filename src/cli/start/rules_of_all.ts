// How many rules are in force: the counters of the first thread and those of other sources' come
// in.
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import type { EnginePart } from "../../engine/thread/engines.ts";

export function rulesOfAll(first: Counters, parts: readonly EnginePart[] = []): number {
  const all = [first, ...parts.map(({ counters }) => counters)];
  return all.reduce((sum, counters) => sum + counters.get(Counter.Rules), 0);
}
