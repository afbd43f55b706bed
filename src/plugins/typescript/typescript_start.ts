// All that a thread needs to run a plugin in TypeScript; plain data.
import type { PluginInfo } from "../contract.ts";
import type { ModuleText } from "./module_text.ts";
import type { Permissions } from "./permissions.ts";

export interface TypeScriptStart {
  readonly info: PluginInfo;
  readonly modules: readonly ModuleText[];
  readonly permissions: Permissions;
  /** `init_config`, as the module gets it. */
  readonly config: unknown;
  /** Bound of its memory. */
  readonly memoryMb: number;
}
