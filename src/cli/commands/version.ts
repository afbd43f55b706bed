// `saker --version` and `saker version`: text, or JSON under json_output.
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";
import { versions, versionText } from "../start/versions.ts";

export function version(flags: Flags, terminal: Terminal): number {
  const { config } = loadConfig(flags, terminal);
  terminal.out(config.json_output ? `${JSON.stringify(versions())}\n` : versionText());
  return 0;
}
