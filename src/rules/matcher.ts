// Which rules an event matches. What the rules say of the thread, and what they say of the
// descriptor's name, is known as two classes; together with the event's code they give a short
// list of the rules that can still match and what is left of their conditions. So the cost of an
// event hardly depends on the number of rules.
//
//   thread ──(version, lineage)──▶ thread class ─┐
//   name, kind ──────────────────▶ name class ───┼──▶ plan: rules, residual conditions
//   event code ──────────────────────────────────┘
import { EVENTS } from "../events/table.ts";
import type { Context } from "../state/context.ts";
import { ClassChain } from "./class_chain.ts";
import { CodeRules, type Entry } from "./code_rules.ts";
import { type Atom, type Node, NodeTable } from "./condition.ts";
import { knownOfCode } from "./event_code.ts";
import { Judges } from "./judges.ts";
import { NameClasses } from "./name_classes.ts";
import { PairTable } from "./pair_table.ts";
import { Adoption, Simplifier } from "./simplify.ts";

/** A rule to match: its condition and the event codes that it is tried on. */
export interface Matchable {
  readonly node: Node;
  readonly codes: readonly number[];
}

export interface MatcherStats {
  /** Times that the tables were full and began anew. */
  resets: number;
  threadClasses: number;
  nameClasses: number;
  plans: number;
  generated: number;
}

/** Classes and plans at the most, before all begin anew. */
const CLASSES_MAX = 1 << 19;
const PLANS_MAX = 1 << 18;
const NODES_MAX = 1 << 20;

type Plan = readonly Entry[];

const NO_ENTRIES: Plan = [];

export class Matcher {
  readonly #rules: readonly Matchable[];
  readonly #first: boolean;
  readonly #atoms: readonly Atom[];
  #resets = 0;
  /** The machine whose threads hold classes of this matcher. */
  #machine: object | undefined;
  /** Of the machine's strings. */
  #generation = 0;
  #tables: Tables;

  constructor(rules: readonly Matchable[], matching: "first" | "all") {
    this.#rules = rules;
    this.#first = matching === "first";
    this.#atoms = atomsOf(rules);
    this.#tables = new Tables(this.#rules, this.#atoms, this.#first);
  }

  /** Writes the indexes of the rules that match, rising, and returns how many there are. */
  match(context: Context, matched: Int32Array): number {
    const { machine } = context;
    if (this.#machine !== machine) this.#begin(context);
    if (this.#generation !== machine.strings.generation) {
      this.#generation = machine.strings.generation;
      this.#tables.forgetIds();
    }
    const plan = this.#tables.planOf(context);
    if (plan === NO_ENTRIES) return 0;
    const { judges } = this.#tables;
    let count = 0;
    for (let at = 0; at < plan.length; at++) {
      const { rule, node } = plan[at]!;
      if (node.kind !== "true" && !judges.holds(node, context)) continue;
      matched[count++] = rule;
      if (this.#first) break;
    }
    if (this.#tables.isFull()) this.#reset(context);
    return count;
  }

  stats(): MatcherStats {
    return { resets: this.#resets, ...this.#tables.stats() };
  }

  /** Threads may hold classes of the rules that were in force before. */
  #begin(context: Context): void {
    this.#machine = context.machine;
    this.#generation = context.machine.strings.generation;
    this.#tables.forgetIds();
    for (const thread of context.machine.threads.values()) thread.ruleClass = -1;
  }

  #reset(context: Context): void {
    this.#resets++;
    this.#tables = new Tables(this.#rules, this.#atoms, this.#first);
    this.#begin(context);
  }
}

function atomsOf(rules: readonly Matchable[]): Atom[] {
  const atoms = new Map<number, Atom>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "atom") atoms.set(node.atom.id, node.atom);
    else if (node.kind === "not") visit(node.child);
    else if (node.kind === "and" || node.kind === "or") node.children.forEach(visit);
  };
  for (const { node } of rules) visit(node);
  return [...atoms.values()];
}

/** All that is learnt of the events; thrown away as a whole when it is full. */
class Tables {
  readonly judges = new Judges();
  readonly #rules: readonly Matchable[];
  readonly #first: boolean;
  readonly #table = new NodeTable();
  readonly #adoption = new Adoption(this.#table);
  readonly #simplifier = new Simplifier(this.#table);
  readonly #threads: ClassChain;
  readonly #names: NameClasses;
  readonly #pairs = new PairTable();
  readonly #planNumbers = new PairTable();
  readonly #plans: (Plan | undefined)[] = [];
  readonly #codes: (CodeRules | undefined)[] = EVENTS.map(() => undefined);
  readonly #rulesOfCode: readonly number[][];
  /** By code and thread class: the rules that the thread leaves, and what it leaves of them. */
  readonly #threadNumbers = new PairTable();
  readonly #threadPlans: (Plan | undefined)[] = [];
  /** By atom id: the pass in which it holds. */
  readonly #holds: Int32Array;
  #pass = 0;

