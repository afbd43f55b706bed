// What a rule says of itself and of an event that it matched, for who looks at an alert later: its
// place and text, its condition part by part, and what each part said.
import type { Value } from "../fields/row/field.ts";
import type { Context } from "../state/contract/context.ts";
import type { View } from "../state/contract/views.ts";

/** A place in a rules file; the line counts from 1. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
}

/** A rule of one set, as it was loaded. */
export interface RuleAbout extends RulePlace {
  readonly name: string;
  readonly source: string;
  /** Index into PRIORITY_NAMES. */
  readonly priority: number;
  readonly tags: readonly string[];
  readonly description: string;
  /** As its file has it; "" where it cannot be told from what is around it. */
  readonly text: string;
  /** Further places that its condition comes from. */
  readonly alsoAt: readonly RulePlace[];
  /** With all that was appended, its exceptions and what the configuration appends. */
  readonly condition: string;
  readonly output: string;
}

/** What is the same of all events that a rule matches. */
export interface RuleRecord extends RuleAbout {
  /** Names of the standard fields that a dossier holds besides those of the output. */
  readonly fieldNames: readonly string[];
  /** The condition's parts: each before those that it is made of. */
  readonly parts: readonly ConditionPart[];
  /** Parts beyond the bound of what is kept. */
  readonly partsCut: number;
  /** What is compared: texts of the values. */
  readonly operands: readonly string[];
}

export interface ConditionPart {
  readonly kind: "and" | "or" | "not" | "check";
  /** How many of the following parts, with theirs, it is made of. */
  readonly children: number;
  /** The macro that it stands for. */
  readonly macro?: string;
  /** Of a check: its text, and what it compares, by places in `RuleRecord.operands`. */
  readonly text?: string;
  readonly operands?: readonly number[];
}

/** What was read of an event when it came: values of fields and operands; undefined where a
 * container's runtime is still to tell. */
export interface Taken {
  readonly fields: readonly (readonly [Value] | undefined)[];
  readonly operands: readonly (readonly [Value] | undefined)[];
  /** The view under which the rule matched, where there were several. */
  readonly view: string | undefined;
}

/** What the parts of the condition said. */
export interface Answered {
  /** By `fieldNames`. */
  readonly fields: readonly Value[];
  /** By `parts`: `1` holds, `0` does not, `?` was not known. */
  readonly answers: string;
  /** By `operands`, as `saker explain` writes them. */
  readonly values: readonly string[];
}

export interface RuleAccount {
  readonly record: RuleRecord;
  /** Reads what is to be told of the event that the context shows, under the view under which the
   * rule matched it. `held`: under that one; what a runtime tells is left open. */
  take(context: Context, held?: View): Taken;
  /** The answers; what was open is read of `later`, where there is one. */
  answer(taken: Taken, later?: Context): Answered;
}
