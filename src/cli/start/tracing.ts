// What a watch that traces does otherwise than one of the host: which signals are the command's
// matter, and what exit code comes of it.
import { COMMAND_STARTS, Counter, type Counters } from "../../engine/contract/counters.ts";
import type { TraceStart } from "../../engine/contract/messages.ts";
import type { EndSignal } from "./signals.ts";

export interface Tracing {
  readonly start: TraceStart;
  /** Whether a signal is the command's matter, and not the end of the watch. */
  taken(counters: Counters, signal: EndSignal): boolean;
  /** The exit code once it has ended: the command's, as a shell would tell it. */
  exitCode(counters: Counters, code: number): number;
  /** The exit code where it could not begin. */
  failed(error: string): number;
}

/** What a shell answers for commands that are not there, or cannot be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** While a command is being started its id is looked for so often. */
const LOOK_MS = 10;

export function tracing(start: TraceStart): Tracing {
  let asked = false;
  return {
    start,
    taken(counters, signal): boolean {
      const pid = counters.get(Counter.CommandPid);
      if (pid === 0) return false;
      // A terminal sends it to the command as well, which decides what comes of it: also behind a
      // SIGTERM, and of two that come at once the runtime may tell of the later one first.
      if (signal === "SIGINT") return true;
      if (asked) return false;
      asked = true;
      passOn(counters, signal);
      return true;
    },
    exitCode(counters, code): number {
      const told = counters.get(Counter.CommandExit);
      return told === 0 ? code : told - 1;
    },
    failed(error): number {
      if (/^Cannot start .*: (command not found|no such file)/.test(error)) return NOT_FOUND;
      return error.startsWith("Cannot start ") ? NOT_EXECUTABLE : 1;
    },
  };
}

function passOn(counters: Counters, signal: EndSignal): void {
  const pid = counters.get(Counter.CommandPid);
  if (pid === COMMAND_STARTS) {
    setTimeout(() => passOn(counters, signal), LOOK_MS);
    return;
  }
  if (pid === 0) return;
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended just now.
  }
}
