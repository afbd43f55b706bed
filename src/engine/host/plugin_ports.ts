// From a plugin's setting to the port of one that runs, on the thread that asks it. Errors are one
// line with the plugin's name.
import type { Plugin, PluginTables } from "../../../bindings-rs/plugins.d.ts";
import type { PluginInfo, PluginPort, PluginSetting } from "../../plugins/contract.ts";
import { TypeScriptPort } from "../../plugins/typescript/port.ts";
import type { Addon } from "./addon.ts";
import { carriedFile } from "./carried.ts";
import { LibraryPort } from "./library_port.ts";

/** Starts the plugin; throws where it refuses. Its source is not opened yet. */
export function openPort(
  setting: PluginSetting,
  addon: () => Addon,
  tables?: () => PluginTables,
): PluginPort {
  if (setting.module !== undefined) return new TypeScriptPort(setting.module);
  const plugin = load(setting, addon());
  try {
    if (setting.inProcess && tables !== undefined) plugin.useTables(tables());
    named(setting, () => plugin.init(setting.initConfig));
    return new LibraryPort(plugin, withTypes(plugin, infoOf(plugin)), setting.inProcess);
  } catch (error) {
    plugin.close();
    throw error;
  }
}

/** A library, of which nothing has been initialized yet. */
export function load(setting: PluginSetting, addon: Addon): Plugin {
  const { path, name, inProcess, memoryMb, processes = false } = setting;
  const host = inProcess ? {} : { host: carriedFile("plugin-host") };
  return named(
    { name, path },
    () => addon.Plugin.load({ path, name, inProcess, memoryMb, processes, ...host }),
    "Cannot load plugin",
  );
}

export function infoOf(plugin: Plugin): PluginInfo {
  return JSON.parse(plugin.info());
}

/** Event types are known once it is initialized. */
export function withTypes(plugin: Plugin, info: PluginInfo): PluginInfo {
  return { ...info, ...JSON.parse(plugin.eventTypes()) };
}

/** Puts the plugin's name before what went wrong. */
export function named<T>(
  { name, path }: Pick<PluginSetting, "name" | "path">,
  act: () => T,
  what = "Plugin",
): T {
  try {
    return act();
  } catch (error) {
    const where = what === "Plugin" ? "" : ` (${path})`;
    throw new Error(`${what} '${name}'${where}: ${(error as Error).message}`, { cause: error });
  }
}
