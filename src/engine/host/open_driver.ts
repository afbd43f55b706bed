// Opens the driver that the configuration names. In: the addon, how a watch was started, events
// that are wanted. Out: the addon's driver, whichever it is; throws one line where it cannot be
// had.
import type { Driver } from "../../../bindings-rs/index.d.ts";
import type { LiveStart } from "../contract/messages.ts";
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
      throw new Error(notHere("ptrace", "does not trace processes"));
    default:
      return live.driver satisfies never;
  }
}

function notHere(kind: LiveStart["driver"], lacks: string): string {
  return `engine.kind: ${kind} cannot be used: this build of saker ${lacks}; ` +
    "modern_ebpf is there (-o engine.kind=modern_ebpf)";
}