  constructor(rules: readonly Matchable[], atoms: readonly Atom[], first: boolean) {
    this.#rules = rules;
    this.#first = first;
    this.#threads = new ClassChain(atoms.filter(({ domain }) => domain === "thread"));
    this.#names = new NameClasses(atoms.filter(({ domain }) => domain === "name"));
    this.#holds = new Int32Array(1 + atoms.reduce((most, { id }) => Math.max(most, id), 0));
    const byCode: number[][] = EVENTS.map(() => []);
    for (const [index, { codes }] of rules.entries()) {
      for (const code of codes) byCode[code]!.push(index);
    }
    this.#rulesOfCode = byCode;
  }

  planOf(context: Context): Plan {
    const { code } = context.event;
    const thread = this.#threadClass(context);
    const name = this.#names.classOf(context);
    const number = this.#planNumbers.of(this.#pairs.of(thread, name), code);
    return this.#plans[number] ??= this.#plan(code, thread, name);
  }

  /** Ids may stand for other strings from now on; classes stay. */
  forgetIds(): void {
    this.#threads.forgetIds();
    this.#names.forgetIds();
    this.judges.forgetIds();
  }

  isFull(): boolean {
    return this.#planNumbers.size > PLANS_MAX || this.#threads.size > CLASSES_MAX ||
      this.#names.size > CLASSES_MAX || this.#table.nodes.length > NODES_MAX;
  }

  stats(): Omit<MatcherStats, "resets"> {
    return {
      threadClasses: this.#threads.size,
      nameClasses: this.#names.size,
      plans: this.#planNumbers.size,
      generated: this.judges.generated,
    };
  }

  #threadClass(context: Context): number {
    const { thread, machine } = context;
    if (thread === undefined) return this.#threads.classOf(context);
    if (
      thread.ruleClass >= 0 && thread.ruleClassVersion === thread.version &&
      thread.ruleClassLineage === machine.lineage
    ) {
      return thread.ruleClass;
    }
    thread.ruleClass = this.#threads.classOf(context);
    thread.ruleClassVersion = thread.version;
    thread.ruleClassLineage = machine.lineage;
    return thread.ruleClass;
  }

  #plan(code: number, thread: number, name: number): Plan {
    const rules = this.#codes[code] ??= this.#codeRules(code);
    const threadNumber = this.#threadNumbers.of(thread, code);
    const ofThread = this.#threadPlans[threadNumber] ??= this.#threadPlan(rules, thread);
    const pass = ++this.#pass;
    const nameAtoms = this.#names.holding(name);
    this.#mark(this.#threads.holding(thread), pass);
    this.#mark(nameAtoms, pass);
    const guarded = collect(rules.byName, nameAtoms);
    this.#simplifier.begin(({ id, domain }) =>
      domain === "event" ? undefined : this.#holds[id] === pass
    );
    return this.#left([...ofThread, ...guarded]);
  }

  #threadPlan(rules: CodeRules, thread: number): Plan {
    const pass = ++this.#pass;
    const atoms = this.#threads.holding(thread);
    this.#mark(atoms, pass);
    this.#simplifier.begin(({ id, domain }) =>
      domain === "thread" ? this.#holds[id] === pass : undefined
    );
    return this.#left([...rules.always, ...collect(rules.byThread, atoms)]);
  }

  /** What the simplifier's pass leaves of the entries, in the rules' order. */
  #left(entries: Entry[]): Plan {
    entries.sort((one, other) => one.rule - other.rule);
    const left: Entry[] = [];
    for (const { rule, node } of entries) {
      const residual = this.#simplifier.simplify(node);
      if (residual.kind === "false") continue;
      left.push({ rule, node: residual });
      // Under `first`, nothing behind a rule that matches for certain is ever asked.
      if (this.#first && residual.kind === "true") break;
    }
    return left.length === 0 ? NO_ENTRIES : left;
  }

  #codeRules(code: number): CodeRules {
    this.#simplifier.begin(knownOfCode(code));
    const entries: Entry[] = [];
    for (const rule of this.#rulesOfCode[code]!) {
      const node = this.#simplifier.simplify(this.#adoption.adopt(this.#rules[rule]!.node));
      if (node.kind !== "false") entries.push({ rule, node });
    }
    return new CodeRules(entries);
  }

  #mark(atoms: readonly number[], pass: number): void {
    for (const id of atoms) this.#holds[id] = pass;
  }
}

/** Entries that one of the atoms leads to, each once. */
function collect(map: ReadonlyMap<number, readonly Entry[]>, atoms: readonly number[]): Entry[] {
  if (map.size === 0) return [];
  const found = new Set<Entry>();
  for (const atom of atoms) for (const entry of map.get(atom) ?? []) found.add(entry);
  return [...found];
}
