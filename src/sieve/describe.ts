// What the sieve keeps and drops in words, event by event: `saker rules filter`.
import { type EventInfo, EVENTS } from "../events/table.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import type { Clause, Fact, Group } from "./clauses.ts";
import { deriveGuards, opens } from "./derive.ts";
import { EndSets } from "./ends.ts";
import type { NumberTest, Pattern } from "./formula.ts";
import { protocolText } from "./protocols.ts";
import { Effect } from "./state_effects.ts";
import { type Guard, Verdict } from "./table.ts";

/** Patterns of a group that are shown. */
const PATTERNS_SHOWN = 8;
const RULES_SHOWN = 6;

/** Lines about every event that is recorded today, those that are decided by more than their kind
 * first, then those that pass, then a line of those that are dropped. */
export function describeSieve(rules: readonly CheckedRule[]): string[] {
  const guards = deriveGuards(rules);
  const captured = overCaptures(rules, guards);
  const ofVerdict = (verdict: Verdict) =>
    currentEvents().filter(({ code }) => guards[code]!.verdict === verdict);
  const lines: string[] = [];
  for (const event of ofVerdict(Verdict.Ask)) {
    lines.push(...asked(event, guards[event.code]!, rules), ...captured(event));
  }
  for (const event of ofVerdict(Verdict.Keep)) lines.push(kept(event, rules), ...captured(event));
  const dropped = ofVerdict(Verdict.Drop);
  const forTables = dropped.filter(({ code }) => guards[code]!.effect !== Effect.None);
  const list = (events: readonly EventInfo[]) =>
    [...new Set(events.map(({ name }) => name))].sort().join(", ");
  lines.push(`no rule can match, kept where the tables need it: ${list(forTables)}`);
  lines.push(
    `no rule can match, dropped: ${list(dropped.filter((event) => !forTables.includes(event)))}`,
  );
  return lines;
}

/** The same by the event's name, of those that a rule can match; some events share a name. */
export function sieveByEvent(rules: readonly CheckedRule[]): Map<string, string[]> {
  const guards = deriveGuards(rules);
  const captured = overCaptures(rules, guards);
  const told = new Map<string, string[]>();
  for (const event of currentEvents()) {
    const guard = guards[event.code]!;
    if (guard.verdict === Verdict.Drop) continue;
    const lines = guard.verdict === Verdict.Ask ? asked(event, guard, rules) : [kept(event, rules)];
    told.set(event.name, [...told.get(event.name) ?? [], ...lines, ...captured(event)]);
  }
  return told;
}

/** What is asked besides of an event over captures, where more is known of sockets. */
function overCaptures(
  rules: readonly CheckedRule[],
  guards: readonly Guard[],
): (event: EventInfo) => string[] {
  const ends = new EndSets();
  const captured = deriveGuards(rules, { captured: true, protocols: true, ends });
  return (event) => {
    const guard = captured[event.code]!;
    if (!asksOfSockets(guard) && guard.verdict === guards[event.code]!.verdict) return [];
    if (guard.verdict !== Verdict.Drop) return asked(event, guard, rules, ends);
    return [`${event.name}, over captures: no rule can match, kept where the tables need it`];
  };
}

function asksOfSockets({ clauses }: Guard): boolean {
  return clauses.some(({ facts }) =>
    [...facts.values()].some(({ tests }) =>
      tests.some(({ test }) => /^(protocol|address|port|socket)$/.test(test.form))
    )
  );
}

/** Those that are recorded today. */
function currentEvents(): EventInfo[] {
  return EVENTS.filter(({ flags, code, kind }) =>
    !flags.has("old_version") && !flags.has("unused") &&
    (code % 2 === 1 || !kind.includes("syscall"))
  );
}

function kept(event: EventInfo, rules: readonly CheckedRule[]): string {
  const rule = rules.find((rule) =>
    wantedCodes(rule, "syscall").includes(event.code) && opens(rule, event.code)
  );
  const why = rule === undefined ? "rules together ask nothing of it" : opening(event, rules);
  return `${event.name}: kept, ${why}`;
}

function opening({ code }: EventInfo, rules: readonly CheckedRule[]): string {
  const names = rules.filter((rule) =>
    wantedCodes(rule, "syscall").includes(code) && opens(rule, code)
  ).map(({ name }) => `"${name}"`);
  const more = names.length - RULES_SHOWN;
  return `nothing of its bytes is asked for by ${names.slice(0, RULES_SHOWN).join(", ")}` +
    (more > 0 ? ` and ${more} more` : "");
}

/** `ends`: over captures. */
function asked(
  event: EventInfo,
  guard: Guard,
  rules: readonly CheckedRule[],
  ends?: EndSets,
): string[] {
  const count = rules.filter((rule) => wantedCodes(rule, "syscall").includes(event.code)).length;
  return [
    `${event.name}${ends ? ", over captures" : ""}: dropped unless one of these holds ` +
    `(${count} rules):`,
    ...guard.clauses.map((clause) => `  - ${clauseText(event, clause, ends)}`),
  ];
}

function clauseText(event: EventInfo, { facts, groups, without }: Clause, ends?: EndSets): string {
  const parts = [...facts.values()].map((fact) => factText(event, fact, ends));
  if (groups.length > 0) parts.push(`a name ${groups.map(groupText).join(", and ")}`);
  if (without.size > 0) parts.push(`no name that ${groupText(without)}`);
  return parts.join("; ");
}

function factText(event: EventInfo, { tests }: Fact, ends?: EndSets): string {
  return tests.map(({ test, inverted }) =>
    ends?.describe(test, inverted) ?? protocolText(test) ?? testText(event, test, inverted)
  ).join(" or ");
}

function testText({ params }: EventInfo, test: NumberTest, inverted: boolean): string {
  const param = params[test.param]!;
  const not = inverted ? "not " : "";
  switch (test.kind) {
    case "among":
      return "an end that rules ask for";
    case "less":
      if (test.param === 0 && test.value === 0n) return inverted ? "it succeeded" : "it failed";
      return `${not}${param.name} < ${test.value}`;
    case "greater":
      return `${not}${param.name} > ${test.value}`;
    case "equal":
      return `${param.name} ${inverted ? "!=" : "="} ${test.value}`;
    case "present":
      return `${param.name} is ${inverted ? "missing" : "there"}`;
    case "any_bit": {
      const names = (param.flags ?? []).filter(({ value }) => (BigInt(value) & test.value) !== 0n);
      const bits = names.length === 0
        ? `bits 0x${test.value.toString(16)}`
        : names.map(({ name }) => name).join(" or ");
      return `${param.name} ${inverted ? "without" : "with"} ${bits}`;
    }
  }
}

const VERBS: Readonly<Record<Pattern["kind"], string>> = {
  exact: "is",
  prefix: "starts with",
  suffix: "ends with",
  contains: "contains",
};

function groupText(group: Group): string {
  const patterns = [...group.values()];
  const shown = patterns.slice(0, PATTERNS_SHOWN).map(({ kind, text, literal }) =>
    `${text === "raw" ? "as given " : ""}${VERBS[kind]} ${literal}`
  );
  const more = patterns.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` or one of ${more} more` : "");
}
