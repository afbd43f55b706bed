// Flags → Config: the configuration of `-c` with the options of `-o` and the flags that are
// short for options. Warnings go to standard error; errors are thrown.
import { problemLine } from "../../config/problem.ts";
import { readConfig } from "../../config/read_config.ts";
import type { Config } from "../../config/schema.ts";
import type { Flags } from "../flags.ts";
import { logTo } from "../log.ts";
import type { Terminal } from "../terminal.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** Files that the configuration came from. */
  readonly files: readonly string[];
  /**
   * Alerts on standard output as JSON: what the configuration says, or where it says nothing,
   * text for a terminal and JSON for everything else.
   */
  readonly jsonAlerts: boolean;
}

export function loadConfig(flags: Flags, terminal: Terminal): LoadedConfig {
  const { config, problems, files, given } = readConfig({
    file: flags.config,
    options: flags.option,
    environment: terminal.environment,
  });
  const log = logTo(config, terminal);
  for (const problem of problems) {
    if (problem.severity === "notice") log.notice(`Notice: ${problemLine(problem)}`);
    else log.warning(`Warning: ${problemLine(problem)}`);
  }
  const jsonAlerts = given.has("json_output") ? config.json_output : !terminal.outIsTerminal;
  return { config, files, jsonAlerts };
}
