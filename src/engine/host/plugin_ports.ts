// From a plugin's setting to what it says of itself (before anything starts), and to the port of
// one that runs (on the thread that asks it). Errors are one line with the plugin's name.
import type { Plugin, PluginTables } from "../../../bindings-rs/plugins.d.ts";
import type {
  OpenParam,
  PluginInfo,
  PluginModule,
  PluginPort,
  PluginSetting,
} from "../../plugins/contract.ts";
import { loadTypeScriptPlugin } from "../../plugins/typescript/load_plugin.ts";
import { configOf } from "../../plugins/typescript/typescript_start.ts";
import { TypeScriptPort } from "../../plugins/typescript/port.ts";
import { type Addon, embeddedFile } from "./addon.ts";
import { LibraryPort } from "./library_port.ts";

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
}

/** In a process of its own in any case: a library may do anything while it is loaded. */
export async function describePlugin(
  setting: PluginSetting,
  addon: () => Addon,
  { init, openParams = false }: DescribeOptions,
): Promise<Description> {
  if (setting.kind === "module") {
    const module = await loadModule(setting);
    return { info: module.info, openParams: [], module };
  }
  const plugin = load({ ...setting, inProcess: false }, addon());
  try {
    const info = infoOf(plugin);
    if (!init) return await Promise.resolve({ info, openParams: [] });
    try {
      named(setting, () => plugin.init(setting.initConfig));
    } catch (error) {
      // Who only lists them goes on without.
      if (!openParams) throw error;
      return { info, openParams: (error as Error).message };
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

function load({ path, name, inProcess, memoryMb }: PluginSetting, addon: Addon): Plugin {
  const host = inProcess ? {} : { host: embeddedFile("plugin-host") };
  return named(
    { name, path },
    () => addon.Plugin.load({ path, name, inProcess, memoryMb, ...host }),
    "Cannot load plugin",
  );
}

function infoOf(plugin: Plugin): PluginInfo {
  return JSON.parse(plugin.info());
}

function withTypes(plugin: Plugin, info: PluginInfo): PluginInfo {
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

async function loadModule(setting: PluginSetting): Promise<PluginModule> {
  const { name, path, initConfig, openParams, permissions, memoryMb } = setting;
  try {
    return await loadTypeScriptPlugin({
      name,
      path,
      config: configOf(initConfig),
      params: openParams,
      granted: permissions,
      memoryMb,
    });
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`Cannot load plugin '${name}' (${path}): ${message}`, { cause: error });
  }
}
