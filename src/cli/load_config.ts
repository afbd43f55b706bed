// Flags → Config: the configuration of `-c` with the options of `-o` and the flags that are
// short for options. Warnings go to standard error; errors are thrown.
import { problemLine } from "../config/problem.ts";
import { readConfig } from "../config/read_config.ts";
import { rulesFiles } from "../config/rules_files.ts";
import type { Config } from "../config/schema.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** Files that the configuration came from. */
  readonly files: readonly string[];
}

export function loadConfig(flags: Flags, terminal: Terminal): LoadedConfig {
  const { config, problems, files } = readConfig({
    file: flags.config,
    options: flags.option,
    environment: terminal.environment,
  });
  for (const problem of problems) terminal.error(`Warning: ${problemLine(problem)}\n`);
  return { config, files };
}

/** Rules files of `-r` or the configuration; undefined where the built-in rules hold. */
export function configuredRules(flags: Flags, config: Config): string[] | undefined {
  const configured = config.rules_files ?? config.rules_file;
  return rulesFiles({ given: flags.rules, configured });
}
