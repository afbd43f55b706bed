// What a configuration asks for that this version of saker does not do: one line each, so that
// nobody waits for it in vain.
import { BUILT_IN_NAMES, loadedNames } from "../config/plugin_entry.ts";
import type { Config } from "../config/schema.ts";

export function notYet(config: Config): string[] {
  return loadedNames(config).flatMap((name) => {
    if (!BUILT_IN_NAMES.includes(name)) {
      return [`plugins: ${name}: this version of saker loads no plugins yet`];
    }
    const entry = config.plugins.find((one) => one.name === name);
    if (entry === undefined || entry.builtin) return [];
    return [
      `plugins: ${name}: builtin: false: this version of saker loads no plugins yet, and goes on ` +
      "with its own part",
    ];
  });
}
