// Plugins that have to do with a thread's events, besides the one whose source they are; and the
// one that gives system calls instead of the probe.
import { type Batches, PluginHand } from "../../plugins/plugin_hand.ts";
import type { PluginPort } from "../../plugins/contract.ts";
import type { PluginTables } from "../../../bindings-rs/plugins.d.ts";
import { PluginSource } from "../../plugins/plugin_source.ts";
import type { EngineStart } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
import { ownPid } from "../host/own_pid.ts";
import { named, openPort } from "../host/plugin_ports.ts";

/** `batches`: of the plugin whose source it is. Throws where one refuses. */
export function openExtractors(
  { extractors = [] }: EngineStart,
  source: string,
  addon: () => Addon,
  tables?: () => PluginTables,
  batches?: Batches,
): ReadonlyMap<string, PluginHand> {
  const hands = new Map<string, PluginHand>();
  const given = batches && { batches, isOwn: false };
  try {
    for (const setting of extractors) {
      const port = openPort(setting, addon, tables);
      port.begin?.();
      hands.set(port.info.name, new PluginHand(port, source, given));
    }
  } catch (error) {
    for (const { port } of hands.values()) port.close();
    throw error;
  }
  return hands;
}

export interface SyscallPlugins {
  readonly hands: ReadonlyMap<string, PluginHand>;
  /** Where a plugin gives system calls instead of the probe. */
  readonly raw: PluginSource | undefined;
}

/** Those of the thread that judges system calls. Throws where one refuses. */
export function openSyscallPlugins(
  start: EngineStart,
  addon: () => Addon,
  tables: () => PluginTables,
): SyscallPlugins {
  if (start.source.kind !== "raw") {
    return { hands: openExtractors(start, "syscall", addon, tables), raw: undefined };
  }
  const { plugin, hostRoot } = start.source;
  const port = openPort(plugin, addon, tables);
  try {
    named(plugin, () => port.open(plugin.openParams));
    // It is one plugin, whatever else it does.
    const extractors = (start.extractors ?? []).filter(({ name }) => name !== plugin.name);
    const others = openExtractors({ ...start, extractors }, "syscall", addon, tables);
    const hands = new Map([[port.info.name, new PluginHand(port, "syscall")], ...others]);
    const takeSnapshot = () => addon().snapshot(hostRoot, ownPid(hostRoot));
    return { hands, raw: new RawSource(port, takeSnapshot) };
  } catch (error) {
    port.close();
    throw error;
  }
}

/** Its events are of this machine, as in Falco: the threads are known from the start. */
class RawSource extends PluginSource {
  readonly #takeSnapshot: () => Uint8Array;

  constructor(port: PluginPort, takeSnapshot: () => Uint8Array) {
    super(port);
    this.#takeSnapshot = takeSnapshot;
  }

  override snapshot(): Uint8Array {
    return this.#takeSnapshot();
  }
}

/** What a plugin's fields read of system calls, rules do not tell: no sieve keeps that back. */
export function readsCalls(hands: ReadonlyMap<string, PluginHand>): boolean {
  return [...hands.values()].some(({ port }) => port.info.reads !== undefined);
}
