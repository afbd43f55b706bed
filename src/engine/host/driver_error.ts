// Errors of the addon → one line each that says what is wrong and what to do.
import type { ErrorCode } from "../../../bindings-rs/index.d.ts";

/** What is said of the kernel module says it all. */
const WHAT_TO_DO: Readonly<Record<Exclude<ErrorCode, "MODULE">, string>> = {
  NO_PERMISSION: "Cannot load the probe: no permission; run saker as root (sudo saker)",
  NO_BTF: "Cannot load the probe: this kernel does not describe its types " +
    "(/sys/kernel/btf/vmlinux); it must be built with CONFIG_DEBUG_INFO_BTF",
  NO_TRACEPOINTS: "Cannot attach the probe: this kernel shows no tracepoints; " +
    "mount tracefs (mount -t tracefs tracefs /sys/kernel/tracing)",
  NO_MEMORY: "Cannot load the probe: not enough memory for its rings; " +
    "choose a smaller engine.modern_ebpf.buf_size_preset or raise the limit (ulimit -l)",
  VERIFIER: "Cannot load the probe: the kernel's verifier refuses it",
  ATTACH: "Cannot attach the probe",
  PROBE: "Cannot load the probe: its object file is damaged",
  INVALID: "Cannot load the probe: bad settings",
  IO: "Cannot read from the kernel",
};

/** One line for an error that the addon threw; the message itself for any other error. */
export function driverErrorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  const known = typeof code === "string" ? WHAT_TO_DO[code as keyof typeof WHAT_TO_DO] : undefined;
  if (known === undefined) return oneLine(message);
  return message === "" ? known : `${known} (${oneLine(message)})`;
}

function oneLine(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").join(" ");
}
