// Config → the plugins that are no parts of saker: each loaded and asked what it is, in a process
// of its own, before anything begins. What does not fit together is refused in Falco's words.
import { resolve } from "node:path";
import { isModulePath, libraryPlugin, libraryPlugins } from "../../config/library_plugins.ts";
import { isOurs } from "../../config/plugin_entry.ts";
import type { Config } from "../../config/schema.ts";
import { loadAddon } from "../../engine/host/addon.ts";
import { describePlugin, type Description } from "../../engine/host/plugin_ports.ts";
import { once } from "../../engine/thread/run_parts.ts";
import { isCompatible } from "../../plugins/compatible.ts";
import type { PluginInfo, PluginSetting } from "../../plugins/contract.ts";
import { concerns, parsesOther } from "../../plugins/plugin_events.ts";
import { pluginsMistake, SYSCALL_SOURCE } from "../../plugins/field_sets.ts";

export interface LoadedPlugin {
  /** Under the name that the plugin gives itself. */
  readonly setting: PluginSetting;
  readonly info: PluginInfo;
}

export type LoadedPlugins = readonly LoadedPlugin[];

/** In the order in which they are loaded. Throws where one cannot be, or does not fit. */
export async function loadPlugins(config: Config): Promise<LoadedPlugins> {
  return await loaded(config, true);
}

/** The same without initializing them: what they say of themselves is enough. */
export async function listedPlugins(config: Config): Promise<LoadedPlugins> {
  return await loaded(config, false);
}

async function loaded(config: Config, init: boolean): Promise<LoadedPlugins> {
  const settings = libraryPlugins(config).map(whole);
  if (settings.length === 0) return [];
  const addon = once(loadAddon);
  const all: LoadedPlugin[] = [];
  for (const setting of settings) {
    const { info, module } = await describePlugin(setting, addon, { init });
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

/** Why a plugin has to run in saker's own process; undefined where it need not. A process of its
 * own is asked for events and values alone. */
function reasonInside({ info }: Pick<LoadedPlugin, "info">): string | undefined {
  // The table of threads is on the thread that judges system calls.
  if (parsesOther(info, SYSCALL_SOURCE)) return "parses system calls";
  if (info.capabilities.includes("async")) return "sends asynchronous events";
  return info.capabilities.includes("listening") ? "listens to captures" : undefined;
}

/** One line for each plugin that runs in saker's own process, and can take it with it. */
export function inProcessLines(plugins: LoadedPlugins): readonly string[] {
  return plugins.filter(({ setting }) => setting.inProcess && setting.kind === "library")
    .map((plugin) => {
      const reason = reasonInside(plugin);
      const why = reason === undefined ? "" : `, since it ${reason}`;
      const { name } = plugin.info;
      return `Plugin '${name}' runs in saker's own process${why}: should it crash, saker does`;
    });
}

export function infosOf(plugins: LoadedPlugins): readonly PluginInfo[] {
  return plugins.map(({ info }) => info);
}

/** Describes the one that is asked for by its name or its path, or a library as it lies there;
 * undefined where it is a part of saker, or none at all. */
export async function describeAsked(
  asked: string,
  config: Config,
): Promise<Description | undefined> {
  const entry = config.plugins.find(({ name, library_path }) =>
    [name, library_path].includes(asked)
  );
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

/** Those that give values of events of the source, parse them, add to them or listen to them, but
 * for the one that gives them. */
export function extractorsOf(plugins: LoadedPlugins, source: string): readonly PluginSetting[] {
  return plugins
    .filter(({ info }) =>
      info.source !== source && (isCompatible(info, source) || concerns(info, source))
    )
    .map(({ setting }) => setting);
}

export interface PluginSources {
  /** The plugin that is opened, by source. */
  readonly opened: ReadonlyMap<string, LoadedPlugin>;
  /** The one that gives system calls, having no source of its own. */
  readonly raw: LoadedPlugin | undefined;
  readonly warnings: readonly string[];
}

/** Of several plugins for one source the first is opened, as in Falco. */
export function pluginSources(plugins: LoadedPlugins): PluginSources {
  const opened = new Map<string, LoadedPlugin>();
  const warnings: string[] = [];
  for (const plugin of plugins) {
    const { name, source, capabilities } = plugin.info;
    if (source === "" || !capabilities.includes("sourcing")) continue;
    const first = opened.get(source);
    if (first === undefined) opened.set(source, plugin);
    else {
      warnings.push(
        `plugins ${first.info.name} and ${name} both give the source '${source}': ` +
          `${first.info.name}, which is loaded first, is opened`,
      );
    }
  }
  const raw = plugins.find(({ info }) =>
    info.source === "" && info.capabilities.includes("sourcing")
  );
  return { opened, raw, warnings };
}
