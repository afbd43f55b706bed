// What comes of proposing: exceptions for a person to read and take, and what is not proposed and
// why. Plain data.
import type { Node } from "../rules/check/condition.ts";
import type { PrintedAlert } from "./alert.ts";
import type { Evidence } from "./evidence.ts";
import type { Part } from "./objects.ts";
import type { Look } from "./places.ts";

export interface Proposal {
  readonly rule: string;
  /** `safe`: it rests on what an intruder does not choose. `care`: `warnings` say what must hold
   * besides; it is handed out commented out. */
  readonly level: "safe" | "care";
  /** Of the exception; new in its rule. */
  readonly name: string;
  readonly parts: readonly Part[];
  /** The item that appends it, ready to be loaded behind the rules. */
  readonly yaml: string;
  /** The same below comments with its evidence; where `level` is `care`, commented out. */
  readonly text: string;
  /** Alerts that it silences, with those that grouped ones stand for. */
  readonly silenced: number;
  /** Places of these alerts in what was given. */
  readonly alerts: readonly number[];
  readonly evidence: Evidence;
  /** What to know before it is taken, in plain words. */
  readonly warnings: readonly string[];
  /** What it leaves open: variants of its alerts of which nobody is told any more. */
  readonly open: readonly string[];
  /** Variants that are still told. */
  readonly told: readonly string[];
  /** Whether Falco loads it, too. */
  readonly forFalco: boolean;
}

/** Alerts for which there is no exception that would not help an intruder as well. */
export interface Refusal {
  readonly rule: string;
  readonly subject: string;
  readonly alerts: number;
  /** Exceptions that suggest themselves, and who could make them hold. */
  readonly tempting: readonly string[];
  readonly why: readonly string[];
}

/** Alerts that do not tell what a good exception needs. */
export interface Lacking {
  readonly rule: string;
  readonly source: string;
  readonly alerts: number;
  readonly fields: readonly string[];
}

export interface Tuning {
  /** The best first. */
  readonly proposals: readonly Proposal[];
  readonly refusals: readonly Refusal[];
  readonly lacking: readonly Lacking[];
  /** Rules that no exception helps, and what does. */
  readonly advice: readonly string[];
  /** All alerts given, with those that grouped ones stand for. */
  readonly alerts: number;
  /** Of them, those that the rules as they are would not tell any more. */
  readonly quietAlready: number;
  /** Of them, those of rules that are not there. */
  readonly unknownRules: ReadonlyMap<string, number>;
  /** Of them, those that an exception was found for, but too few by themselves (`alertsMin`). */
  readonly few: number;
  /** Of them, those that only proposals that need care would silence. */
  readonly withCare: number;
  /** How many remain where all safe proposals are taken. */
  readonly remaining: number;
}

export interface ProposeOptions {
  /** Alerts that a proposal must silence at least; default 2. */
  readonly alertsMin?: number;
  /** Only fields that Falco has; default false. */
  readonly falcoOnly?: boolean;
  /** Alerts that must still fire: what would silence one is not proposed. */
  readonly keep?: readonly PrintedAlert[];
  /** Why an exception of the rule, which holds where the condition does, must not be; undefined
   * where nothing speaks against it. */
  readonly objection?: (rule: string, excuses: Node) => string | undefined;
  /** Looks at files of the host that the alerts are of. */
  readonly look?: Look;
  /** Proposals at the most; default 50. */
  readonly proposalsMax?: number;
}
