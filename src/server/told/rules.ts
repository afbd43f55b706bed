// The rules in force as JSON (GET /rules): what their texts say comes in, and the engine's numbers
// by rule; both go out together. A query picks some of them.
import type { Tallies } from "../../engine/contract/tallies.ts";
import type { DeadRule } from "../../engine/contract/messages.ts";
import type { ReloadFacts } from "../../metrics/facts.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { nearest } from "../../words/nearest.ts";
import type { RuleJson, RulesAnswer, RuleTextJson } from "./answers.ts";

/** What the texts of rules say, of all that were loaded. */
export interface ToldRules {
  readonly rules: readonly (RuleTextJson & Pick<RuleJson, "enabled" | "events">)[];
  readonly sieve: RulesAnswer["sieve"];
}

export interface RulesParts {
  /** Why there is none of it where there is not. */
  readonly told: ToldRules | { readonly error: string };
  readonly tallies: Tallies | undefined;
  readonly dead: readonly DeadRule[];
  readonly reload: ReloadFacts;
  /** Names of rules that are saker's own business. */
  readonly hidden: ReadonlySet<string>;
}

export function rulesAnswer({ told, tallies, dead, reload, hidden }: RulesParts): RulesAnswer {
  const places = new Map(tallies?.rules.map(({ name }, at) => [name, at]));
  const deadBy = Map.groupBy(dead, ({ rule }) => rule);
  const numbersOf = (name: string): Numbers => {
    const reasons = deadBy.get(name)?.map(({ reason }) => reason) ?? [];
    const at = places.get(name);
    if (tallies === undefined || at === undefined) return { ...NONE, dead: reasons };
    const lastMs = tallies.lastMs[at]!;
    return {
      matches: tallies.matches[at]!,
      condition_ms: ms(tallies.conditionNs[at]!),
      output_ms: ms(tallies.outputNs[at]!),
      last_fired: lastMs === 0 ? null : new Date(lastMs).toISOString(),
      dead: reasons,
    };
  };
  const texts = "error" in told ? untold(tallies) : told.rules;
  const rules = texts.filter(({ name }) => !hidden.has(name))
    .map((rule) => ({ ...rule, ...numbersOf(rule.name) }));
  return {
    generation: reload.generation,
    since: new Date(reload.atMs).toISOString(),
    ...("error" in told ? { error: told.error } : {}),
    rules,
    total: rules.length,
    sieve: "error" in told ? {} : told.sieve,
  };
}

type Numbers = Pick<RuleJson, "matches" | "condition_ms" | "output_ms" | "last_fired" | "dead">;

const NONE = { matches: 0, condition_ms: 0, output_ms: 0, last_fired: null };

/** Those that the engine has, by name alone. */
function untold(tallies: Tallies | undefined): ToldRules["rules"] {
  return (tallies?.rules ?? []).map(({ name, source, priority, tags }) => ({
    name,
    source,
    priority: PRIORITY_NAMES[priority]!,
    tags,
    ...{ description: "", file: "", line: 0, text: "", also_at: [], condition: "", output: "" },
    enabled: true,
    events: null,
  }));
}

export interface RulesQuery {
  readonly names: ReadonlySet<string>;
  readonly from: number;
  readonly limit: number;
}

const LIMIT = 500;
const LIMIT_MAX = 1_000;
const PARAMETERS = ["rule", "from", "limit"];

/** Reads a query of /rules. */
export function rulesQuery(query: URLSearchParams): RulesQuery | { readonly error: string } {
  for (const name of query.keys()) {
    if (PARAMETERS.includes(name)) continue;
    const hint = nearest(name, PARAMETERS);
    const meant = hint === undefined ? "" : `; did you mean ${hint}?`;
    return { error: `no parameter "${name}"${meant} There are ${PARAMETERS.join(", ")}` };
  }
  const numbers: number[] = [];
  for (const [name, usual, least] of [["from", 0, 0], ["limit", LIMIT, 1]] as const) {
    const given = query.get(name) || `${usual}`;
    const most = name === "limit" ? LIMIT_MAX : 1e9;
    const number = /^\d{1,9}$/.test(given) ? Number(given) : -1;
    if (number < least || number > most) {
      return { error: `${name} "${given}": expected a number from ${least} to ${most}` };
    }
    numbers.push(number);
  }
  const names = new Set(query.getAll("rule").filter((name) => name !== ""));
  return { names, from: numbers[0]!, limit: numbers[1]! };
}

/** Those that a query picks, with what the sieve does with their events. */
export function pickedRules(answer: RulesAnswer, { names, from, limit }: RulesQuery): RulesAnswer {
  const some = names.size === 0 ? answer.rules : answer.rules.filter(({ name }) => names.has(name));
  const rules = some.slice(from, from + limit);
  const asked = new Set(rules.flatMap(({ events }) => events ?? []));
  const isAll = names.size === 0 || rules.some(({ events }) => events === null);
  const sieve = isAll
    ? answer.sieve
    : Object.fromEntries(Object.entries(answer.sieve).filter(([event]) => asked.has(event)));
  return { ...answer, rules, total: some.length, sieve };
}

function ms(ns: number): number {
  return Math.round(ns / 1e4) / 100;
}
