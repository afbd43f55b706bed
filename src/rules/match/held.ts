// Events of containers that are still to be told of: what can be judged is judged when the event
// comes, what a runtime or the cluster has to tell is asked when it has told. An event and its
// context come in; out goes what decides later, which needs neither.
import { asShown, jsonOf, type JsonValue, shownValue, valueText } from "../../fields/render.ts";
import { isToldByRuntimes } from "../../fields/rows/container.ts";
import { isToldByCluster } from "../../fields/rows/k8smeta.ts";
import type { Bound, Value } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import { otherViews, View } from "../../state/contract/views.ts";
import type { Atom, Node } from "../check/condition.ts";
import type { Rendering } from "../check/output.ts";
import type { CheckedRule } from "../check/resolve.ts";
import type { RuleAccount, Taken } from "../rule_account.ts";
import type { CompiledRule, HeldEvent, HeldRule, RenderedOutput, Settled } from "../rule_set.ts";
import { interpretAtom, openAnswer } from "./interpret.ts";

/** A rule as holding needs it. */
export interface HoldableRule {
  readonly checked: CheckedRule;
  readonly compiled: CompiledRule;
  /** What differs between an event's views that the rules can see: bits of Differs. */
  readonly seen: number;
  /** The output, with fields read as `rendering` says. */
  readonly render: (rendering: Rendering, context: Context) => RenderedOutput;
  readonly account: () => RuleAccount | undefined;
}

/** What a field was when the event came. */
interface Seen {
  readonly text: string;
  readonly json: JsonValue;
  readonly value: Value;
}

/** Judges an event whose container is awaited; undefined where no rule can match it. `isTold`:
 * whether more than the output is to be told of an event that the rule may match. */
export function holdEvent(
  rules: Iterable<HoldableRule>,
  matching: "first" | "all",
  context: Context,
  isTold: (rule: CompiledRule) => boolean = () => false,
): HeldEvent | undefined {
  const held: HeldRule[] = [];
  for (const rule of rules) {
    const one = holdRule(rule, context, isTold);
    if (one === undefined) continue;
    held.push(one);
    // Whatever else matches comes behind it.
    if (one.isCertain && matching === "first") break;
  }
  return held.length === 0 ? undefined : { rules: held, onlyFirst: matching === "first" };
}

function holdRule(
  rule: HoldableRule,
  context: Context,
  isTold: (rule: CompiledRule) => boolean,
): HeldRule | undefined {
  const differs = context.differs & rule.seen;
  const views = differs === 0 ? [View.Kernel] : [View.Kernel, ...otherViews(differs)];
  const ways: { readonly way: Way; readonly taken: Taken | undefined }[] = [];
  let account: RuleAccount | undefined;
  for (const view of views) {
    const way = context.under(view, () => wayOf(rule, context));
    if (way === undefined) continue;
    if (ways.length === 0 && isTold(rule.compiled)) account = rule.account();
    const taken = account?.take(context, view);
    ways.push({ way, taken: views.length > 1 ? taken : taken && { ...taken, view: undefined } });
    if (way.isCertain) break;
  }
  if (ways.length === 0) return undefined;
  return {
    rule: rule.compiled,
    isCertain: ways.some(({ way }) => way.isCertain),
    asksRuntimes: ways.some(({ way }) => way.asksRuntimes),
    asksCluster: ways.some(({ way }) => way.asksCluster),
    settle(later): Settled | undefined {
      for (const { way, taken } of ways) {
        if (!way.holds(later)) continue;
        const output = way.render(later);
        if (account === undefined || taken === undefined) return output;
        return { ...output, told: { account, taken } };
      }
      return undefined;
    },
  };
}

/** One view of the event under which the rule matches, or may. */
interface Way {
  readonly isCertain: boolean;
  readonly asksRuntimes: boolean;
  readonly asksCluster: boolean;
  holds(later: Context): boolean;
  render(later: Context): RenderedOutput;
}

function wayOf(rule: HoldableRule, context: Context): Way | undefined {
  const decided = new Map<Node, boolean>();
  const known = new Map<Bound, Value>();
  const answer = decide(rule.checked.node, context, decided, known);
  if (answer === false) return undefined;
  const seen = new Map<Bound, Seen>();
  const formats = [rule.checked.format, ...rule.checked.extraFields.map(({ format }) => format)];
  asShown(context, () => {
    for (const bound of formats.flatMap(({ fields }) => fields)) {
      if (!isToldLater(bound) && !seen.has(bound)) seen.set(bound, seenOf(bound, context));
    }
  });
  const asks = (isTold: IsTold) =>
    (answer === undefined && conditionAsks(rule.checked.node, isTold)) ||
    outputAsks(rule.checked, isTold);
  // With the other view's paths, which are read now.
  const others = rule.render(seenRendering(seen, undefined), context).fields;
  return {
    isCertain: answer === true,
    asksRuntimes: asks(isToldByRuntimes),
    asksCluster: asks(isToldByCluster),
    holds: (later) => answer === true || holds(rule.checked.node, decided, known, later),
    render(later) {
      const output = rule.render(seenRendering(seen, later), later);
      return { ...output, fields: [...output.fields, ...others.slice(output.fields.length)] };
    },
  };
}

