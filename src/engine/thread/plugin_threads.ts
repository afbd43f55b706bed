// State tables of the plugins that run on one thread: saker's threads for those that parse system
// calls, and what they keep of threads, which goes when a thread does. The addon asks, the machine
// answers once there is one.
import type { PluginTables } from "../../../bindings-rs/plugins.d.ts";
import { ThreadTables } from "../../plugins/thread_tables.ts";
import { PluginEvents } from "../../plugins/plugin_events.ts";
import type { Hands } from "../../plugins/field_sets.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import type { TapPlan } from "../captures/tap_plan.ts";
import type { EngineStart } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";

export class PluginThreads {
  readonly #addon: () => Addon;
  #tables: PluginTables | undefined;
  #threads: ThreadTables | undefined;

  constructor(addon: () => Addon) {
    this.#addon = addon;
  }

  /** One for all plugins of the thread, made where one of them runs here. */
  readonly tables = (): PluginTables =>
    this.#tables ??= this.#addon().PluginTables.make((what, which, tid, key, field) =>
      this.#threads?.ask(what, which, tid, key, field)
    );

  /** From now on they see these threads. */
  bind(machine: MachineHost): void {
    const tables = this.#tables;
    if (tables === undefined) return;
    this.#threads = new ThreadTables(machine);
    if (tables.hasColumns()) machine.threadGone = (tid) => tables.forget(tid);
  }
}

/** What the thread's plugins do with events of the source; undefined where none does anything. */
export function pluginEventsOf(
  { source: from }: EngineStart,
  hands: Hands,
  source: string,
  sourceId = 0,
): PluginEvents | undefined {
  const events = new PluginEvents([...hands.values()].map(({ port }) => port), {
    source,
    sourceId,
    isCapture: from.kind === "capture" || (from.kind === "plugin" && from.files !== undefined),
  });
  return events.isIdle ? undefined : events;
}

/** Events that somebody needs besides the rules. */
export interface EventNeeds {
  readonly eventNames: ReadonlySet<string>;
  /** Those of them that are asked for by name. */
  readonly namedEvents?: ReadonlySet<string>;
  readonly all?: boolean;
}

/** What is recorded, and what plugins parse; undefined: nothing but the rules asks for events. */
export function neededEvents(
  plan: TapPlan | undefined,
  plugins: PluginEvents | undefined,
): EventNeeds | undefined {
  const parsed = plugins === undefined || plugins.parsedNames.size === 0 ? undefined : plugins;
  if (parsed === undefined) return plan;
  const { parsedNames, namedEvents } = parsed;
  const eventNames = parsedNames.union(plan?.eventNames ?? new Set<string>());
  return { eventNames, namedEvents, all: plan?.all === true };
}
