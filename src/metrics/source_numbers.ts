// What became of the events of one source besides system calls, as /healthz has it.

export interface SourceNumbers {
  readonly rules: number;
  /** Events that were held against the rules. */
  readonly events: number;
  /** What was given as events and is none. */
  readonly malformed: number;
  readonly alerts: number;
  /** Alerts that the main thread was too far behind for. */
  readonly alerts_dropped: number;
  /** Events that were passed over by a mistake in saker. */
  readonly mistakes: number;
}
