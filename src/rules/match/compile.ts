// Checked rules in, a rule set out: what the engine asks for each event.
import { EVENTS } from "../../events/table.ts";
import { asShown, jsonOf, shownValue, valueText } from "../../fields/render.ts";
import type { Context } from "../../state/contract/context.ts";
import { ASYNC_EVENT, codesOf, namesOf, PLUGIN_EVENT } from "../check/event_types.ts";
import { renderFields, type Rendering, renderText } from "../check/output.ts";
import type { CheckedRule } from "../check/resolve.ts";
import type { RuleAccount } from "../rule_account.ts";
import type { CompiledRule, RenderedOutput, RuleSet } from "../rule_set.ts";
import { accountOf, type AccountParts } from "./account.ts";
import { type HoldableRule, holdEvent, ruleAsksCluster, ruleAsksRuntimes } from "./held.ts";
import { Matcher } from "./matcher.ts";
import { OtherFields, withOthers } from "./other_fields.ts";

export interface CompileOptions {
  readonly matching: "first" | "all";
  readonly source: string;
  /** What rules are told of with; absent: nothing is told of them. */
  readonly told?: AccountParts;
}

/** Compiles the rules of one source, in the order in which they are tried. */
export function compileRules(rules: readonly CheckedRule[], options: CompileOptions): RuleSet {
  const wanted = new Uint8Array(EVENTS.length);
  const codes = codeLists(rules, options.source);
  for (const list of new Set(codes)) for (const code of list) wanted[code] = 1;
  const others = new OtherFields();
  const union = (some: readonly CheckedRule[]) =>
    new Set(namesOf(some.reduce((events, rule) => events | rule.events, 0n)));
  const matcher = new Matcher(
    rules.map((rule, index) => ({ node: rule.node, codes: codes[index]! })),
    options.matching,
  );
  const compiled = rules.map((rule, index) => compiledRule(rule, index, matcher, others));
  const account = accounts(rules, matcher, options.told);
  const holdable = holdableByCode(rules, { compiled, codes, matcher, others, account });
  return {
    rules: compiled,
    hold: (context, isTold) =>
      holdEvent(holdable()[context.event.code]!, options.matching, context, isTold),
    account,
    wanted,
    seen: matcher.seen,
    costs: matcher.costs,
    eventNames: union(rules),
    // The lists of codes are shared, so that this counts each once.
    namedEvents: union(rules.filter((_, index) => codes[index]!.length <= NAMED_MAX + 1)),
    match: (context, matched) =>
      wanted[context.event.code] === 1 ? matcher.match(context, matched) : 0,
  };
}

/** A rule of more events than this names none of them. */
export const NAMED_MAX = 100;

/** Asynchronous events go to every rule, events of plugins to all rules of their source and to none
 * of system calls, whose captures may hold them. */
export function wantedCodes(rule: CheckedRule, source: string): number[] {
  if (source !== "syscall") return [PLUGIN_EVENT, ASYNC_EVENT];
  const codes = codesOf(rule.events).filter((code) => code !== PLUGIN_EVENT);
  return codes.includes(ASYNC_EVENT) ? codes : [...codes, ASYNC_EVENT];
}

/** The codes of each rule; rules of the same events share a list. */
function codeLists(rules: readonly CheckedRule[], source: string): (readonly number[])[] {
  const lists = new Map<bigint, readonly number[]>();
  return rules.map((rule) => {
    let list = lists.get(rule.events);
    if (list === undefined) lists.set(rule.events, list = wantedCodes(rule, source));
    return list;
  });
}

/** What is told of rules, each made when it is first asked for. */
function accounts(
  rules: readonly CheckedRule[],
  matcher: Matcher,
  told: AccountParts | undefined,
): (index: number) => RuleAccount | undefined {
  const made: (RuleAccount | undefined)[] = [];
  return (index) => {
    const rule = rules[index];
    if (told === undefined || rule === undefined) return undefined;
    return made[index] ??= accountOf(rule, told, () => matcher.shownView(index));
  };
}

interface Holding {
  readonly compiled: readonly CompiledRule[];
  readonly codes: readonly (readonly number[])[];
  readonly matcher: Matcher;
  readonly others: OtherFields;
  readonly account: (index: number) => RuleAccount | undefined;
}

/** By event code the rules that may match it; made when a container is first awaited. */
function holdableByCode(
  rules: readonly CheckedRule[],
  { compiled, codes, matcher: { seen }, others, account }: Holding,
): () => readonly (readonly HoldableRule[])[] {
  let made: HoldableRule[][] | undefined;
  return () => {
    if (made !== undefined) return made;
    made = EVENTS.map(() => []);
    for (const [index, checked] of rules.entries()) {
      const told = others.of(checked);
      const rule: HoldableRule = {
        checked,
        compiled: compiled[index]!,
        seen,
        render: (rendering, context) => withOthers(renderWith(checked, rendering), told, context),
        account: () => account(index),
      };
      for (const code of codes[index]!) made[code]!.push(rule);
    }
    return made;
  };
}

function compiledRule(
  rule: CheckedRule,
  index: number,
  matcher: Matcher,
  others: OtherFields,
): CompiledRule {
  const told = others.of(rule);
  const rendered = (context: Context) =>
    asShown(context, () => withOthers(render(rule, context), told, context));
  return {
    index,
    name: rule.name,
    priority: rule.priority,
    tags: rule.tags,
    source: rule.source,
    capture: rule.capture,
    captureDurationMs: rule.captureDuration,
    asksRuntimes: ruleAsksRuntimes(rule),
    asksCluster: ruleAsksCluster(rule),
    render: (context) => context.under(matcher.viewOf(index), () => rendered(context)),
  };
}

function render(rule: CheckedRule, context: Context): RenderedOutput {
  const rendering: Rendering = {
    fieldText: (bound) => valueText(bound, shownValue(bound, context)),
    fieldJson: (bound) => jsonOf(bound, context),
    read: (bound) => bound.extract(context),
  };
  return renderWith(rule, rendering);
}

function renderWith(rule: CheckedRule, rendering: Rendering): RenderedOutput {
  const fields = renderFields(rule.format, rendering);
  for (const extra of rule.extraFields) {
    fields.push([
      extra.name,
      extra.raw
        ? renderFields(extra.format, rendering)[0]?.[1]
        : renderText(extra.format, rendering),
    ]);
  }
  return { message: renderText(rule.format, rendering), fields };
}
