// The filter of `saker record`: the text of a condition → a rule set of one rule.
import type { RuleSet } from "../rules/rule_set.ts";
import { loadWith } from "./compile_rules.ts";
import type { RulesStart } from "./messages.ts";

/** Throws an error of one line where the condition is not sound. */
export function compileFilter(condition: string): RuleSet {
  // JSON is YAML: whatever the condition holds, it stays one text.
  const rule = {
    rule: NAME,
    desc: NAME,
    condition,
    output: NAME,
    priority: "DEBUG",
    warn_evttypes: false,
  };
  const { ruleSet, results } = loadWith({
    ...NO_RULES,
    files: [{ name: NAME, text: JSON.stringify([rule]) }],
  });
  if (ruleSet !== undefined) return ruleSet;
  const problem = results.flatMap(({ errors }) => errors)[0];
  const reason = problem?.message.replace(/\s*[\r\n]+\s*/g, " ") ?? "it cannot be used";
  throw new Error(`Cannot use the filter "${condition}": ${reason}`);
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
