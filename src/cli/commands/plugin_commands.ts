// `saker plugin new`, `types` and `try`: how they are asked for.
import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import type { TryOptions } from "./try_plugin.ts";

/** Adds the commands; `onEnd` gets the exit code of the one that ran. */
export function addPluginCommands(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const plugin = program.command("plugin").description("write plugins in TypeScript")
    .action(() => plugin.error("missing command: plugin new, types or try"));
  plugin.command("new")
    .description("write NAME.ts, a plugin to begin with, and its types, into this directory")
    .argument("<name>", "its name: letters, digits and _")
    .action(async (name: string) => {
      const { newPlugin } = await import("./new_plugin.ts");
      onEnd(newPlugin(name, terminal));
    });
  plugin.command("types")
    .description("print the types that plugins are written against (saker-plugin.d.ts)")
    .action(async () => {
      const { authorTypes } = await import("../../plugins/typescript/shipped.ts");
      terminal.out(authorTypes());
      onEnd(0);
    });
  plugin.command("try")
    .description("run a plugin by itself and print its events with their fields, as JSON lines")
    .argument("<file>", "the plugin: .ts, .mts, .js or .mjs")
    .option("--open-params <text>", "as open_params", "")
    .option("--init-config <json>", "as init_config", "{}")
    .option("--allow-net <addresses>", "as permissions.net, divided by commas")
    .option("--allow-read <paths>", "as permissions.read")
    .option("--allow-env <names>", "as permissions.env")
    .option("--events <count>", "end after so many events", "10")
    .action(async (file: string, options: TryOptions) => {
      const { tryPlugin } = await import("./try_plugin.ts");
      onEnd(await tryPlugin(file, options, terminal));
    });
}
