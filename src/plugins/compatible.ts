// Which plugins' fields go with which source, as Falco has it.
import type { PluginInfo } from "./contract.ts";

/** Whether the plugin's fields can be asked of events of the source. */
export function isCompatible(info: PluginInfo, source: string): boolean {
  if (info.fields.length === 0) return false;
  return listHas(info, info.extractSources, source);
}

/** An empty list stands for all sources, but for a plugin that is a source itself: for its own. */
export function listHas(
  info: Pick<PluginInfo, "source">,
  sources: readonly string[],
  source: string,
): boolean {
  if (info.source !== "" && info.source === source) return true;
  return sources.length === 0 ? info.source === "" : sources.includes(source);
}

/** Sources that plugins bring, in the order in which they are loaded. */
export function sourcesOf(infos: readonly PluginInfo[]): readonly string[] {
  return [...new Set(infos.map(({ source }) => source).filter((source) => source !== ""))];
}
