// Which rules an event matches. The rules of the event's code are narrowed down by asking one
// operand after the other (decision.ts), of which the machine's threads and names are known
// already in most cases; what is left is asked of the event. So the cost of an event hardly
// depends on the number of rules.
import { EVENTS } from "../../events/table.ts";
import { seenBy } from "../../fields/rows/view_fields.ts";
import type { Context } from "../../state/contract/context.ts";
import { otherViews, View } from "../../state/contract/views.ts";
import { type Atom, type Node, NodeTable } from "../check/condition.ts";
import { Decision, type Entry, type State } from "./decision.ts";
import { knownOfCode } from "./event_code.ts";
import { Judges } from "./judges.ts";
import { OperandTable } from "./operand_table.ts";
import { RuleCosts } from "../rule_costs.ts";
import { Adoption, Simplifier } from "./simplify.ts";

/** A rule to match: its condition and the event codes that it is tried on. */
export interface Matchable {
  readonly node: Node;
  readonly codes: readonly number[];
}

export interface MatcherStats {
  /** Times that the tables were full and began anew. */
  resets: number;
  states: number;
  /** From state to state. */
  ways: number;
  /** Functions that were made for what is left of conditions. */
  generated: number;
}

/**
 * What the tables hold at the most, before all begin anew. A new class of an operand is a new way,
 * so that classes are bounded as well.
 */
export interface MatcherLimits {
  readonly ways: number;
  readonly states: number;
  /** Entries of all states together. */
  readonly entries: number;
  readonly nodes: number;
}

const LIMITS: MatcherLimits = {
  ways: 1 << 18,
  states: 1 << 16,
  entries: 1 << 22,
  nodes: 1 << 20,
};

export class Matcher {
  readonly #first: boolean;
  /** What of the views' differences the rules can see: bits of Differs. */
  readonly seen: number;
  readonly costs: RuleCosts;
  /** The same by event code. */
  readonly #seenOf: Uint8Array = new Uint8Array(EVENTS.length);
  /** By index of a rule: the view under which it matched last. */
  readonly #views: Uint8Array;
  /** Whether the last event was matched under one view alone. */
  #plain = true;
  /** What the other views of an event match; allocated with the first that has any. */
  #other: Int32Array | undefined;
  /** The machine whose threads have places in the tables. */
  #machine: object | undefined;
  /** Of the machine's strings. */
  #generation = 0;
  readonly #tables: Tables;

  constructor(
    rules: readonly Matchable[],
    matching: "first" | "all",
    limits: MatcherLimits = LIMITS,
  ) {
    this.#first = matching === "first";
    const atoms = atomsOf(rules);
    const known = new Map<Node, number>();
    for (const { node, codes } of rules) {
      const seen = seenIn(node, known);
      if (seen !== 0) { for (const code of codes) this.#seenOf[code]! |= seen; }
    }
    this.seen = this.#seenOf.reduce((bits, seen) => bits | seen, 0);
    this.#views = new Uint8Array(rules.length);
    this.costs = new RuleCosts(rules.length);
    this.#tables = new Tables(rules, atoms, this.#first, limits);
  }

  /** Writes the indexes of the rules that match under any view of the event, rising, each once,
   * and returns how many there are. */
  match(context: Context, matched: Int32Array): number {
    const count = this.#matchOne(context, matched);
    const differs = context.differs & this.#seenOf[context.event.code]!;
    this.#plain = differs === 0;
    return differs === 0 ? count : this.#matchOthers(context, differs, matched, count);
  }

  /** The same where there were several; undefined: but one. */
  shownView(rule: number): View | undefined {
    return this.#plain ? undefined : this.#views[rule]!;
  }

  /** The view under which a rule matched the last event. */
  viewOf(rule: number): View {
    return this.#plain ? View.Kernel : this.#views[rule]!;
  }

  /** A rule that matched under an earlier view counts once, as that view has it. */
  #matchOthers(context: Context, differs: number, matched: Int32Array, first: number): number {
    const other = this.#other ??= new Int32Array(Math.max(1, this.#views.length));
    let count = first;
    for (let at = 0; at < count; at++) this.#views[matched[at]!] = View.Kernel;
    for (const view of otherViews(differs)) {
      count = this.#add(context, view, other, matched, count);
    }
    context.look(View.Kernel);
    return count;
  }

