// Flags → Config: the configuration of `-c` with the options of `-o` and the flags that are
// short for options. Warnings go to standard error; errors are thrown.
import { problemLine } from "../../config/problem.ts";
import type { AfarText } from "../../config/from_afar.ts";
import { type PlacedFate, readConfig } from "../../config/read_config.ts";
import type { Config } from "../../config/schema.ts";
import type { Flags } from "../flags.ts";
import { logTo } from "../log.ts";
import type { Terminal } from "../terminal.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** Files that the configuration came from. */
  readonly files: readonly string[];
  /** Files and directories that it may come from, to be watched. */
  readonly sources: readonly string[];
  /**
   * Alerts on standard output as JSON: what the configuration says, or where it says nothing,
   * text for a terminal and JSON for everything else.
   */
  readonly jsonAlerts: boolean;
  /** What it asks for that saker does not do, one line each. */
  readonly notices: readonly string[];
  /** What becomes of each key that was given, and what is wrong with some, one line each. */
  readonly fates: readonly PlacedFate[];
  readonly problems: readonly string[];
}

/** Notices that were told before are not told again; `afar` is what a signed bundle says. */
export function loadConfig(
  flags: Flags,
  terminal: Terminal,
  told: readonly string[] = [],
  afar?: AfarText,
): LoadedConfig {
  const { config, problems, files, includes, given, fates } = readConfig({
    file: flags.config,
    options: flags.option,
    environment: terminal.environment,
    afar,
  });
  const log = logTo(() => config, terminal);
  const notices: string[] = [];
  for (const problem of problems) {
    const line = problemLine(problem);
    if (problem.severity === "notice") notices.push(`Notice: ${line}`);
    else log.warning(`Warning: ${line}`);
  }
  for (const line of notices) if (!told.includes(line)) log.notice(line);
  const jsonAlerts = given.has("json_output") ? config.json_output : !terminal.outIsTerminal;
  const sources = [...(flags.config === undefined ? [] : [flags.config]), ...includes];
  return {
    config: withNames(config, terminal),
    files,
    sources,
    jsonAlerts,
    notices,
    fates,
    problems: problems.filter(({ severity }) => severity !== "notice").map(problemLine),
  };
}

/** A file to be written is the one of that name whenever it is opened, not one that was there. */
function withNames(config: Config, { nameOf }: Terminal): Config {
  const { file_output, capture } = config;
  return {
    ...config,
    file_output: { ...file_output, filename: nameOf(file_output.filename) },
    capture: { ...capture, path_prefix: nameOf(capture.path_prefix) },
  };
}
