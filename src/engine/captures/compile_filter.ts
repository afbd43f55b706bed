// The filter of `saker record`: the text of a condition → a function of an event's context. It is
// judged apart from the rules, whose matcher keeps on each thread what it found out.
import { AtomFunctions } from "../../rules/match/atom_functions.ts";
import { generate } from "../../rules/match/generate.ts";
import type { Context } from "../../state/contract/context.ts";
import { otherViews } from "../../state/contract/views.ts";
import { SYSCALL_SOURCE } from "../../plugins/compatible.ts";
import type { Hands } from "../../plugins/field_sets.ts";
import { loadWith } from "../compile_rules.ts";
import type { RulesStart } from "../contract/messages.ts";

export interface Filter {
  /** By event code: 1 where the condition can hold. */
  readonly wanted: Uint8Array;
  readonly eventNames: ReadonlySet<string>;
  /** As of a RuleSet. */
  readonly seen: number;
  /** Whether it takes the event that was applied. */
  takes(context: Context): boolean;
}

/** What a filter is about. */
export interface FilterScope {
  readonly source: string;
  /** Plugins that are loaded, and those of them that run on this thread. */
  readonly plugins: RulesStart["plugins"];
  readonly hands: Hands | undefined;
}

/** Throws an error of one line where the condition is not sound. */
export function compileFilter(
  condition: string,
  { source, plugins = [], hands }: Partial<FilterScope> = {},
): Filter {
  // JSON is YAML: whatever the condition holds, it stays one text.
  const rule = {
    rule: NAME,
    desc: NAME,
    condition,
    output: NAME,
    priority: "DEBUG",
    source: source ?? SYSCALL_SOURCE,
    warn_evttypes: false,
  };
  const { ruleSetOf, enabled, results } = loadWith(
    { ...NO_RULES, plugins, files: [{ name: NAME, text: JSON.stringify([rule]) }] },
    hands,
  );
  const ruleSet = ruleSetOf(rule.source);
  const checked = enabled[0];
  if (ruleSet === undefined || checked === undefined) {
    const problem = results.flatMap(({ errors }) => errors)[0];
    const reason = problem?.message.split(/[\r\n]+/).map((line) => line.trim()).join(" ") ??
      "it cannot be used";
    throw new Error(`Cannot use the filter "${condition}": ${reason}`);
  }
  const functions = new AtomFunctions();
  const seen = ruleSet.seen;
  const judge = generate(checked.node, (atom) => functions.of(atom));
  let generation = 0;
  return {
    wanted: ruleSet.wanted,
    eventNames: ruleSet.eventNames,
    seen,
    takes(context: Context): boolean {
      const { strings } = context.machine;
      if (strings.generation !== generation) {
        generation = strings.generation;
        functions.forgetIds();
      }
      functions.begin();
      if (judge(context)) return true;
      for (const view of otherViews(context.differs & seen)) {
        functions.begin();
        if (context.under(view, () => judge(context))) return true;
      }
      return false;
    },
  };
}

/** Rules that match nothing, with nothing added to them. */
export const NO_RULES: RulesStart = {
  files: [],
  priority: 7,
  matching: "first",
  selections: [],
  appendOutput: [],
  staticFields: {},
  base64: false,
};

const NAME = "filter";
