// The plugins of a configuration that are not parts of saker, as they are to be loaded: a Config
// comes in, plain values go out, paths whole and `init_config` as the text that a plugin is given.
import { entryOf, isOurs, loadedNames, type PluginEntry } from "./plugin_entry.ts";
import type { Config } from "./schema.ts";

/** Where Falco looks for libraries whose path is no whole one. */
export const PLUGINS_DIRECTORY = "/usr/share/falco/plugins";

/** Modules that are part of saker, and what stands for where they are. */
export const SHIPPED_NAMES: readonly string[] = ["logfile", "webhook"];
export const SHIPPED = "saker:";

export interface LibraryPlugin {
  readonly name: string;
  readonly path: string;
  readonly kind: "library" | "module";
  readonly initConfig: string;
  readonly openParams: string;
  readonly inProcess: boolean;
  readonly memoryMb: number;
  readonly processes: boolean;
  /** What a module may have of what it asks for; "asked": all, of those that are ours. */
  readonly permissions: PluginEntry["permissions"] | "asked";
}

/** In the order in which they are loaded. */
export function libraryPlugins(config: Config): readonly LibraryPlugin[] {
  return loadedNames(config).flatMap((name) => {
    if (isOurs(config, name)) return [];
    const found = entryOf(config, name);
    return found === undefined ? [] : [libraryPlugin(found.entry)];
  });
}

export function libraryPlugin(entry: PluginEntry): LibraryPlugin {
  const { name, open_params, in_process, memory_mb, processes } = entry;
  const isShipped = isShippedModule(entry);
  const path = isShipped ? `${SHIPPED}${name}.ts` : libraryPath(entry.library_path);
  const isModule = isModulePath(path);
  return {
    name,
    path,
    kind: isModule ? "module" : "library",
    initConfig: initText(entry.init_config),
    openParams: open_params.trim(),
    inProcess: in_process ?? isModule,
    memoryMb: memory_mb,
    processes,
    permissions: isShipped ? "asked" : entry.permissions,
  };
}

/** Whether a library's path is that of a module in TypeScript or JavaScript. */
export function isModulePath(path: string): boolean {
  return /\.m?[tj]s$/.test(path);
}

/** Whether the entry means a module that is part of saker. */
export function isShippedModule({ name, library_path }: PluginEntry): boolean {
  return library_path === "" && SHIPPED_NAMES.includes(name);
}

/** The entry that somebody means by its name or by the path of its library, as it is written or
 * whole. */
export function entryAsked({ plugins }: Config, asked: string): PluginEntry | undefined {
  return plugins.find(({ name, library_path }) =>
    name === asked ||
    (library_path !== "" && [library_path, libraryPath(library_path)].includes(asked))
  );
}

/** From the working directory. */
function isBeside(path: string): boolean {
  return isModulePath(path) && /^\.\.?\//.test(path);
}

/** A whole path: one that is not is looked for below Falco's directory of plugins, but for modules
 * whose path begins with a dot. */
export function libraryPath(given: string): string {
  return given.startsWith("/") || isBeside(given) ? given : `${PLUGINS_DIRECTORY}/${given}`;
}

/** What is wrong with a library's path; undefined: nothing. */
export function pathMistake(given: string): string | undefined {
  if (given === "") return "expected the path of the plugin's library";
  if (given.includes("\0")) return "expected a path, found one with a NUL";
  if (given.startsWith("/") || isBeside(given)) return undefined;
  let depth = 0;
  for (const part of given.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0) {
      return `expected a path that does not lead out of ${PLUGINS_DIRECTORY}, found "${given}"`;
    }
  }
  return undefined;
}

/** A text as it is; of a map its JSON, whose values are read as Falco reads them. */
function initText(given: unknown): string {
  if (given === undefined) return "";
  return typeof given === "string" ? given : JSON.stringify(typed(given));
}

const INTEGER = /^[-+]?(0x[0-9a-fA-F]+|[0-9]{1,18})$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** Integers, numbers, truth values, texts: tried in this order, however they were quoted. */
function typed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typed);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, typed(one)]));
  }
  if (typeof value !== "string") return value;
  if (INTEGER.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
  if (FLOAT.test(value)) return Number(value);
  if (TRUE.test(value)) return true;
  if (FALSE.test(value)) return false;
  return value;
}
