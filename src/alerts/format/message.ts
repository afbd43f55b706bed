// An alert as an output takes it: one line in the format of that output, and beside it what some
// protocols want by itself. It is what lies in the spool, so it knows nothing of this run.
import type { Alert } from "../../engine/contract/alert.ts";

export interface Message {
  /** One line, without its newline. */
  readonly text: string;
  /** Falco's number, which is syslog's severity too. */
  readonly priority: number;
  /** ns since the epoch. */
  readonly time: bigint;
  readonly hostname: string;
  /** For an output that sends more than a line; what comes from the spool has none. */
  readonly alert?: Alert;
}

/** What makes messages of alerts, for one output. */
export type Compose = (alert: Alert) => Message;

export function composeWith(format: (alert: Alert) => string): Compose {
  return (alert) => ({
    text: format(alert),
    priority: alert.priority,
    time: alert.time,
    hostname: alert.hostname,
  });
}
