// Opens the driver that the configuration names. In: the addon, how a watch was started, events
// that are wanted. Out: the addon's driver, whichever it is; throws one line where it cannot be
// had.
import type { Driver } from "../../../bindings-rs/index.d.ts";
import type { TraceTarget } from "../../../bindings-rs/trace.d.ts";
import type { LiveStart, TraceStart } from "../contract/messages.ts";
import { devicePath } from "../../kmod/loaded.ts";
import type { Addon } from "./addon.ts";
import { carriedFile } from "./carried.ts";
import { ownPid } from "./own_pid.ts";

export function openDriver(
  addon: Addon,
  live: LiveStart,
  interest: ReadonlySet<number>,
): Driver {
  const options = {
    interest: Uint16Array.from(interest),
    criticalRingBytes: live.criticalRingBytes,
    bulkRingBytes: live.bulkRingBytes,
    snaplen: live.snaplen,
    ...live.fullPorts === undefined ? {} : { fullPorts: live.fullPorts },
    dynamicSnaplen: live.dynamicSnaplen,
    dropFailed: live.dropFailed,
    selfPid: ownPid(live.hostRoot),
  };
  switch (live.driver) {
    case "modern_ebpf":
      return addon.Driver.open(carriedFile("probe.o"), options);
    case "kmod":
      return addon.Driver.openModule(devicePath(live.hostRoot), options);
    case "ptrace":
      if (live.trace === undefined) throw new Error(NOTHING_TO_TRACE);
      return traced(() => addon.Driver.trace(targetOf(live.trace!), options));
    default:
      return live.driver satisfies never;
  }
}

const NOTHING_TO_TRACE = "engine.kind: ptrace follows a command or a process, and not the host: " +
  "saker trace -- COMMAND, or saker trace -p PID";

/** The tracer's errors say all themselves, and are about no probe. */
function traced(open: () => Driver): Driver {
  try {
    return open();
  } catch (error) {
    throw new Error((error as Error).message);
  }
}

function targetOf({ command, pid, fast = false }: TraceStart): TraceTarget {
  return {
    ...(command === undefined ? {} : { command: [...command] }),
    ...(pid === undefined ? {} : { pid }),
    fast,
  };
}
