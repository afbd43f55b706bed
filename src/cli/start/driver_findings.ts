// Which drivers this host can have, and which is best. In: what is missing for the probe, how the
// kernel module stands, the driver that is asked for. Out: one finding.
import type { DriverKind } from "../../engine/contract/messages.ts";
import type { Finding } from "./host_findings.ts";

export interface DriversSeen {
  /** What the configuration asks for; undefined: none. */
  readonly asked: DriverKind | undefined;
  /** Why the probe cannot be had; undefined where it can. */
  readonly withoutProbe: string | undefined;
  /** The module is loaded, or a file of it is there, or what hinders it; none of them: it can be
   * built. */
  readonly module: {
    readonly loaded: boolean;
    readonly file?: string;
    readonly hindrance?: string;
  };
}

/** The probe costs least and needs nothing of the host that a kernel does not have; the module sees
 * as much; a tracer sees the processes alone that it follows, and slows them down. */
export function driverFinding({ asked, withoutProbe, module }: DriversSeen): Finding {
  const best: DriverKind = withoutProbe === undefined
    ? "modern_ebpf"
    : module.hindrance === undefined
    ? "kmod"
    : "ptrace";
  const probe = withoutProbe === undefined ? "can be had" : `cannot be had (${withoutProbe})`;
  const lines = [
    `eBPF (modern_ebpf) ${probe}`,
    `the kernel module (kmod) ${moduleLine(module)}`,
    "ptrace can be had, for single commands and processes",
  ];
  const others = asked === undefined || asked === best
    ? ""
    : `; the configuration asks for ${asked}`;
  return {
    verdict: asked === undefined || asked === best ? "ok" : "note",
    text: `drivers: ${best} is best here${others}; ${lines.join("; ")}`,
  };
}

function moduleLine({ loaded, file, hindrance }: DriversSeen["module"]): string {
  if (loaded) return "is loaded";
  if (hindrance !== undefined) return `cannot be had (${hindrance})`;
  return file === undefined ? "can be built (saker driver load)" : "is built (saker driver load)";
}
