// For tests: an alert that never was.
import type { Alert } from "../../engine/contract/alert.ts";

export function madeUpAlert(): Alert {
  return {
    hostname: "host",
    message: "made up",
    outputFields: [["proc.name", "cat"]],
    priority: 4,
    rule: "A rule",
    source: "syscall",
    tags: ["mitre"],
    time: 1_700_000_000_000_000_000n,
    sequence: 1,
    degraded: false,
  };
}
