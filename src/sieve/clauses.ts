// Formulas made into a short list of clauses: tests that must all hold, and groups of patterns of
// each of which a name must match one. One clause must hold. What does not fit is loosened: fewer
// tests, wider groups.
import {
  type Formula,
  FormulaNumbers,
  type NumberTest,
  type Pattern,
  testText,
} from "./formula.ts";

/** Tests of which one holds. */
export interface Fact {
  readonly key: string;
  readonly tests: readonly { readonly test: NumberTest; readonly inverted: boolean }[];
}

/** Patterns of which one holds, by their keys. */
export type Group = ReadonlyMap<string, Pattern>;

export interface Clause {
  /** By their keys; all must hold. */
  readonly facts: ReadonlyMap<string, Fact>;
  /** All must match, one name: events of several names have one at the most. */
  readonly groups: readonly Group[];
  /** Patterns of which none may hold. */
  readonly without: Group;
  /** Parts of rules of which one must hold of the thread (thread_parts.ts), a bit for each. */
  readonly threads: bigint;
  /** The same of the thread's parent; both must hold. */
  readonly parents: bigint;
}

/** As in probe-rs/src/sieve/guard.rs. */
export const TESTS_MAX = 16;
export const CLAUSES_MAX = 16;
/** Clauses of one part of a formula; a longer list is left out of a conjunction. */
const PART_MAX = 12;

const NONE: ReadonlyMap<string, never> = new Map<string, never>();
/** Holds of every thread. */
export const EVERY_THREAD: bigint = 1n << 63n;
const EVERYBODY = { threads: EVERY_THREAD, parents: EVERY_THREAD };
const ALWAYS: Clause = { facts: NONE, groups: [], without: NONE, ...EVERYBODY };
/** Groups of a clause, where an event has one name. */
export const GROUPS_MAX = 2;

/** What must hold of an event's bytes, of its thread and of the parent of that. */
export interface Needed {
  readonly formula: Formula;
  readonly threads: bigint;
  readonly parents: bigint;
}

/** The clauses of which one holds wherever one of the formulas does; none: never. */
export function clausesOf(formulas: readonly Needed[], made: MadeClauses): Clause[] {
  const threadsOf = new Map<Formula, Map<bigint, bigint>>();
  for (const { formula, threads, parents } of formulas) {
    const byParents = threadsOf.get(formula) ?? new Map<bigint, bigint>();
    byParents.set(parents, (byParents.get(parents) ?? 0n) | threads);
    threadsOf.set(formula, byParents);
  }
  const all = [...threadsOf].flatMap(([formula, byParents]) => {
    const clauses = made.of(formula);
    return [...byParents].flatMap(([parents, threads]) =>
      clauses.map((clause) => ({ ...clause, threads, parents }))
    );
  });
  return fitted(reduced(all, CLAUSES_MAX));
}

/** Whether the clauses hold of every event. */
export function holdsAlways(clauses: readonly Clause[]): boolean {
  return clauses.some(isAlways);
}

function isAlways({ facts, groups, without, threads, parents }: Clause): boolean {
  return facts.size === 0 && groups.length === 0 && without.size === 0 &&
    (threads & parents & EVERY_THREAD) !== 0n;
}

/** The clauses of formulas, and of their parts: those of equal ones are made once, which stand in
 * many rules and for many event codes. */
export class MadeClauses {
  readonly #most: number;
  readonly #numbers = new FormulaNumbers();
  /** By the number of the formula. */
  readonly #made: (readonly Clause[] | undefined)[] = [];

  /** `most`: groups of a clause. */
  constructor(most: number) {
    this.#most = most;
  }

  of(formula: Formula): readonly Clause[] {
    return this.#made[this.#numbers.of(formula)] ??= this.#make(formula);
  }

