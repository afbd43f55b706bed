// Plugins that are no parts of saker, as they described themselves: which of them gives a source,
// which have to do with one, and which run in saker's own process.
import { concerns, isCompatible, parsesOther, SYSCALL_SOURCE } from "../../plugins/compatible.ts";
import type { PluginInfo, PluginSetting } from "../../plugins/contract.ts";

export interface LoadedPlugin {
  /** Under the name that the plugin gives itself. */
  readonly setting: PluginSetting;
  readonly info: PluginInfo;
}

export type LoadedPlugins = readonly LoadedPlugin[];

/** Why a plugin has to run in saker's own process; undefined where it need not. */
export function reasonInside({ info }: Pick<LoadedPlugin, "info">): string | undefined {
  // The table of threads is on the thread that judges system calls, and tables are shared by the
  // plugins of a thread.
  if (parsesOther(info, SYSCALL_SOURCE)) return "parses system calls";
  const { capabilities, parseSources, source } = info;
  const isOfOthers = source === "" || parseSources.some((parsed) => parsed !== source);
  return capabilities.includes("parsing") && isOfOthers
    ? "parses events of other sources"
    : undefined;
}

/** One line for each, as Falco tells it. */
export function loadedLines(plugins: LoadedPlugins): readonly string[] {
  return plugins.map(({ setting: { path }, info: { name, version } }) =>
    `Loaded plugin '${name}@${version}' from file ${path}`
  );
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

/** Those that give values of events of the source, parse them, add to them or listen to them, but
 * for the one that gives them. Where it has no events, those that add some alone, and the like. */
export function extractorsOf(
  plugins: LoadedPlugins,
  source: string,
  hasEvents = true,
): readonly PluginSetting[] {
  return plugins
    .filter(({ info }) =>
      info.source !== source &&
      ((hasEvents && isCompatible(info, source)) || concerns(info, source))
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
