// The machine: tables, the steps of events, and the state blocks that are loaded and dumped.
import type { Event } from "../events/event.ts";
import type { Context } from "./contract/context.ts";
import type { DescriptorTable, MachineHost, MachineOptions } from "./contract/machine_host.ts";
import { OPENING } from "./events/event_traits.ts";
import { foresee } from "./events/foreseen.ts";
import { step } from "./events/step.ts";
import { dumpMachine } from "./snapshot/dump.ts";
import { Snapshot } from "./snapshot/snapshot.ts";
import type { AwaitedContainers } from "./tables/awaited_containers.ts";
import type { Cluster } from "./tables/cluster.ts";
import type { Container } from "./tables/containers.ts";
import { timeNs } from "./tables/results.ts";
import { Tables } from "./tables/tables.ts";
import type { Thread } from "./tables/thread.ts";

/** Empty tables: load a capture's state blocks, or the addon's snapshot, before the events. */
export function createMachine(options: MachineOptions): MachineHost {
  return new MachineState(options);
}

export class MachineState extends Tables implements MachineHost {
  readonly awaited: AwaitedContainers = this.containers.awaited;
  readonly cluster: Cluster = this.containers.cluster;
  dumpsToo: (() => readonly Uint8Array[]) | undefined = undefined;
  readonly #snapshot: Snapshot = new Snapshot(this);
  #started = false;

  constructor(options: MachineOptions) {
    super(options);
    const { lookUp, accountsOf, containers } = options;
    if (containers !== undefined) this.containers.take(containers);
    this.askBeyond({
      ...lookUp && { lookUp: (tid) => this.#snapshot.loadThread(lookUp(tid)) },
      ...accountsOf && {
        learnAccounts: (id, pids) => this.#snapshot.loadAccounts(id, accountsOf(id, pids)),
      },
    });
  }

  containerOf(thread: Thread): Container | undefined {
    return this.containers.of(thread.containerId, thread.cgroups);
  }

  wholeContainerId(thread: Thread): string {
    return this.containers.wholeId(thread.containerId, thread.cgroups);
  }

  load(blockType: number, bytes: Uint8Array, start: number, end: number): void {
    this.#snapshot.load(blockType, bytes, start, end);
    this.keepWithin();
  }

  completeDescriptors(blocks: Uint8Array): void {
    this.#snapshot.completeDescriptors(blocks);
  }

  dump(time: bigint): Uint8Array {
    const own = dumpMachine(this, time);
    const others = this.dumpsToo?.() ?? [];
    if (others.length === 0) return own;
    const whole = new Uint8Array(others.reduce((sum, { length }) => sum + length, own.length));
    let at = own.length;
    whole.set(own);
    for (const blocks of others) {
      whole.set(blocks, at);
      at += blocks.length;
    }
    return whole;
  }

  settle(): void {
    if (this.#snapshot.unsettled) this.#snapshot.settle();
    if (this.pendingExit !== 0) this.finishExit(this.pendingExitNs);
    if (this.pendingClose >= 0) this.finishClose();
  }

  passTime(event: Event): void {
    if (this.pendingExit !== 0) this.finishExit(timeNs(event));
  }

  tableOf(tid: number): DescriptorTable | undefined {
    if (this.#snapshot.unsettled) this.#snapshot.settle();
    const thread = tid === this.pendingExit ? undefined : this.threads.get(tid);
    const owner = thread === undefined ? undefined : this.ownerOf(thread);
    if (thread === undefined || owner === undefined) return undefined;
    // Another thread's directory may change without it.
    const cwd = owner.isMain ? this.cwdOf(thread) : this.dotSlash;
    const { group } = thread;
    const isAlone = thread.isMain && !thread.isInvalid && !thread.isDead &&
      group !== undefined && group.main === thread && group.others.length === 0;
    const isOutside = thread.tid === thread.vtid;
    const isApart = group !== undefined &&
      (group.main === undefined || this.ownerOf(group.main) !== owner);
    return { owner: owner.tid, cwd, isAlone, isOutside, isApart };
  }

  hasRoom(threads: number): boolean {
    return this.threads.size + threads <= this.options.threadsMax;
  }

  *tids(): Iterable<number> {
    if (this.#snapshot.unsettled) this.#snapshot.settle();
    yield* this.threads.keys();
    yield* this.groups.keys();
  }

  leaders(): Iterable<number> {
    if (this.#snapshot.unsettled) this.#snapshot.settle();
    const leaders = new Set<number>();
    for (const { sid, pgid, vpgid } of this.threads.values()) {
      leaders.add(sid).add(pgid).add(vpgid);
    }
    return leaders;
  }

  foresee(event: Event): Thread | undefined {
    return foresee(this, event);
  }

  apply(context: Context): void {
    if (this.#snapshot.unsettled) this.#snapshot.settle();
    if (!this.#started) this.#start(context);
    step(this, context);
  }

  /** What a capture tells of users and containers before its first other event is part of its
   * state: rules do not see it, and `evt.reltime` counts from the event behind. */
  #start(context: Context): void {
    const { event } = context;
    if (OPENING[event.code] === 1) {
      event.stateOnly = true;
      return;
    }
    this.#started = true;
    context.firstEventTs = event.time();
  }
}
