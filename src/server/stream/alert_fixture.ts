// For tests: alerts that differ in their number.
import type { Alert } from "../../engine/contract/alert.ts";

export function numberedAlert(sequence: number, more: Partial<Alert> = {}): Alert {
  return {
    hostname: "h",
    message: `m${sequence}`,
    outputFields: [],
    priority: 4,
    rule: "r",
    source: "syscall",
    tags: [],
    time: BigInt(sequence) * 1_000n,
    sequence,
    degraded: false,
    ...more,
  };
}
