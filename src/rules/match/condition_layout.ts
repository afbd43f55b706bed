// A condition laid out so that what each of its parts says of an event is known without walking its
// tree: each part that is judged stands behind those that it is made of. A tree comes in, parts to
// be shown and parts to be judged go out; values of an event come in, answers go out.
import type { Value } from "../../fields/row/field.ts";
import type { Atom, Operand } from "../check/condition.ts";
import type { Resolved } from "../check/resolve.ts";
import { type Expr, print } from "../parse/syntax.ts";
import type { ConditionPart } from "../rule_account.ts";
import { shortened } from "./value_text.ts";

/** Parts that are shown of a condition, and that are judged for it; of more none is. */
const PARTS_MAX = 1_024;
const JUDGED_MAX = 4_096;
/** Characters of a check's text. */
const TEXT_MAX = 1_000;

export interface Layout {
  readonly parts: readonly ConditionPart[];
  /** Parts that are not shown. */
  readonly partsCut: number;
  /** By part: its place among those that are judged. */
  readonly judgedAs: readonly number[];
  readonly judged: readonly Judged[];
  readonly operands: readonly Operand[];
  readonly operandTexts: readonly string[];
}

interface Judged {
  readonly kind: ConditionPart["kind"];
  /** Places of its own parts, which stand before it. */
  readonly children: readonly number[];
  /** Of a check; absent where nothing is known of it. */
  readonly atom?: Atom;
  readonly operands: readonly number[];
}

export function layOut(
  tree: Expr,
  resolved: Pick<Resolved, "nodes" | "macros">,
): Layout {
  const plan = new Plan(resolved);
  const size = plan.judge(tree);
  if (plan.judged.length > JUDGED_MAX) {
    const none = { parts: [], judgedAs: [], judged: [], operands: [], operandTexts: [] };
    return { ...none, partsCut: size };
  }
  plan.show(tree);
  const { parts, judgedAs, judged, operands } = plan;
  const operandTexts = operands.map(({ text }) => shortened(text, TEXT_MAX));
  return { parts, partsCut: size - parts.length, judgedAs, judged, operands, operandTexts };
}

/** By part: `1`, `0`, or `?` where a value that decides is not known. */
export function answersOf(
  { judged, judgedAs }: Layout,
  values: readonly (readonly [Value] | undefined)[],
): string {
  const answers = new Array<Answer>(judged.length);
  for (let at = 0; at < judged.length; at++) answers[at] = answerOf(judged[at]!, answers, values);
  let text = "";
  for (const place of judgedAs) text += answers[place];
  return text;
}

type Answer = "0" | "1" | "?";

function answerOf(
  { kind, children, atom, operands }: Judged,
  answers: readonly Answer[],
  values: readonly (readonly [Value] | undefined)[],
): Answer {
  switch (kind) {
    case "check": {
      const left = values[operands[0]!];
      const right = operands.length < 2 ? NOTHING : values[operands[1]!];
      if (atom === undefined || left === undefined || right === undefined) return "?";
      return atom.test(left[0], right[0]) ? "1" : "0";
    }
    case "not": {
      const answer = answers[children[0]!]!;
      return answer === "?" ? "?" : answer === "1" ? "0" : "1";
    }
    case "and":
    case "or": {
      const decisive = kind === "or" ? "1" : "0";
      let isOpen = false;
      for (const child of children) {
        const answer = answers[child]!;
        if (answer === decisive) return decisive;
        if (answer === "?") isOpen = true;
      }
      return isOpen ? "?" : kind === "or" ? "0" : "1";
    }
  }
}

const NOTHING = [undefined] as const;

class Plan {
  readonly parts: ConditionPart[] = [];
  readonly judgedAs: number[] = [];
  readonly judged: Judged[] = [];
  readonly operands: Operand[] = [];
  readonly #resolved: Pick<Resolved, "nodes" | "macros">;
  /** Of each part of the tree: its place, and how many it is with all that it is made of. */
  readonly #known = new Map<Expr, { readonly at: number; readonly size: number }>();
  readonly #operandPlaces = new Map<string, number>();

  constructor(resolved: Pick<Resolved, "nodes" | "macros">) {
    this.#resolved = resolved;
  }

  /** Returns how many parts there are; a macro's count wherever it stands. */
  judge(expr: Expr): number {
    const known = this.#known.get(expr);
    if (known !== undefined) return known.size;
    let size = 1;
    for (const child of childrenOf(expr)) size += this.judge(child);
    const at = this.judged.length;
    this.judged.push({
      kind: kindOf(expr),
      children: childrenOf(expr).map((child) => this.#known.get(child)!.at),
      ...this.#checkOf(expr),
    });
    this.#known.set(expr, { at, size });
    return size;
  }

  show(expr: Expr): void {
    if (this.parts.length >= PARTS_MAX) return;
    const { at } = this.#known.get(expr)!;
    const macro = this.#resolved.macros.origins.get(expr)?.name;
    const isCheck = kindOf(expr) === "check";
    const children = childrenOf(expr);
    this.judgedAs.push(at);
    this.parts.push({
      kind: kindOf(expr),
      children: children.length,
      ...(macro === undefined ? {} : { macro }),
      ...(isCheck ? { text: shortened(print(expr), TEXT_MAX) } : {}),
      ...(isCheck ? { operands: this.judged[at]!.operands } : {}),
    });
    for (const child of children) this.show(child);
  }

  #checkOf(expr: Expr): Pick<Judged, "atom" | "operands"> {
    const atom = expr.kind === "check" ? this.#resolved.nodes.findAtom(print(expr)) : undefined;
    if (atom === undefined) return { operands: [] };
    const operands = [atom.left, ...atom.right ? [atom.right] : []];
    return { atom, operands: operands.map((operand) => this.#placeOf(operand)) };
  }

  #placeOf(operand: Operand): number {
    const known = this.#operandPlaces.get(operand.text);
    if (known !== undefined) return known;
    const place = this.operands.push(operand) - 1;
    this.#operandPlaces.set(operand.text, place);
    return place;
  }
}

function kindOf(expr: Expr): ConditionPart["kind"] {
  return expr.kind === "macro" ? "check" : expr.kind;
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "and":
    case "or":
      return expr.children;
    case "not":
      return [expr.child];
    default:
      return [];
  }
}
