// Why a rule fired on an event, or did not: its condition as a tree, each part with its answer and
// each check with the values that it saw.
import { EVENTS } from "../../events/table.ts";
import { type View, VIEW_LABELS } from "../../state/contract/views.ts";
import { wantedCodes } from "../match/compile.ts";
import type { Atom, Operand, Read } from "../check/condition.ts";
import { interpretAtom } from "../match/interpret.ts";
import { explainedValue, shortened } from "../match/value_text.ts";
import type { CheckedRule, Resolved } from "../check/resolve.ts";
import { type Check, type Expr, print } from "../parse/syntax.ts";

/** Lines of an explanation at the most. */
const LINES_MAX = 400;

/** An event under one view. */
export interface Seen {
  readonly view: View;
  readonly read: Read;
}

/** The explanation as text, without a line end behind it. An event whose views differ is judged
 * under each: the first under which the rule fires is told first. */
export function explain(
  rule: CheckedRule,
  resolved: Resolved,
  code: number,
  views: readonly Seen[],
): string {
  const name = EVENTS[code]?.name ?? "";
  const tried = wantedCodes(rule, rule.source).includes(code);
  const told = views.map(({ view, read }) => ({ view, told: new Explanation(resolved, read) }));
  const fires = told.find(({ told }) => told.holds(rule.tree));
  const under = views.length === 1
    ? ""
    : fires === undefined
    ? " under any view"
    : ` under ${VIEW_LABELS[fires.view]}`;
  const head = !tried
    ? `Rule "${rule.name}" is never tried on ${name} events: its condition leaves other types only`
    : `Rule "${rule.name}" ${fires ? "fires" : "does not fire"} on this ${name} event${under}`;
  const ordered = fires === undefined ? told : [fires, ...told.filter((one) => one !== fires)];
  const lines = ordered.flatMap(({ view, told }) => [
    ...views.length === 1 ? [] : [`${VIEW_LABELS[view]}:`],
    ...told.lines(rule.tree),
  ]);
  return [head, ...lines].join("\n");
}

/** How many parts of the condition's outermost `and` hold under one view: which event came
 * closest. */
export function partsThatHold(
  rule: CheckedRule,
  resolved: Resolved,
  views: readonly Seen[],
): number {
  const { tree } = rule;
  const parts = tree.kind === "and" ? tree.children : [tree];
  return Math.max(...views.map(({ read }) => {
    const explanation = new Explanation(resolved, read);
    return parts.filter((part) => explanation.holds(part)).length / parts.length;
  }));
}

class Explanation {
  readonly #resolved: Resolved;
  readonly #read: Read;
  readonly #known = new Map<Expr, boolean>();

  constructor(resolved: Resolved, read: Read) {
    this.#resolved = resolved;
    this.#read = read;
  }

  holds(expr: Expr): boolean {
    const known = this.#known.get(expr);
    if (known !== undefined) return known;
    const holds = this.#compute(expr);
    this.#known.set(expr, holds);
    return holds;
  }

  lines(tree: Expr): string[] {
    const lines: string[] = [];
    this.#draw(tree, "", lines);
    if (lines.length <= LINES_MAX) return lines;
    return [...lines.slice(0, LINES_MAX), "… and more"];
  }

  #compute(expr: Expr): boolean {
    switch (expr.kind) {
      case "and":
        return expr.children.every((child) => this.holds(child));
      case "or":
        return expr.children.some((child) => this.holds(child));
      case "not":
        return !this.holds(expr.child);
      case "macro":
        return false;
      case "check": {
        const atom = this.#atomOf(expr);
        return atom !== undefined && interpretAtom(atom, this.#read);
      }
    }
  }

  #atomOf(check: Check): Atom | undefined {
    return this.#resolved.nodes.findAtom(print(check));
  }

  #draw(expr: Expr, indent: string, lines: string[]): void {
    if (lines.length > LINES_MAX) return;
    const mark = this.holds(expr) ? "✓" : "✗";
    const macro = this.#resolved.macros.origins.get(expr);
    const name = macro === undefined ? "" : `${macro.name}: `;
    switch (expr.kind) {
      case "and":
      case "or":
        lines.push(`${indent}${mark} ${name}${expr.kind === "and" ? "all of" : "any of"}`);
        for (const child of expr.children) this.#draw(child, `${indent}  `, lines);
        return;
      case "not":
        lines.push(`${indent}${mark} ${name}not`);
        return this.#draw(expr.child, `${indent}  `, lines);
      case "macro":
        lines.push(`${indent}${mark} ${expr.name}`);
        return;
      case "check":
        lines.push(`${indent}${mark} ${name}${this.#checkText(expr)}`);
    }
  }

  #checkText(check: Check): string {
    const atom = this.#atomOf(check);
    const text = shortened(print(check));
    if (atom === undefined) return text;
    const values = [atom.left, ...atom.right ? [atom.right] : []]
      .map((operand) => `${operand.text} is ${this.#valueText(operand)}`);
    return `${text}   [${values.join(", ")}]`;
  }

  #valueText(operand: Operand): string {
    return explainedValue(operand.read(this.#read));
  }
}
