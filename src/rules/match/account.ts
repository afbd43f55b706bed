// Why a rule matched an event, in little: its condition is laid out once, part by part, and each
// event costs an answer for each part and the values that were compared. A checked rule comes in,
// what tells of its events goes out (explain.ts tells the same in full, of an event at hand).
import { asShown, jsonOf } from "../../fields/render.ts";
import type { Bound, Value } from "../../fields/row/field.ts";
import { View, VIEW_LABELS } from "../../state/contract/views.ts";
import type { FieldLookup } from "../check/operand.ts";
import type { CheckedRule, Resolved } from "../check/resolve.ts";
import type { RuleAccount, RuleRecord } from "../rule_account.ts";
import { answersOf, layOut } from "./condition_layout.ts";
import { isToldLater } from "./held.ts";
import { aboutRule } from "./rule_text.ts";
import { standardFields } from "./standard_fields.ts";
import { explainedValue } from "./value_text.ts";

export interface AccountParts {
  readonly resolved: Pick<Resolved, "nodes" | "macros">;
  readonly fields: FieldLookup;
  /** Texts of the rules files, by their names. */
  readonly texts: ReadonlyMap<string, string>;
}

/** `shown`: the view under which the rule matched the last event; undefined: there was but one. */
export function accountOf(
  rule: CheckedRule,
  { resolved, fields, texts }: AccountParts,
  shown: () => View | undefined,
): RuleAccount {
  const layout = layOut(rule.tree, resolved);
  const { operands } = layout;
  const ofOutput = new Set(rule.format.fields.map(({ text }) => text));
  const bounds = standardFields(rule.source, fields, ofOutput);
  const record: RuleRecord = {
    ...aboutRule(rule, texts),
    fieldNames: bounds.map(({ text }) => text),
    parts: layout.parts,
    partsCut: layout.partsCut,
    operands: layout.operandTexts,
  };
  const opensField = bounds.map(isToldLater);
  const opensOperand = operands.map((operand) => operand.fields.some(isToldLater));
  return {
    record,
    take(context, held) {
      const view = held ?? shown();
      const read = (bound: Bound) => bound.extract(context);
      const none = undefined as readonly [Value] | undefined;
      return context.under(view ?? View.Kernel, () => ({
        fields: asShown(
          context,
          () =>
            bounds.map((bound, at) =>
              held !== undefined && opensField[at] ? none : [jsonOf(bound, context)] as const
            ),
        ),
        operands: operands.map((operand, at) =>
          held !== undefined && opensOperand[at] ? none : [operand.read(read)] as const
        ),
        view: view === undefined ? undefined : VIEW_LABELS[view],
      }));
    },
    answer(taken, later) {
      const values = taken.operands.map((known, at) =>
        known === undefined && later !== undefined
          ? [operands[at]!.read((bound) => bound.extract(later))] as const
          : known
      );
      return {
        fields: taken.fields.map((known, at) =>
          known === undefined ? later && jsonOf(bounds[at]!, later) : known[0]
        ),
        answers: answersOf(layout, values),
        values: values.map((known) => known === undefined ? "" : explainedValue(known[0])),
      };
    },
  };
}
