// `--list-plugins` and `--plugin-info`: the configured plugins in Falco's shape, which scripts take
// apart. The container plugin's work is part of saker; this version has no others.
import type { Config } from "../../config/schema.ts";
import { CONTAINER_PLUGIN } from "../../rules/load.ts";

/** What a plugin says of itself. */
interface PluginInfo {
  readonly name: string;
  readonly description: string;
  readonly contact: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  /** JSON schema of `init_config`. */
  readonly initSchema: Readonly<Record<string, unknown>>;
}

const CONTAINER: PluginInfo = {
  name: CONTAINER_PLUGIN.name,
  description: "Fields of containers; part of saker, which needs no library for them",
  contact: "saker doctor tells what this host has of them",
  version: CONTAINER_PLUGIN.version,
  capabilities: ["Field Extraction", "Event Parsing", "Async Events"],
  initSchema: {
    $schema: "http://json-schema.org/draft-04/schema#",
    type: "object",
    description: "Any of the plugin's keys is accepted; saker needs none of them.",
  },
};

/** Names of the plugins that would be loaded, in order. */
export function wantedPlugins({ load_plugins, plugins }: Config): string[] {
  return [...load_plugins ?? plugins.map(({ name }) => name)];
}

export function listPlugins(config: Config, write: (text: string) => void): void {
  const own = wantedPlugins(config).filter((name) => name === CONTAINER.name);
  write(`${own.length} Plugins Loaded:\n\n${own.map(() => `${block(CONTAINER)}\n`).join("")}\n`);
}

/** By the plugin's name or its library; returns an error where saker does not have it. */
export function printPlugin(
  asked: string,
  { plugins }: Config,
  write: (text: string) => void,
): string | undefined {
  const found = plugins.find(({ name, library_path }) => [name, library_path].includes(asked));
  if (found === undefined) return `can't find plugin and print its info: ${asked}`;
  if (found.name !== CONTAINER.name) {
    return `--plugin-info ${asked}: this version of saker loads no plugins`;
  }
  const schema = JSON.stringify(CONTAINER.initSchema, null, 2);
  write(`${block(CONTAINER)}\nInit config schema type: JSON\n${schema}\n\n`);
  return undefined;
}

function block({ name, description, contact, version, capabilities }: PluginInfo): string {
  return [
    `Name: ${name}`,
    `Description: ${description}`,
    `Contact: ${contact}`,
    `Version: ${version}`,
    "Capabilities: ",
    ...capabilities.map((one) => `  - ${one}`),
    "",
  ].join("\n");
}
