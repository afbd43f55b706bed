// Config → the plugins that are no parts of saker: each loaded and asked what it is, in a process
// of its own, before anything begins. What that takes is read where there are such plugins alone.
import { libraryPlugins } from "../../config/library_plugins.ts";
import type { Config } from "../../config/schema.ts";
import type { PluginInfo } from "../../plugins/contract.ts";
import { infosOf, type LoadedPlugins } from "./loaded_plugins.ts";

/** In the order in which they are loaded. Throws where one cannot be, or does not fit. */
export async function loadPlugins(config: Config): Promise<LoadedPlugins> {
  return await loaded(config, true);
}

/** What they say of themselves, without their being initialized. */
export async function listedPlugins(config: Config): Promise<readonly PluginInfo[]> {
  return infosOf(await loaded(config, false));
}

async function loaded(config: Config, init: boolean): Promise<LoadedPlugins> {
  const plugins = libraryPlugins(config);
  if (plugins.length === 0) return [];
  const { describeAll } = await import("./describe_plugins.ts");
  return await describeAll(plugins, init);
}
