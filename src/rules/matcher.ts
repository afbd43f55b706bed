// Which rules an event matches. Rules are kept by event code; each code's conditions are what is
// left of them once the event's type is known.
import { EVENTS } from "../events/table.ts";
import type { Context } from "../state/context.ts";
import { type AtomFunction, atomFunction } from "./atom_functions.ts";
import type { CompileOptions } from "./compile.ts";
import { wantedCodes } from "./compile.ts";
import { type Atom, NodeTable } from "./condition.ts";
import { knownOfCode } from "./event_code.ts";
import { generate, type Judge } from "./generate.ts";
import type { CheckedRule } from "./resolve.ts";
import { Adoption, Simplifier } from "./simplify.ts";

interface Entry {
  readonly index: number;
  readonly judge: Judge;
}

export class Matcher {
  readonly #rules: readonly CheckedRule[];
  readonly #first: boolean;
  readonly #codes: number[][];
  readonly #byCode: (readonly Entry[] | undefined)[] = EVENTS.map(() => undefined);
  readonly #table = new NodeTable();
  readonly #adoption = new Adoption(this.#table);
  readonly #simplifier = new Simplifier(this.#table);
  /** By atom id. */
  readonly #functions = new Map<number, AtomFunction>();
  readonly #judges: Judge[] = [];

  constructor(rules: readonly CheckedRule[], options: CompileOptions) {
    this.#rules = rules;
    this.#first = options.matching === "first";
    this.#codes = rules.map((rule) => wantedCodes(rule, options.source));
  }

  match(context: Context, matched: Int32Array): number {
    const code = context.event.code;
    const entries = this.#byCode[code] ??= this.#entriesOf(code);
    let count = 0;
    for (const { index, judge } of entries) {
      if (!judge(context)) continue;
      matched[count++] = index;
      if (this.#first) break;
    }
    return count;
  }

  readonly #functionOf = (atom: Atom): AtomFunction => {
    let known = this.#functions.get(atom.id);
    if (known === undefined) {
      known = atomFunction(atom);
      this.#functions.set(atom.id, known);
    }
    return known;
  };

  #entriesOf(code: number): Entry[] {
    this.#simplifier.begin(knownOfCode(code));
    const entries: Entry[] = [];
    for (const [index, rule] of this.#rules.entries()) {
      if (!this.#codes[index]!.includes(code)) continue;
      const node = this.#simplifier.simplify(this.#adoption.adopt(rule.node));
      if (node.kind === "false") continue;
      const judge = this.#judges[node.id] ??= generate(node, this.#functionOf);
      entries.push({ index, judge });
    }
    return entries;
  }
}
