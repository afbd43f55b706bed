// `saker trace -- COMMAND…` and `saker trace -p PID`: instrumentation from userspace, by the rights
// of who runs it. The command's streams and exit code are its own: alerts go to standard error, or
// to a file.
import { bytesOf } from "../../words/raw_text.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import { tracing } from "../start/tracing.ts";
import type { Terminal } from "../terminal.ts";
import { watch } from "./watch.ts";

export interface TraceFlags {
  readonly pid?: number;
  readonly fast?: boolean;
  /** Alerts are appended to this file and to nothing else. */
  readonly alerts?: string;
}

export async function trace(
  command: readonly string[],
  wanted: TraceFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { pid, fast = false, alerts } = wanted;
  if ((command.length > 0) === (pid !== undefined)) {
    throw new Error("saker trace needs a command or a process: saker trace -- COMMAND, or -p PID");
  }
  if (fast && pid !== undefined) {
    throw new Error("--fast is for commands that saker starts, and not for -p");
  }
  const own: Terminal = {
    ...terminal,
    alertsToError: true,
    outIsTerminal: terminal.errorIsTerminal,
    columns: terminal.errorColumns,
    colour: terminal.errorIsTerminal && hasColours(terminal),
  };
  const loaded = loadConfig(
    { ...flags, option: [...defaults(alerts, flags), ...flags.option] },
    own,
  );
  const start = pid === undefined
    ? { command: command.map((word) => bytesOf(terminal.nameOf(word))), fast }
    : { pid };
  return await watch(flags, loaded, own, tracing(start));
}

/** What holds for a trace unless the configuration says otherwise by an option. */
function defaults(alerts: string | undefined, { verbose }: Flags): string[] {
  return [
    "engine.kind=ptrace",
    "webserver.enabled=false",
    "watch_config_files=false",
    "engine.nice=0",
    "log_syslog=false",
    // What only the watch of a host has to tell is told with -v.
    ...(verbose === true ? [] : ["log_level=warning"]),
    ...(alerts === undefined ? [] : [
      "stdout_output.enabled=false",
      "file_output.enabled=true",
      `file_output.filename=${alerts}`,
    ]),
  ];
}

function hasColours({ environment }: Terminal): boolean {
  return environment("TERM") !== "dumb" && (environment("NO_COLOR") ?? "") === "";
}
