// Which plugins have to do with which source, as Falco has it: whose fields, parsing and events go
// with it.
import type { PluginInfo } from "./contract.ts";

export const SYSCALL_SOURCE = "syscall";

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

/** Whether the plugin parses events of the source, which is not its own. */
export function parsesOther(info: PluginInfo, source: string): boolean {
  return info.capabilities.includes("parsing") && info.source !== source &&
    listHas(info, info.parseSources, source);
}

/** Whether the plugin sends asynchronous events of the source. */
export function sendsTo(info: PluginInfo, source: string): boolean {
  return info.capabilities.includes("async") && listHas(info, info.asyncSources, source);
}

/** Whether the plugin has to do with events of the source, besides giving values of fields. */
export function concerns(info: PluginInfo, source: string): boolean {
  return parsesOther(info, source) || sendsTo(info, source) ||
    info.capabilities.includes("listening");
}
