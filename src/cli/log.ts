// What saker says of itself while it runs: lines come in with their level, those that the
// configuration wants (`log_level`) go to standard error (`log_stderr`) and to syslog
// (`log_syslog`). What ends a run is no matter of this: it is always told.
import { type Config, SEVERITIES } from "../config/schema.ts";
import type { Terminal } from "./terminal.ts";

export type Level = "critical" | "warning" | "notice" | "info" | "debug";

export type Log = Readonly<Record<Level, (line: string) => void>>;

type Keys = "log_stderr" | "log_syslog" | "log_level" | "log_format";
export type LogSettings = Pick<Config, Keys>;

/** `settings` is asked for each line: a reload may have changed them. */
export function logTo(settings: () => LogSettings, terminal: Terminal): Log {
  const at = (level: Level) => (line: string): void => {
    const { log_stderr, log_syslog, log_level, log_format } = settings();
    // A level's place among them is its number in syslog.
    const severity = SEVERITIES.indexOf(level);
    if (severity > SEVERITIES.indexOf(log_level)) return;
    const text = log_format === "json" ? jsonLine(level, line) : line;
    if (log_stderr) terminal.error(`${text}\n`);
    if (log_syslog) terminal.syslog(severity, text);
  };
  return {
    critical: at("critical"),
    warning: at("warning"),
    notice: at("notice"),
    info: at("info"),
    debug: at("debug"),
  };
}

/** The level stands beside the message, and need not be its first word. */
function jsonLine(level: Level, line: string): string {
  const message = line.replace(/^(Warning|Notice): /, "");
  return JSON.stringify({ time: new Date().toISOString(), level, message });
}
