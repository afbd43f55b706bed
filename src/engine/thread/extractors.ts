// Plugins that have to do with a thread's events, besides the one whose source they are; and the
// one that gives system calls instead of the probe.
import { type Batches, PluginHand } from "../../plugins/plugin_hand.ts";
import type { PluginTables } from "../../../bindings-rs/plugins.d.ts";
import { PluginSource } from "../../plugins/plugin_source.ts";
import type { EngineStart, RawStart } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
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
      hands.set(port.info.name, new PluginHand(port, source, given));
    }
  } catch (error) {
    for (const { port } of hands.values()) port.close();
    throw error;
  }
  return hands;
}

/** Throws where it refuses. */
export function rawSource({ plugin }: RawStart, addon: () => Addon): PluginSource {
  const port = openPort(plugin, addon);
  try {
    named(plugin, () => port.open(plugin.openParams));
    return new PluginSource(port);
  } catch (error) {
    port.close();
    throw error;
  }
}
