// The shared numbers about source, tables, sieve and progress: what those say of themselves in,
// counters out.
import type { CaptureSieve } from "../../../bindings-rs/index.d.ts";
import type { EventSource, SourceStats } from "../../events/source.ts";
import type { MachineStats } from "../../state/tables/tables.ts";
import { Counter, type Counters } from "../contract/counters.ts";

export function tellTables(counters: Counters, tables: MachineStats, sumsPostponed: number): void {
  counters.set(Counter.Threads, tables.threads);
  counters.set(Counter.Fds, tables.fds);
  counters.set(Counter.Strings, tables.strings);
  counters.set(Counter.ThreadsRefused, tables.threadsRefused);
  counters.set(Counter.FdsRefused, tables.fdsRefused);
  counters.set(Counter.UsersRefused, tables.usersRefused);
  counters.set(Counter.ContainersEvicted, tables.containersEvicted);
  counters.set(Counter.LookUpsRefused, tables.lookUpsRefused);
  counters.set(Counter.InterfacesRefused, tables.interfacesRefused);
  counters.set(Counter.EntriesDropped, tables.entriesDropped);
  counters.set(Counter.SumsPostponed, sumsPostponed);
  counters.set(Counter.ThreadsAdded, tables.threadsAdded);
  counters.set(Counter.ThreadsRemoved, tables.threadsRemoved);
  counters.set(Counter.ThreadsPurged, tables.threadsPurged);
  counters.set(Counter.ThreadLookupsFailed, tables.threadLookupsFailed);
  counters.set(Counter.FdsAdded, tables.fdsAdded);
  counters.set(Counter.FdsRemoved, tables.fdsRemoved);
  counters.set(Counter.FdsReplaced, tables.fdsReplaced);
  counters.set(Counter.FdLookupsFailed, tables.fdLookupsFailed);
  counters.set(Counter.StringBytes, tables.stringBytes);
  counters.set(Counter.StringsFreed, tables.stringsFreed);
  const { argumentsForgotten, listsShortened } = tables;
  counters.set(Counter.ArgumentsForgotten, argumentsForgotten + listsShortened);
  counters.set(Counter.AncestorsHeld, tables.ancestorsHeld);
  counters.set(Counter.AncestorsForgotten, tables.ancestorsForgotten);
  counters.set(Counter.Containers, tables.containers);
  counters.set(Counter.Users, tables.users);
}

/** Events that were lost, by code; the source is asked where there are more of them. */
export function tellLost({ lost }: Counters, total: number, source: EventSource): void {
  if (sumOf(lost) === total) return;
  for (const [code, events] of source.lostByCode?.() ?? []) lost[code] = events;
}

/** Once a second, in code that is hardly ever compiled: without a call for each. */
function sumOf(counts: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < counts.length; at++) sum += counts[at]!;
  return sum;
}

/** Over a capture the engine's own sieve counts, live the source's. */
export function tellPassedOver(
  counters: Counters,
  sieve: CaptureSieve | undefined,
  source: EventSource,
): void {
  const { passedOver } = counters;
  if (sieve !== undefined) passedOver.set(sieve.passed());
  else source.sifted?.(passedOver);
  counters.set(Counter.PassedOver, sumOf(passedOver));
}

/** Nothing for sources that are no captures. */
export function tellProgress(
  counters: Counters,
  progress: { readonly read: number; readonly total: number } | undefined,
): void {
  if (progress === undefined) return;
  counters.set(Counter.BytesRead, progress.read);
  counters.set(Counter.BytesTotal, progress.total);
}

export function tellSource(
  counters: Counters,
  stats: SourceStats,
  programsWanted: number,
): void {
  const { lost, truncated, programs, excess = 0, skipped = 0, named = 0, unresolved = 0 } = stats;
  const { filesNamed = 0, filesRefused = 0 } = stats;
  counters.set(Counter.SourceEvents, stats.events);
  counters.set(Counter.OverShare, excess);
  counters.set(Counter.CallsSkipped, skipped);
  counters.set(Counter.LostCritical, lost[0]);
  counters.set(Counter.LostBulk, lost[1]);
  counters.set(Counter.Truncated, truncated);
  counters.set(Counter.NamesLookedUp, named);
  counters.set(Counter.NamesUnknown, unresolved);
  counters.set(Counter.FilesNamed, filesNamed);
  counters.set(Counter.FilesRefused, filesRefused);
  counters.set(Counter.ProgramsWanted, programsWanted);
  counters.set(Counter.ProgramsDetached, Math.max(0, programsWanted - programs));
}
