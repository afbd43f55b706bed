// The setting `rules`: what is switched on and off after all files are loaded.
import type { CheckedRule } from "./resolve.ts";

export interface RuleSelection {
  readonly action: "enable" | "disable";
  /** A name in which `*` stands for anything; "" where none was given. */
  readonly rule: string;
  /** "" where none was given. */
  readonly tag: string;
}

/**
 * Applies the selections in order. A rule that one of them switches on goes behind all others,
 * as in Falco, where it is put into the index anew.
 */
export function applySelections(
  rules: readonly CheckedRule[],
  selections: readonly RuleSelection[],
): CheckedRule[] {
  const ordered = new Map(rules.map((rule) => [rule.name, rule]));
  for (const { action, rule: pattern, tag } of selections) {
    const matches = wildcard(pattern);
    for (const rule of [...ordered.values()]) {
      const meant = (pattern !== "" && matches(rule.name)) ||
        (tag !== "" && rule.tags.includes(tag));
      if (!meant || rule.enabled === (action === "enable")) continue;
      if (action === "enable") ordered.delete(rule.name);
      ordered.set(rule.name, { ...rule, enabled: action === "enable" });
    }
  }
  return [...ordered.values()];
}

/** `*` is anything; all else stands for itself. Linear: each part is looked for once. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first, ...rest] = pattern.split("*");
  const last = rest.pop();
  return (text) => {
    if (last === undefined) return text === first;
    if (!text.startsWith(first!)) return false;
    let at = first!.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