function seenOf(bound: Bound, context: Context): Seen {
  return {
    text: valueText(bound, shownValue(bound, context)),
    json: jsonOf(bound, context),
    value: bound.extract(context),
  };
}

/** Fields as they were when the event came; what runtimes tell as they tell it `later`. */
function seenRendering(seen: ReadonlyMap<Bound, Seen>, later: Context | undefined): Rendering {
  return {
    fieldText(bound) {
      const own = seen.get(bound);
      if (own !== undefined) return own.text;
      return later === undefined ? "" : valueText(bound, shownValue(bound, later));
    },
    fieldJson(bound) {
      const own = seen.get(bound);
      if (own !== undefined) return own.json;
      return later === undefined ? undefined : jsonOf(bound, later);
    },
    read(bound) {
      const own = seen.get(bound);
      return own === undefined ? later && bound.extract(later) : own.value;
    },
  };
}

type IsTold = (bound: Bound) => boolean;

/** What the event alone does not tell. */
export function isToldLater(bound: Bound): boolean {
  return isToldByRuntimes(bound) || isToldByCluster(bound);
}

/** Whether a runtime decides of the rule, or of what its alerts show. */
export function ruleAsksRuntimes(rule: CheckedRule): boolean {
  return outputAsks(rule, isToldByRuntimes) || conditionAsks(rule.node, isToldByRuntimes);
}

/** The same of the cluster. */
export function ruleAsksCluster(rule: CheckedRule): boolean {
  return outputAsks(rule, isToldByCluster) || conditionAsks(rule.node, isToldByCluster);
}

function outputAsks({ format, extraFields }: CheckedRule, isTold: IsTold): boolean {
  return [format, ...extraFields.map((extra) => extra.format)]
    .some(({ fields }) => fields.some(isTold));
}

function conditionAsks(node: Node, isTold: IsTold): boolean {
  const seen = new Set<Node>();
  const visit = (part: Node): boolean => {
    if (seen.has(part)) return false;
    seen.add(part);
    if (part.kind === "atom") return asks(part.atom, isTold);
    if (part.kind === "not") return visit(part.child);
    return (part.kind === "and" || part.kind === "or") && part.children.some(visit);
  };
  return visit(node);
}

function asks({ left, right }: Atom, isTold: IsTold): boolean {
  return left.fields.some(isTold) || (right?.fields.some(isTold) ?? false);
}

/** What the event alone says of the condition; undefined: a runtime decides. Parts that are decided
 * are noted, and the values that the others need besides the runtime's. */
function decide(
  node: Node,
  context: Context,
  decided: Map<Node, boolean>,
  known: Map<Bound, Value>,
): boolean | undefined {
  const ofAtom = (atom: Atom) => {
    if (!asks(atom, isToldLater)) return interpretAtom(atom, (bound) => bound.extract(context));
    for (const bound of [...atom.left.fields, ...atom.right?.fields ?? []]) {
      if (!isToldLater(bound)) known.set(bound, bound.extract(context));
    }
    return undefined;
  };
  const ofPart = (part: Node): boolean | undefined => {
    const answer = openAnswer(part, ofAtom, ofPart);
    if (answer !== undefined) decided.set(part, answer);
    return answer;
  };
  return ofPart(node);
}

/** The condition once the runtime has told. */
function holds(
  node: Node,
  decided: ReadonlyMap<Node, boolean>,
  known: ReadonlyMap<Bound, Value>,
  later: Context,
): boolean {
  const answer = decided.get(node);
  if (answer !== undefined) return answer;
  const on = (child: Node) => holds(child, decided, known, later);
  switch (node.kind) {
    case "true":
      return true;
    case "false":
      return false;
    case "atom":
      return interpretAtom(
        node.atom,
        (bound) => known.has(bound) ? known.get(bound) : bound.extract(later),
      );
    case "not":
      return !on(node.child);
    case "and":
      return node.children.every(on);
    case "or":
      return node.children.some(on);
  }
}