  #make(formula: Formula): readonly Clause[] {
    switch (formula.kind) {
      case "true":
      case "thread":
        return [ALWAYS];
      case "false":
        return [];
      case "number":
        return [ofFact(factOf([formula]))];
      case "name":
        return [{ ...ALWAYS, groups: [groupOf(formula.patterns)] }];
      case "without":
        return [{ ...ALWAYS, without: groupOf(formula.patterns) }];
      case "or":
        return this.#disjunction(formula.parts);
      case "and":
        return this.#conjunction(formula.parts);
    }
  }

  #disjunction(parts: readonly Formula[]): readonly Clause[] {
    const numbers = parts.filter((part) => part.kind === "number");
    const rest = parts.filter((part) => part.kind !== "number").flatMap((part) => this.of(part));
    if (numbers.length > 0) rest.push(ofFact(factOf(numbers)));
    return reduced(rest, PART_MAX);
  }

  #conjunction(parts: readonly Formula[]): readonly Clause[] {
    const lists = parts.map((part) => this.of(part)).sort((one, other) =>
      one.length - other.length
    );
    let made: readonly Clause[] = [ALWAYS];
    for (const list of lists) {
      if (list.length === 0) return [];
      // Leaving a part out asks for less.
      if (made.length * list.length > PART_MAX * 2) continue;
      const products = made.flatMap((one) => list.map((other) => both(one, other, this.#most)));
      made = reduced(products.filter((clause) => !isContradiction(clause)), PART_MAX);
    }
    return made;
  }
}

function ofFact(fact: Fact): Clause {
  return isTautology(fact) ? ALWAYS : { ...ALWAYS, facts: new Map([[fact.key, fact]]) };
}

function isTautology({ tests }: Fact): boolean {
  if (tests.length < 2) return false;
  const texts = new Set(tests.map(({ test, inverted }) => testText(test, inverted)));
  return tests.some(({ test, inverted }) => !inverted && texts.has(testText(test, true)));
}

/** A test and its contrary are both asked for: the clause never holds. */
function isContradiction({ facts }: Clause): boolean {
  for (const key of facts.keys()) if (facts.has(`!${key}`)) return true;
  return false;
}

function both(one: Clause, other: Clause, most: number): Clause {
  if (one === ALWAYS) return other;
  return {
    facts: new Map([...one.facts, ...other.facts]),
    groups: heaviest(withoutTwins([...one.groups, ...other.groups]), most),
    without: new Map([...one.without, ...other.without]),
    threads: one.threads,
    parents: one.parents,
  };
}

function withoutTwins(groups: readonly Group[]): readonly Group[] {
  return groups.length < 2 ? groups : [
    ...new Map(groups.map((group) => [[...group.keys()].join("\n"), group])).values(),
  ];
}

/** Of groups that must all match, those that say most: one where it says enough, since clauses of
 * one are more easily made one. */
function heaviest(groups: readonly Group[], most: number): readonly Group[] {
  if (groups.length < 2) return groups;
  const sorted = groups.toSorted((one, other) => weightOf(other) - weightOf(one));
  return sorted.slice(0, weightOf(sorted[0]!) >= ENOUGH ? 1 : most);
}

/** The weight of what hardly any name has. */
const ENOUGH = 7;
const MORE: Readonly<Record<Pattern["kind"], number>> = {
  exact: 8,
  suffix: 4,
  contains: 3,
  prefix: 0,
};

/** How much the widest pattern of a group asks for. */
function weightOf(group: Group): number {
  let least = Infinity;
  for (const { kind, literal } of group.values()) {
    least = Math.min(least, literal.length + MORE[kind]);
  }
  return least;
}

function factOf(
  parts: readonly (Formula & { readonly kind: "number" })[],
): Fact {
  const tests = new Map<string, { test: NumberTest; inverted: boolean }>();
  for (const { test, inverted } of parts) {
    tests.set(testText(test, inverted), { test, inverted });
  }
  return { key: [...tests.keys()].sort().join("|"), tests: [...tests.values()] };
}

/** The groups of lists of patterns, which many event codes share. */
const groups = new WeakMap<readonly Pattern[], Group>();

function groupOf(patterns: readonly Pattern[]): Group {
  let group = groups.get(patterns);
  if (group === undefined) {
    group = new Map(patterns.map((pattern) => [keyOf(pattern), pattern]));
    groups.set(patterns, group);
  }
  return group;
}

export function keyOf({ kind, text, literal }: Pattern): string {
  return `${kind}.${text}.${literal}`;
}

/** The same with fewer clauses, or wider ones. */
function reduced(clauses: readonly Clause[], most: number): Clause[] {
  if (clauses.length < 2) return [...clauses];
  let kept = withoutCovered(joined(clauses));
  while (kept.length > most) kept = withoutCovered(joined(mergedOnce(kept)));
  return kept;
}

/** Clauses of the same facts, threads and parents, and without the same patterns, are one, of all
 * groups. */
function joined(clauses: readonly Clause[]): Clause[] {
  const alike = new Map<string, Clause[]>();
  for (const clause of clauses) {
    // What two groups ask for together, one of both would not.
    const apart = clause.groups.length > 1 ? alike.size : "";
    const key = [clause.facts, clause.without]
      .map((part) => [...part.keys()].sort().join("&")).join("\n") +
      `\n${clause.threads} ${clause.parents} ${apart}`;
    const same = alike.get(key);
    if (same === undefined) alike.set(key, [clause]);
    else same.push(clause);
  }
  return [...alike.values()].map((same) => same.length === 1 ? same[0]! : widest(same));
}

function widest(clauses: readonly Clause[]): Clause {
  const { facts, without } = clauses[0]!;
  const threads = clauses.reduce((bits, clause) => bits | clause.threads, 0n);
  const parents = clauses.reduce((bits, clause) => bits | clause.parents, 0n);
  if (clauses.some(({ groups }) => groups.length === 0)) {
    return { facts, groups: [], without, threads, parents };
  }
  const [first, ...others] = clauses;
  if (others.every(({ groups }) => isAmong(groups, first!.groups))) {
    return { ...first!, threads, parents };
  }
  const groups = new Set(clauses.map((clause) => heaviest(clause.groups, 1)[0]!));
  const group = new Map<string, Pattern>();
  for (const one of groups) for (const [key, pattern] of one) group.set(key, pattern);
  return { facts, groups: [group], without, threads, parents };
}

function withoutCovered(clauses: readonly Clause[]): Clause[] {
  if (clauses.length < 2) return [...clauses];
  return clauses.filter((clause, at) =>
    !clauses.some((other, otherAt) =>
      otherAt !== at && covers(other, clause) && (!covers(clause, other) || otherAt < at)
    )
  );
}

/** Whether one clause holds wherever the other does. */
function covers(one: Clause, other: Clause): boolean {
  if (!isAmong(other.groups, one.groups)) return false;
  if ((other.threads & ~one.threads | other.parents & ~one.parents) !== 0n) return false;
  return isPart(one.facts, other.facts) && isPart(one.without, other.without);
}

/** Whether all of the groups are among the others. */
function isAmong(others: readonly Group[], groups: readonly Group[]): boolean {
  return groups.every((group) => others.includes(group));
}

function isPart(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  for (const key of one.keys()) if (!other.has(key)) return false;
  return true;
}

/** The two clauses that have most in common become one that both imply. */
function mergedOnce(clauses: readonly Clause[]): Clause[] {
  let best: readonly [number, number] = [0, 1];
  let most = -Infinity;
  for (let one = 0; one < clauses.length; one++) {
    for (let other = one + 1; other < clauses.length; other++) {
      const worth = common(clauses[one]!, clauses[other]!);
      if (worth > most) [most, best] = [worth, [one, other]];
    }
  }
  const [one, other] = [clauses[best[0]]!, clauses[best[1]]!];
  const facts = shared(one.facts, other.facts);
  const without = shared(one.without, other.without);
  const rest = clauses.filter((clause) => clause !== one && clause !== other);
  return [
    ...rest,
    widest([
      { ...one, facts, without },
      { ...other, facts, without },
    ]),
  ];
}

function shared<T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...one].filter(([key]) => other.has(key)));
}

