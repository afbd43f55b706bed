// The alert waits, not the engine: what rules say of events whose container a runtime is still to
// tell of is held until it has told, or will not. Events come in as they are judged, alerts go out
// in the order of each container's events. How long is decided by who tells (container_source.ts).
import type { CompiledRule, HeldEvent, RenderedOutput, RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import type { Dossier, ProcessTold } from "../contract/dossier.ts";
import type { Dossiers } from "./dossiers.ts";

/** Of one container, and of all together; beyond it the oldest goes out as it is. */
const HELD_OF_ONE_MAX = 512;
const HELD_MAX = 4_096;

/** What was held, ready to go out. */
export interface ReleasedAlert extends RenderedOutput {
  readonly rule: CompiledRule;
  /** Of its event, ns since the epoch. */
  readonly time: bigint;
  /** It would show more, or another rule might have matched, had a runtime told in time. */
  readonly isUntold: boolean;
  readonly dossier?: Dossier | undefined;
}

interface Held {
  readonly event: HeldEvent;
  readonly podUid: string;
  readonly time: bigint;
  readonly processes: readonly ProcessTold[] | undefined;
}

export class HeldAlerts {
  readonly #machine: MachineHost;
  readonly #counters: Counters;
  readonly #out: (alert: ReleasedAlert) => void;
  readonly #dossiers: Dossiers;
  readonly #byContainer = new Map<string, Held[]>();
  #size = 0;

  constructor(
    machine: MachineHost,
    counters: Counters,
    out: (alert: ReleasedAlert) => void,
    dossiers: Dossiers,
  ) {
    this.#dossiers = dossiers;
    this.#machine = machine;
    this.#counters = counters;
    this.#out = out;
  }

  /** Takes the event that the context shows where its container is awaited; whether it is. What it
   * tells of a container lets go what waited for that. */
  take(context: Context, rules: RuleSet): boolean {
    const { event, thread } = context;
    for (const id of this.#machine.awaited.takeAnswered()) this.#release(id, context);
    if (thread === undefined) return false;
    const id = this.#machine.wholeContainerId(thread);
    if (!this.#machine.awaited.has(id)) return false;
    if (event.stateOnly || rules.wanted[event.code] === 0) return true;
    const held = rules.hold?.(context, this.#dossiers.begins);
    if (held !== undefined) this.#hold(id, held, context);
    return true;
  }

  /** Whether the event is of a container that no runtime has told of, or of a pod that the cluster
   * has not, although they were asked and the rule asks for it. */
  isUntold({ asksRuntimes, asksCluster }: CompiledRule, context: Context): boolean {
    if (asksRuntimes !== true && asksCluster !== true) return false;
    const isUntold = (asksRuntimes === true && this.#lacksContainer(context)) ||
      (asksCluster === true && this.#lacksPod(context));
    if (isUntold) this.#counters.add(Counter.AlertsUntold, 1);
    return isUntold;
  }

  #lacksPod(context: Context): boolean {
    const { cluster } = this.#machine;
    if (!cluster.enabled) return false;
    const uid = context.podUid();
    return uid !== "" && cluster.pod(uid) === undefined;
  }

  #lacksContainer({ thread }: Context): boolean {
    const machine = this.#machine;
    if (!machine.awaited.enabled || thread === undefined) return false;
    const container = machine.containerOf(thread);
    const id = machine.strings.text(thread.containerId) ?? "";
    if (id === "" || id === "host" || container?.info !== undefined) return false;
    // Of those that a path alone tells there is nothing more to know.
    return container === undefined || container.type === "";
  }

  #hold(id: string, event: HeldEvent, context: Context): void {
    let held = this.#byContainer.get(id);
    if (held === undefined) {
      this.#byContainer.set(id, held = []);
      this.#machine.awaited.hold(id);
    }
    if (held.length >= HELD_OF_ONE_MAX || this.#size >= HELD_MAX) {
      this.#counters.add(Counter.AlertsHeldCut, 1);
      this.#release(id, context);
      this.#byContainer.set(id, held = []);
    }
    const processes = this.#dossiers.processesOf(context);
    held.push({ event, podUid: context.podUid(), time: context.event.time(), processes });
    this.#size++;
    this.#counters.set(Counter.AlertsHeld, this.#size);
  }

  /** Lets everything go, as it is. */
  releaseAll(context: Context): void {
    for (const id of [...this.#byContainer.keys()]) this.#release(id, context);
  }

  #release(id: string, context: Context): void {
    const held = this.#byContainer.get(id);
    if (held === undefined) return;
    this.#byContainer.delete(id);
    this.#size -= held.length;
    this.#counters.set(Counter.AlertsHeld, this.#size);
    const told = this.#machine.eventContainer;
    const isTold = told !== undefined && (told.fullId === id || told.id === id);
    const { thread } = context;
    // The event at hand is another's: what it shows besides the container is not asked for.
    context.thread = undefined;
    try {
      for (const one of held) this.#settle(one, isTold, context);
    } finally {
      context.thread = thread;
      context.heldPodUid = "";
    }
  }

  #settle({ event, podUid, time, processes }: Held, isTold: boolean, context: Context): void {
    context.heldPodUid = podUid;
    for (const { rule, asksRuntimes, asksCluster, settle } of event.rules) {
      const settled = settle(context);
      if (settled === undefined) continue;
      const { told, ...output } = settled;
      const isUntold = (asksRuntimes && !isTold) || (asksCluster && this.#lacksPod(context));
      if (isUntold) this.#counters.add(Counter.AlertsUntold, 1);
      const dossier = this.#dossiers.finish(told, processes, context);
      this.#out({ ...output, rule, time, isUntold, dossier });
      if (event.onlyFirst) return;
    }
  }
}
