// The other view's paths in an alert: for the paths that a rule names, fields of saker's own go
// into its output fields, where the two views of the event differ.
import { otherOf, viewFields } from "../../fields/rows/view_fields.ts";
import { FieldSet } from "../../fields/field_set.ts";
import { jsonOf } from "../../fields/render.ts";
import type { Bound } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import { DIFFERS_FOR_SURE } from "../../state/contract/views.ts";
import type { Node } from "../check/condition.ts";
import type { CheckedRule } from "../check/resolve.ts";
import type { RenderedOutput } from "../rule_set.ts";

export class OtherFields {
  readonly #bound: ReadonlyMap<string, Bound>;

  constructor() {
    const bound = new Map<string, Bound>();
    for (const field of viewFields(new FieldSet().fields)) {
      const found = field.bind(undefined);
      if (!("error" in found)) bound.set(field.name, found);
    }
    this.#bound = bound;
  }

  /** What is to be told beside the output of a rule: evt.view, then the others of what it names. */
  of({ node, format }: CheckedRule): readonly Bound[] {
    const names = new Set<string>();
    const note = ({ field }: Bound) => {
      const other = otherOf(field.name);
      if (other !== undefined) names.add(other);
    };
    format.fields.forEach(note);
    const seen = new Set<Node>();
    const visit = (node: Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (node.kind === "not") visit(node.child);
      else if (node.kind === "and" || node.kind === "or") node.children.forEach(visit);
      else if (node.kind === "atom") {
        node.atom.left.fields.forEach(note);
        node.atom.right?.fields.forEach(note);
      }
    };
    visit(node);
    if (names.size === 0) return [];
    return ["evt.view", ...names].map((name) => this.#bound.get(name)!);
  }
}

/** The output with the other view's paths behind its fields, where there are any. */
export function withOthers(
  output: RenderedOutput,
  told: readonly Bound[],
  context: Context,
): RenderedOutput {
  if (told.length === 0 || (context.differs & DIFFERS_FOR_SURE) === 0) return output;
  const others = told.slice(1)
    .map((bound) => [bound.text, jsonOf(bound, context)] as const)
    .filter(([, value]) => value !== undefined);
  if (others.length === 0) return output;
  const view = told[0]!;
  return {
    message: output.message,
    fields: [...output.fields, [view.text, jsonOf(view, context)], ...others],
  };
}
