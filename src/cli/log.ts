// What saker says of itself while it runs: lines come in with their severity, those that the
// configuration wants (`log_stderr`, `log_level`) go to standard error. What ends a run is no
// matter of this: it is always told.
import { type Config, SEVERITIES } from "../config/schema.ts";
import type { Terminal } from "./terminal.ts";

export interface Log {
  critical(line: string): void;
  warning(line: string): void;
  notice(line: string): void;
  info(line: string): void;
}

type Level = Config["log_level"];
export type LogSettings = Pick<Config, "log_stderr" | "log_level">;

/** `settings` is asked for each line: a reload may have changed them. */
export function logTo(settings: () => LogSettings, terminal: Terminal): Log {
  const wants = (level: Level) => {
    const { log_stderr, log_level } = settings();
    return log_stderr && SEVERITIES.indexOf(level) <= SEVERITIES.indexOf(log_level);
  };
  const at = (level: Level) => (line: string): void => {
    if (wants(level)) terminal.error(`${line}\n`);
  };
  return {
    critical: at("critical"),
    warning: at("warning"),
    notice: at("notice"),
    info: at("info"),
  };
}
