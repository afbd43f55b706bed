// What a configuration asks for that this version of saker does not do: one line each, so that
// nobody waits for it in vain.
import type { Config } from "../config/schema.ts";

/** The plugin whose work saker does itself. */
const OWN_PLUGIN = "container";

export function notYet(config: Config): string[] {
  const lines: string[] = [];
  const wanted = config.load_plugins ?? config.plugins.map((plugin) => plugin.name);
  for (const name of wanted) {
    if (name === OWN_PLUGIN) continue;
    if (!config.plugins.some((plugin) => plugin.name === name)) {
      throw new Error(`Cannot load plugin '${name}': plugin config not found for given name`);
    }
    lines.push(`plugins: ${name}: this version of saker loads no plugins yet`);
  }
  return lines;
}
