// From a plugin's setting to what it says of itself, before anything starts. Errors are one line
// with the plugin's name.
import type { OpenParam, PluginInfo, PluginModule, PluginSetting } from "../../plugins/contract.ts";
import { loadTypeScriptPlugin } from "../../plugins/typescript/load_plugin.ts";
import { configOf } from "../../plugins/typescript/typescript_start.ts";
import type { Addon } from "./addon.ts";
import { infoOf, load, named, withTypes } from "./plugin_ports.ts";

export interface Description {
  readonly info: PluginInfo;
  /** What `open_params` may say; why that is not known. */
  readonly openParams: readonly OpenParam[] | string;
  /** Where it is one in TypeScript: to be kept in its setting. */
  readonly module?: PluginModule;
}

/** How far a plugin is asked: what it says before it is initialized may be all that is wanted. */
export interface DescribeOptions {
  readonly init: boolean;
  readonly openParams?: boolean;
  /** Plugins that share state tables with it and come before it. */
  readonly after?: readonly PluginSetting[];
}

/** In a process of its own in any case: a library may do anything while it is loaded. */
export async function describePlugin(
  setting: PluginSetting,
  addon: () => Addon,
  { init, openParams = false, after = [] }: DescribeOptions,
): Promise<Description> {
  if (setting.kind === "module") {
    const module = await loadModule(setting);
    return { info: module.info, openParams: [], module };
  }
  const lone = { ...setting, inProcess: false };
  let plugin = load(lone, addon());
  /** It may need tables or columns that another one has: what it says where they are there. */
  const laterFailure = () => {
    try {
      plugin.close();
      plugin = load(lone, addon());
      for (const { path, initConfig } of after) plugin.beginAfter(path, initConfig);
      named(setting, () => plugin.init(setting.initConfig));
      return undefined;
    } catch (error) {
      return error;
    }
  };
  try {
    const info = infoOf(plugin);
    if (!init) return await Promise.resolve({ info, openParams: [] });
    try {
      named(setting, () => plugin.init(setting.initConfig));
    } catch (alone) {
      const failed = after.length === 0 ? alone : laterFailure();
      // Who only lists them goes on without.
      if (failed !== undefined && !openParams) throw failed;
      if (failed !== undefined) return { info, openParams: (failed as Error).message };
    }
    const whole = withTypes(plugin, info);
    const params = openParams && info.capabilities.includes("sourcing")
      ? JSON.parse(plugin.openParams())
      : [];
    return { info: whole, openParams: params };
  } finally {
    plugin.close();
  }
}

async function loadModule(setting: PluginSetting): Promise<PluginModule> {
  const { name, path, initConfig, openParams, permissions, memoryMb, inProcess } = setting;
  try {
    return await loadTypeScriptPlugin({
      name,
      path,
      config: configOf(initConfig),
      params: openParams,
      granted: permissions,
      memoryMb,
      ownProcess: !inProcess,
    });
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`Cannot load plugin '${name}' (${path}): ${message}`, { cause: error });
  }
}
