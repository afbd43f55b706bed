// The machine as the engine drives it: state blocks and events come in, the tables change, and the
// context says what the event was about.
import type { Event } from "../../events/event.ts";
import type { AwaitedContainers } from "../tables/awaited_containers.ts";
import type { KnownContainers } from "../tables/containers.ts";
import type { TableOptions } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";
import type { Context } from "./context.ts";
import type { Machine } from "./machine.ts";

export interface MachineOptions extends TableOptions {
  /**
   * State blocks of a thread that no event told of (the addon's `snapshotProcess`); without it, or
   * where they are empty, the thread is made up.
   */
  lookUp?: (tid: number) => Uint8Array;
  /**
   * List of the users and groups that a container ("": the host) has, seen through the first of
   * its processes that is still there. Asked for an id without a name, so the one asked decides how
   * often it looks.
   * Undefined: nothing new.
   */
  accountsOf?: (containerId: string, pids: Iterable<number>) => Uint8Array | undefined;
  /** Absent: what cgroups and namespaces say holds. */
  containers?: KnownContainers;
}

/** Whose descriptors a thread has, and where its names start. */
export interface DescriptorTable {
  readonly owner: number;
  /** Id of a string that ends with a slash. */
  readonly cwd: number;
  /** The thread is the only one of its process. */
  readonly isAlone: boolean;
  /** Its process has the same id in its own pid namespace. */
  readonly isOutside: boolean;
  /** Its process has, or may come to have, others, among which fields look for directories. */
  readonly isApart: boolean;
}

export interface MachineHost extends Machine {
  /** Told of each thread that is taken out; its id may be another's from then on. */
  threadGone: ((tid: number) => void) | undefined;
  /** Blocks that stand behind those of a dump: what plugins tell of their state. */
  dumpsToo: (() => readonly Uint8Array[]) | undefined;
  /** New containers that are still to be told of. */
  readonly awaited: AwaitedContainers;
  /** Reads a block of state (process list, descriptors, users, interfaces, machine), from the
   * first byte of its body to the last; blocks of other kinds are passed over. */
  load(blockType: number, bytes: Uint8Array, start: number, end: number): void;
  /** Reads state blocks for the files that known processes have open: what is missing is added, or
   * is another file, all else stays. */
  completeDescriptors(blocks: Uint8Array): void;
  /** The tables as state blocks, as `load` reads them, and the events that tell the rest. `time`:
   * ns since the epoch. */
  dump(time: bigint): Uint8Array;
  /** Keeps Falco's order of descriptors from now on (`fdsOrdered`), or no longer. */
  orderFds(wanted: boolean): void;
  /** Carries out what the last event left for the next one: to be called between two events. */
  settle(): void;
  /** An event comes that is not applied: who ended with the last one is gone as of its time. */
  passTime(event: Event): void;
  /** Whose descriptors a thread has, and its working directory with a slash at its end; undefined
   * for one that the next event of it would make anew. */
  tableOf(tid: number): DescriptorTable | undefined;
  /** Whether so many more threads have room. */
  hasRoom(threads: number): boolean;
  /** Which threads and processes the tables have. */
  tids(): Iterable<number>;
  /** The numbers of those that lead the sessions and groups of threads, whether they are there or
   * not. */
  leaders(): Iterable<number>;
  /** The thread that an event of the clone family or of exec will make, as far as the fields go
   * that it shows of itself: nothing changes. Undefined where that cannot be told. */
  foresee(event: Event): Thread | undefined;
  /** Applies the context's event: state after the event, as Falco's rules see it. */
  apply(context: Context): void;
}
