// Rules switched on and off by name, by pattern, by tag.
import { deepStrictEqual } from "node:assert";
import type { CheckedRule } from "./resolve.ts";
import { applySelections, type RuleSelection } from "./selection.ts";

const RULES = [
  { name: "one", tags: ["x"], enabled: true },
  { name: "two", tags: ["x", "y"], enabled: false },
  { name: "other", tags: [], enabled: true },
] as unknown as readonly CheckedRule[];

function after(...selections: RuleSelection[]): string[] {
  return applySelections(RULES, selections).filter(({ enabled }) => enabled)
    .map(({ name }) => name);
}

Deno.test("a selection means the rules of its pattern and those of its tag, no others", () => {
  const of = (action: "enable" | "disable", rule: string, tag: string) => ({ action, rule, tag });
  deepStrictEqual(after(), ["one", "other"]);
  deepStrictEqual(after(of("disable", "", "x")), ["other"]);
  deepStrictEqual(after(of("disable", "", "y")), ["one", "other"]);
  deepStrictEqual(after(of("disable", "", "nosuch")), ["one", "other"]);
  deepStrictEqual(after(of("disable", "o*", "")), []);
  deepStrictEqual(after(of("disable", "", "")), ["one", "other"]);
  deepStrictEqual(after(of("disable", "one", "nosuch")), ["other"]);
  deepStrictEqual(after(of("enable", "", "y")), ["one", "other", "two"]);
  deepStrictEqual(after(of("enable", "t*", "")), ["one", "other", "two"]);
});
