// Plugins whose fields can be asked of a thread's events, besides the one that gives them.
import { PluginHand } from "../../plugins/plugin_hand.ts";
import type { EngineStart } from "../contract/messages.ts";
import type { Addon } from "../host/addon.ts";
import { openPort } from "../host/plugin_ports.ts";

/** Throws where one refuses. */
export function openExtractors(
  { extractors = [] }: EngineStart,
  source: string,
  addon: () => Addon,
): ReadonlyMap<string, PluginHand> {
  const hands = new Map<string, PluginHand>();
  try {
    for (const setting of extractors) {
      const port = openPort(setting, addon);
      hands.set(port.info.name, new PluginHand(port, source));
    }
  } catch (error) {
    for (const { port } of hands.values()) port.close();
    throw error;
  }
  return hands;
}
