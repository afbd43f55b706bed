// How much memory the tables take, about, and what is let go where that is more than they may: over
// captures, which tell of as many threads and descriptors, under names as long, as somebody likes.
import { ARRAY_BYTES, NO_BYTES, type SeenBytes } from "./seen_bytes.ts";
import type { Births } from "./births.ts";
import type { Entries } from "./entries.ts";
import type { FdBudget } from "./fd_table.ts";
import type { Strings } from "./strings.ts";
import type { Thread } from "./thread.ts";

/** What of the tables has weight. */
export interface Weighed {
  readonly strings: Strings;
  readonly threads: ReadonlyMap<number, Thread>;
  readonly budget: FdBudget;
  readonly seenBytes: SeenBytes;
  readonly entries: Entries;
  readonly births: Births;
  readonly counts: { argumentsForgotten: number };
  lineage: number;
  sweepStrings(): void;
  takeThreads(wanted: boolean): void;
}

/** Bytes of a thread and its process, and of a descriptor, names and arguments apart; measured. */
const THREAD_BYTES = 1050;
const FD_BYTES = 200;
/** Bytes of an ancestor that is of the past. */
const BIRTH_BYTES = 250;
/** After something was let go, so much is free: what comes next does not ask for it again. */
const FREE_SHARE = 1 / 4;

/** About; arguments that nobody holds any more count until `recountArguments`. */
export function weightOf({ strings, threads, budget, seenBytes, births }: Weighed): number {
  // Strings move to memory twice as large where they need more, so for a time they are there twice.
  return 2 * strings.weight + seenBytes.copied + threads.size * THREAD_BYTES +
    budget.held * FD_BYTES + births.held * BIRTH_BYTES + births.argsBytes;
}

/** Marks the strings that the tables hold. */
export function markHeld(tables: Weighed, mark: (id: number) => void): void {
  for (const thread of tables.threads.values()) {
    mark(thread.comm);
    mark(thread.exe);
    mark(thread.exepath);
    mark(thread.cgroups);
    mark(thread.root);
    mark(thread.cwd);
    mark(thread.callerCwd);
    mark(thread.hostCwd);
    mark(thread.containerId);
    for (const [, fd] of thread.fds?.entries() ?? []) {
      mark(fd.name);
      mark(fd.nameRaw);
      mark(fd.callerName);
      mark(fd.hostName);
      mark(fd.inodeName);
      mark(fd.kernelName);
    }
  }
  tables.entries.markHeld(mark);
  tables.births.markHeld(mark);
}

/**
 * Makes the tables as light as `bytesMax` asks. Descriptors go first, of the processes that have
 * the most, then arguments and environments; threads stay, but no new ones are taken. Returns the
 * weight from which on it is to be asked again.
 */
export function lighten(tables: Weighed, bytesMax: number): number {
  const wanted = bytesMax * (1 - FREE_SHARE);
  const isHeavy = () => weightOf(tables) > wanted;
  tables.sweepStrings();
  recountArguments(tables);
  while (isHeavy() && tables.budget.held > 0) {
    dropDescriptors(tables, Math.floor(tables.budget.held / 2));
    tables.sweepStrings();
  }
  if (isHeavy() && tables.seenBytes.copied > 0) {
    for (const thread of tables.threads.values()) {
      if (thread.args.length + thread.env.length > 0) tables.counts.argumentsForgotten++;
      thread.args = thread.env = NO_BYTES;
    }
    tables.births.forgetArguments();
    recountArguments(tables);
  }
  tables.takeThreads(!isHeavy());
  tables.lineage++;
  return Math.max(bytesMax, weightOf(tables) + bytesMax * FREE_SHARE);
}

function dropDescriptors(tables: Weighed, left: number): void {
  const { budget } = tables;
  const owners: Thread[] = [];
  for (const thread of tables.threads.values()) if (thread.fds !== undefined) owners.push(thread);
  owners.sort((one, other) => other.fds!.size - one.fds!.size);
  for (const owner of owners) {
    if (budget.held <= left) return;
    budget.refused += owner.fds!.size;
    owner.fds!.drop();
    owner.fds = undefined;
  }
}

function recountArguments({ threads, seenBytes }: Weighed): void {
  const held = new Set<Uint8Array>();
  seenBytes.copied = 0;
  for (const { args, env } of threads.values()) {
    for (const bytes of [args, env]) {
      if (bytes.length === 0 || held.has(bytes)) continue;
      held.add(bytes);
      seenBytes.copied += bytes.length + ARRAY_BYTES;
    }
  }
}
