// `saker` without a command: Falco's flags that print something and exit, in Falco's order, then
// the watching of this host.
import { configJsonSchema } from "../config/schema.ts";
import type { Flags } from "./flags.ts";
import { loadConfig } from "./load_config.ts";
import type { Terminal } from "./terminal.ts";

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
    terminal.out("4096\n");
    return 0;
  }
  const loaded = loadConfig(flags, terminal);
  const { engine } = loaded.config;
  if (engine.kind === "replay") {
    const { replayWith } = await import("./replay.ts");
    return await replayWith([engine.replay.capture_file], flags, loaded, terminal);
  }
  const { watch } = await import("./watch.ts");
  return await watch(flags, loaded, terminal);
}
