// Plugins that have to do with a thread's events, besides the one that gives them.
import { PluginHand } from "../../plugins/plugin_hand.ts";
import type { PluginTables } from "../../../bindings-rs/plugins.d.ts";
import type { EngineStart } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
import { openPort } from "../host/plugin_ports.ts";

/** Throws where one refuses. */
export function openExtractors(
  { extractors = [] }: EngineStart,
  source: string,
  addon: () => Addon,
  tables?: () => PluginTables,
): ReadonlyMap<string, PluginHand> {
  const hands = new Map<string, PluginHand>();
  try {
    for (const setting of extractors) {
      const port = openPort(setting, addon, tables);
      hands.set(port.info.name, new PluginHand(port, source));
    }
  } catch (error) {
    for (const { port } of hands.values()) port.close();
    throw error;
  }
  return hands;
}