function countShared(
  one: ReadonlyMap<string, unknown>,
  other: ReadonlyMap<string, unknown>,
): number {
  let count = 0;
  for (const key of one.keys()) if (other.has(key)) count++;
  return count;
}

/** Facts that stay, less those that go; a group that goes costs most. */
function common(one: Clause, other: Clause): number {
  const stay = countShared(one.facts, other.facts);
  const go = one.facts.size + other.facts.size - 2 * stay;
  const groupGoes = (one.groups.length === 0) !== (other.groups.length === 0);
  const pairGoes = Math.max(one.groups.length, other.groups.length) > 1;
  const withoutGoes = one.without.size + other.without.size -
    2 * countShared(one.without, other.without);
  return stay - go - (groupGoes ? 100 : 0) - (pairGoes ? 30 : 0) - 10 * withoutGoes -
    threadsGo(one.threads, other.threads) - threadsGo(one.parents, other.parents);
}

/** What is lost where two clauses of other threads become one: most where the one that asks for
 * more is of all threads. */
function threadsGo(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return ((one ^ other) & EVERY_THREAD) === 0n ? 3 : 30;
}

/** With as many tests as a guard has room for: those that least need are left out. */
function fitted(clauses: readonly Clause[]): Clause[] {
  let kept = [...clauses];
  for (;;) {
    const uses = new Map<string, { fact: Fact; count: number }>();
    for (const { facts } of kept) {
      for (const [key, fact] of facts) {
        uses.set(key, { fact, count: (uses.get(key)?.count ?? 0) + 1 });
      }
    }
    const tests = [...uses.values()].reduce((sum, { fact }) => sum + fact.tests.length, 0);
    if (tests <= TESTS_MAX) return kept;
    const [out] = [...uses].sort(([, one], [, other]) =>
      one.count - other.count || other.fact.tests.length - one.fact.tests.length
    )[0]!;
    kept = reduced(
      kept.map((clause) => ({
        ...clause,
        facts: new Map([...clause.facts].filter(([key]) => key !== out)),
      })),
      CLAUSES_MAX,
    );
  }
}
