// What is kept of the moment of an alert, for who looks at it later: its fields, where its process
// came from, why its rule fired. What all alerts of a rule have in common crosses to the main
// thread once (RuleRecord), the rest as one text of JSON (Moment), whose size is known and which
// nobody reads before somebody asks.
import type { PlainValue } from "./plain_value.ts";
import type { RuleRecord } from "../../rules/rule_account.ts";

/** How much may be spent on dossiers; alerts beyond it have none, and say so. */
export interface DossierSettings {
  /** Of all rules, and of one, in a second. */
  readonly perSecond: number;
  readonly perRule: number;
  /** Milliseconds of the engine's thread in a second. */
  readonly msPerSecond: number;
}

/** Why an alert has none. */
export type NoDossier =
  /** The budget of its second was spent, or that of its rule. */
  | "budget"
  /** It could not be made, by a mistake of ours. */
  | "mistake";

/** As it crosses with its alert. */
export type PackedDossier =
  /** `record`: number of a RuleRecord that was told before. */
  | { readonly record: number; readonly moment: string }
  | { readonly none: NoDossier };

/** As the main thread holds it: one record for all alerts of a rule. */
export type Dossier =
  | { readonly record: RuleRecord; readonly moment: string }
  | { readonly none: NoDossier };

export type KnownDossier = Extract<Dossier, { readonly moment: string }>;

/** The dossier that an alert has; undefined where it has none, or none any more (`gone`). */
export function knownDossier(dossier: Dossier | "gone" | undefined): KnownDossier | undefined {
  return typeof dossier === "object" && "moment" in dossier ? dossier : undefined;
}

/** What the dossier of an alert holds besides its rule. */
export interface Moment {
  /** By RuleRecord.fieldNames; `null`: the event has none. */
  readonly fields: readonly PlainValue[];
  /** The process of the event and who made it, from the process itself up; absent: it has none. */
  readonly processes?: readonly ProcessTold[];
  /** Where the event's names differ: the view under which the rule matched, in words. */
  readonly view?: string;
  /** By RuleRecord.parts: `1` holds, `0` does not, `?` was not known. */
  readonly answers: string;
  /** By RuleRecord.operands, as `saker explain` writes them. */
  readonly values: readonly string[];
  /** The capture that has the event, which an alert started. */
  readonly capture?: string;
}

/** A process as it was when it made the one before it in the list, or as it is. */
export interface ProcessTold {
  readonly pid: number;
  readonly name: string;
  readonly exe: string;
  readonly exepath: string;
  /** Absent: not known, there was no room for the arguments of one that is past. */
  readonly cmdline?: string;
  /** When it was made, ms since the epoch; absent: nobody saw it. */
  readonly startedMs?: number;
  /** It has ended, or runs another program since. */
  readonly past?: true;
  /** Nobody saw it make the one before it: it is its parent in /proc. */
  readonly listed?: true;
  /** Ancestors between it and the one before it that are not known; -1: nobody knows how many. */
  readonly between?: number;
}
