// What brings Kubernetes audit events in (an HTTP endpoint, files) and what judges them meet here:
// bytes go to a sink, a verdict comes back when every event of them was held against the rules.

/** The sink takes the bytes over: their buffer is detached. */
export interface AuditPiece {
  readonly bytes: Uint8Array;
  /** Whole lines, each of one JSON document (an audit event, an EventList, an array of events);
   * absent: all of it is one document, or such lines where it is none and its first line is. */
  readonly lines?: boolean;
  /** Where it came from, for messages and counters: a file's name, `webhook`. */
  readonly origin: string;
}

export interface AuditVerdict {
  /** Events that were held against the rules. */
  readonly events: number;
  /** Documents and items that are no audit event; `reason` says what was wrong with the first. */
  readonly malformed: number;
  readonly reason?: string;
}

/** Bounded, by pieces and by bytes. */
export interface AuditSink {
  /** Resolves once all events of the piece are judged, never rejects; "busy" if there is no
   * room: the piece was not taken. */
  offer(piece: AuditPiece): Promise<AuditVerdict> | "busy";
}