  #add(
    context: Context,
    view: View,
    other: Int32Array,
    matched: Int32Array,
    count: number,
  ): number {
    context.look(view);
    const found = this.#matchOne(context, other);
    for (let at = 0; at < found; at++) {
      const rule = other[at]!;
      let place = count;
      while (place > 0 && matched[place - 1]! > rule) place--;
      if (place > 0 && matched[place - 1] === rule) continue;
      if (this.#first) {
        // The earlier of two that came first, each under its view.
        if (place > 0) continue;
        count = 0;
      }
      matched.copyWithin(place + 1, place, count);
      matched[place] = rule;
      this.#views[rule] = view;
      count++;
    }
    return count;
  }

  /** The same under the view that the context shows. */
  #matchOne(context: Context, matched: Int32Array): number {
    const { machine } = context;
    if (this.#machine !== machine) this.#begin(context);
    if (this.#generation !== machine.strings.generation) {
      this.#generation = machine.strings.generation;
      this.#tables.forgetIds();
    }
    const { clock } = this.costs;
    if (clock !== undefined && this.costs.due()) return this.#matchTimed(context, matched, clock);
    const { entries } = this.#tables.narrow(context);
    if (entries.length === 0) return 0;
    const { judges } = this.#tables;
    judges.begin();
    let count = 0;
    for (let at = 0; at < entries.length; at++) {
      const { rule, node } = entries[at]!;
      if (node.kind !== "true" && !judges.holds(node, context)) continue;
      matched[count++] = rule;
      if (this.#first) break;
    }
    return count;
  }

  /** As `#matchOne`, with the time taken of each part. */
  #matchTimed(context: Context, matched: Int32Array, clock: () => number): number {
    let before = clock();
    const { entries } = this.#tables.narrow(context);
    let now = clock();
    this.costs.addShared(now - before);
    const { judges } = this.#tables;
    judges.begin();
    let count = 0;
    for (const { rule, node } of entries) {
      before = now;
      const holds = node.kind === "true" || judges.holds(node, context);
      now = clock();
      this.costs.addOwn(rule, now - before);
      if (!holds) continue;
      matched[count++] = rule;
      if (this.#first) break;
    }
    return count;
  }

  stats(): MatcherStats {
    return this.#tables.stats();
  }

  /** Another machine, or the first: its threads may have places in other tables. */
  #begin(context: Context): void {
    this.#machine = context.machine;
    this.#generation = context.machine.strings.generation;
    this.#tables.begin(context);
  }
}

/** What of the views' differences a condition can see; `known` has it of the parts of others. */
function seenIn(node: Node, known: Map<Node, number>): number {
  const before = known.get(node);
  if (before !== undefined) return before;
  let seen = 0;
  if (node.kind === "not") seen = seenIn(node.child, known);
  else if (node.kind === "and" || node.kind === "or") {
    for (const child of node.children) seen |= seenIn(child, known);
  } else if (node.kind === "atom") {
    const { left, right } = node.atom;
    for (const bound of left.fields) seen |= seenBy(bound);
    for (const bound of right?.fields ?? []) seen |= seenBy(bound);
  }
  known.set(node, seen);
  return seen;
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

/** All that is learnt of the events. */
class Tables {
  judges = new Judges();
  readonly #rules: readonly Matchable[];
  readonly #first: boolean;
  readonly #limits: MatcherLimits;
  #resets = 0;
  readonly #atoms: readonly Atom[];
  #operands: OperandTable;
  readonly #rulesOfCode: readonly number[][];
  #table = new NodeTable();
  #adoption = new Adoption(this.#table);
  #simplifier = new Simplifier(this.#table);
  #decision: Decision;
  #roots: (State | undefined)[] = [];

  constructor(
    rules: readonly Matchable[],
    atoms: readonly Atom[],
    first: boolean,
    limits: MatcherLimits,
  ) {
    this.#rules = rules;
    this.#first = first;
    this.#limits = limits;
    this.#atoms = atoms;
    this.#operands = new OperandTable(atoms);
    this.#decision = new Decision(this.#operands, this.#simplifier, first);
    const byCode: number[][] = EVENTS.map(() => []);
    for (const [index, { codes }] of rules.entries()) {
      for (const code of codes) byCode[code]!.push(index);
    }
    this.#rulesOfCode = byCode;
  }

  /** The rules that the event can still match, and what is left of their conditions. */
  narrow(context: Context): State {
    // Not behind the walk: its last state is of the tables that it went through.
    if (this.#isFull()) this.#reset(context);
    const { code } = context.event;
    let state = this.#roots[code] ??= this.#root(code);
    if (state.operand < 0) return state;
    const place = this.#operands.threads.placeOf(context);
    do {
      const operandClass = this.#operands.classOf(state.operand, place, context);
      state = this.#decision.next(state, operandClass);
    } while (state.operand >= 0);
    return state;
  }

  begin({ machine }: Context): void {
    this.#operands.threads.begin(machine.threads.values());
    this.forgetIds();
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    this.#operands.forgetIds();
    this.judges.forgetIds();
  }

  stats(): MatcherStats {
    return {
      resets: this.#resets,
      states: this.#decision.states,
      ways: this.#decision.ways,
      generated: this.judges.generated,
    };
  }

  #isFull(): boolean {
    const { ways, states, entries, nodes } = this.#limits;
    return this.#decision.ways > ways || this.#decision.states > states ||
      this.#decision.held > entries || this.#table.nodes.length > nodes;
  }

  /** Forgets everything: what is in use is learnt again soon. */
  #reset(context: Context): void {
    this.#resets++;
    this.#operands = new OperandTable(this.#atoms);
    this.#operands.threads.begin(context.machine.threads.values());
    this.judges = new Judges();
    this.#table = new NodeTable();
    this.#adoption = new Adoption(this.#table);
    this.#simplifier = new Simplifier(this.#table);
    this.#decision = new Decision(this.#operands, this.#simplifier, this.#first);
    this.#roots = [];
  }

  #root(code: number): State {
    this.#simplifier.begin(knownOfCode(code));
    const entries: Entry[] = [];
    for (const rule of this.#rulesOfCode[code]!) {
      const node = this.#simplifier.simplify(this.#adoption.adopt(this.#rules[rule]!.node));
      if (node.kind !== "false") entries.push({ rule, node });
    }
    return this.#decision.state(entries);
  }
}
