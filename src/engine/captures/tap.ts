// Who writes what passes the engine: a recording of everything, or the captures that alerts
// start. The engine tells a tap of each batch, before and after it is applied, and of matches; it
// asks nothing of it per event, so that a run without a tap pays one look per batch.
import type { CompiledRule } from "../../rules/rule_set.ts";

export interface Tap {
  /** A batch of event blocks will be applied; the tables stand as they are before it. */
  begin(bytes: Uint8Array, length: number): void;
  /** An event of the batch, which the context's cursor stands on, matched the rule. */
  matched(rule: CompiledRule): void;
  /** The file that has the event, if it is one that alerts start. */
  file?(): string | undefined;
  /** The batch was applied as far as `length`; whether nothing more is wanted. */
  end(length: number): boolean;
  /** Another state of the machine was loaded: another capture begins. */
  section(): void;
  /** Nothing happens just now. */
  idle(): void;
  /** Throws where the last of it cannot be written. */
  close(): void;
}

/** An alert that saker makes by itself, without hostname, sequence and the like. */
export interface InternalAlert {
  readonly rule: string;
  readonly message: string;
  readonly outputFields: readonly (readonly [string, number | string])[];
  /** Index into PRIORITY_NAMES. */
  readonly priority: number;
}

/** How a tap speaks to the engine that it belongs to. */
export interface TapHost {
  alert(alert: InternalAlert): void;
}
