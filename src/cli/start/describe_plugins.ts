// Plugins as the configuration names them → each as it describes itself, in a process of its own.
// What does not fit together is refused in Falco's words.
import { resolve } from "node:path";
import { entryAsked, isModulePath, libraryPlugin } from "../../config/library_plugins.ts";
import { isOurs } from "../../config/plugin_entry.ts";
import type { Config } from "../../config/schema.ts";
import { loadAddon } from "../../engine/host/addon.ts";
import { describePlugin, type Description } from "../../engine/host/describe_plugin.ts";
import { once } from "../../engine/thread/run_parts.ts";
import type { PluginSetting } from "../../plugins/contract.ts";
import { pluginsMistake } from "../../plugins/field_sets.ts";
import { infosOf, type LoadedPlugin, type LoadedPlugins, reasonInside } from "./loaded_plugins.ts";

/** In the order in which they are given; `init`: initialized, too. Throws where one cannot be
 * loaded, or does not fit. */
export async function describeAll(
  plugins: readonly PluginSetting[],
  init: boolean,
): Promise<LoadedPlugins> {
  const addon = once(loadAddon);
  const all: LoadedPlugin[] = [];
  for (const setting of plugins.map(whole)) {
    const after = all.map((one) => one.setting).filter((one) =>
      one.inProcess && one.kind === "library"
    );
    const { info, module } = await describePlugin(setting, addon, { init, after });
    const other = all.find((one) => one.info.name === info.name);
    if (other !== undefined) {
      throw new Error(
        `Cannot load plugin '${setting.name}' (${setting.path}): a plugin named ` +
          `'${info.name}' is loaded before it (${other.setting.path})`,
      );
    }
    const inProcess = setting.inProcess || reasonInside({ info }) !== undefined;
    all.push({
      setting: { ...setting, name: info.name, inProcess, ...(module ? { module } : {}) },
      info,
    });
  }
  const mistake = pluginsMistake(infosOf(all));
  if (mistake !== undefined) throw new Error(mistake);
  return all;
}

/** Describes the one that is asked for by its name or its path, or a library as it lies there;
 * undefined where it is a part of saker, or none at all. */
export async function describeAsked(
  asked: string,
  config: Config,
): Promise<Description | undefined> {
  const entry = entryAsked(config, asked);
  if (entry !== undefined && isOurs(config, entry.name)) return undefined;
  const setting = entry === undefined ? loneLibrary(asked) : whole(libraryPlugin(entry));
  if (setting === undefined) return undefined;
  return await describePlugin(setting, once(loadAddon), { init: true, openParams: true });
}

/** A path that no entry has. */
function loneLibrary(asked: string): PluginSetting | undefined {
  if (!asked.includes("/")) return undefined;
  return {
    name: asked.replace(/^.*\//, ""),
    path: resolve(asked),
    kind: isModulePath(asked) ? "module" : "library",
    initConfig: "",
    openParams: "",
    inProcess: false,
    memoryMb: 1024,
    permissions: {},
  };
}

/** Modules may be named from the working directory. */
function whole<T extends { readonly path: string }>(setting: T): T {
  return setting.path.startsWith(".") ? { ...setting, path: resolve(setting.path) } : setting;
}
