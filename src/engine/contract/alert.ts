// An alert as data: what the engine thread hands to the outputs.
import type { Value } from "../../fields/row/field.ts";
import type { Dossier } from "./dossier.ts";

export interface Alert {
  readonly hostname: string;
  /** Message with the fields filled in, without time and priority. */
  readonly message: string;
  /** In the order of the output; keys are field names as written. */
  readonly outputFields: readonly (readonly [string, Value])[];
  /** Index into PRIORITY_NAMES. */
  readonly priority: number;
  readonly rule: string;
  readonly source: string;
  /** Sorted; undefined for internal alerts, which have none. */
  readonly tags: readonly string[] | undefined;
  /** ns since the epoch. */
  readonly time: bigint;
  /** Number of the alert in this run, from 1. */
  readonly sequence: number;
  /** Events were lost shortly before: what the alert says may be incomplete. */
  readonly degraded: boolean;
  /** What a runtime knows of its container did not come in time; absent where it did, or where the
   * alert does not ask for it. */
  readonly containerUntold?: true;
  /** It stands for so many alerts of its rule, of which it is the last; absent where for itself. */
  readonly repeats?: Repeats;
  /** For who looks at it later; no output has it. */
  readonly dossier?: Dossier;
}

export interface Repeats {
  readonly count: number;
  /** Times of the first and the last of them, ns since the epoch. */
  readonly first: bigint;
  readonly last: bigint;
}
