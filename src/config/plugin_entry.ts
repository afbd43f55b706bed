// One entry of `plugins`: its name and `init_config`, which is a map or the text of one in JSON,
// come in; the map with texts as its values goes out, as configuration files are read.
import { holdTree, type Where } from "./hold_tree.ts";
import type { ConfigMap, ConfigValue } from "./layer.ts";
import { ConfigError, type ConfigProblem, keyText } from "./problem.ts";
import type { Config } from "./schema.ts";
import type { Shape } from "./shape.ts";

/** The plugins whose work is part of saker. */
export const BUILT_IN_NAMES: readonly string[] = ["container", "k8saudit", "json", "k8smeta"];

export type PluginEntry = Config["plugins"][number];

/** Names of the plugins that are to be loaded, in order, each once. */
export function loadedNames({ load_plugins, plugins }: Config): readonly string[] {
  return [...new Set(load_plugins ?? plugins.map(({ name }) => name))];
}

/** Whether saker's own part does the plugin's work: its entry does not ask for the library. */
export function isOurs(config: Config, name: string): boolean {
  if (!BUILT_IN_NAMES.includes(name)) return false;
  return entryOf(config, name)?.entry.builtin ?? true;
}

/** Whether a part of saker's own is to do that plugin's work. */
export function loadsOurs(config: Config, name: string): boolean {
  return loadedNames(config).includes(name) && isOurs(config, name);
}

/** The first entry of that name, which is the one that holds. */
export function entryOf(
  { plugins }: Config,
  name: string,
): { readonly at: number; readonly entry: PluginEntry } | undefined {
  const at = plugins.findIndex((entry) => entry.name === name);
  const entry = plugins[at];
  return entry && { at, entry };
}

/** Reads the `init_config` of an entry; throws a ConfigError where a value cannot be meant. */
export function readInit<T>(
  schema: Shape<T>,
  { at, entry }: { readonly at: number; readonly entry: PluginEntry },
  where: Where = () => "",
): { readonly value: T; readonly problems: ConfigProblem[] } {
  const inside = ["plugins", at, "init_config"];
  const tree = treeOf(entry.init_config);
  if (typeof tree === "string") throw new ConfigError(where(inside), keyText(inside), tree);
  return holdTree<T>(schema, tree, where, { inside, strict: true });
}

/** A map to be taken apart, or what is wrong. */
function treeOf(given: unknown): ConfigMap | string {
  if (given === undefined || given === "") return {};
  if (typeof given !== "string") {
    return isMap(given) ? asTexts(given) as ConfigMap : "expected a map, or JSON text of one";
  }
  try {
    const value: unknown = JSON.parse(given);
    if (isMap(value)) return asTexts(value) as ConfigMap;
  } catch {
    // Told with all else that is no map.
  }
  return `expected a map, or JSON text of one, found "${given}"`;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy: the tree is taken apart where something is wrong with it. */
function asTexts(value: unknown): ConfigValue {
  if (Array.isArray(value)) return value.map(asTexts);
  if (isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asTexts(one)]));
  }
  return value === null ? "" : String(value);
}
