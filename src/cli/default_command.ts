// `saker` without a command: Falco's flags that print something and exit, in Falco's order, then
// the watching of this host.
import { configJsonSchema } from "../config/schema.ts";
import type { Flags } from "./flags.ts";
import { loadConfig } from "./load_config.ts";
import type { Terminal } from "./terminal.ts";

/** x86_64, and what nearly every aarch64 kernel has. */
const PAGE_BYTES = 4096;

export async function runDefault(flags: Flags, terminal: Terminal): Promise<number> {
  if (flags.configSchema) {
    terminal.out(JSON.stringify(configJsonSchema(), null, 2));
    return 0;
  }
  if (flags.version) {
    const { version } = await import("./version.ts");
    return version(flags, terminal);
  }
  if (flags.pageSize) {
    terminal.out(`${PAGE_BYTES}\n`);
    return 0;
  }
  if (flags.ignoredEvents) {
    const { ignoredEventNames } = await import("../engine/interest.ts");
    const names = ignoredEventNames().map((name) => `- ${name}\n`).join("");
    terminal.out(`Ignored syscall(s):\n${names}\n`);
    return 0;
  }
  const loaded = loadConfig(flags, terminal);
  if (flags.listPlugins) {
    terminal.out("0 Plugins Loaded:\n\n");
    return 0;
  }
  if (flags.pluginInfo !== undefined) {
    throw new Error(`--plugin-info ${flags.pluginInfo}: this version of saker loads no plugins`);
  }
  if (flags.support) {
    const { support } = await import("./support.ts");
    const { rulesStart } = await import("./engine_start.ts");
    return support(loaded, rulesStart(loaded.config, flags).files, terminal);
  }
  const { engine } = loaded.config;
  if (engine.kind === "replay") {
    const { replayWith } = await import("./replay.ts");
    return await replayWith([engine.replay.capture_file], flags, loaded, terminal);
  }
  const { watch } = await import("./watch.ts");
  return await watch(flags, loaded, terminal);
}
