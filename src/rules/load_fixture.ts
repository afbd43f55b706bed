// Loads rules from texts as tests need it: what is wrong as `CODE message`, rules as text.
import { FieldSet } from "../fields/field_set.ts";
import { type Loaded, type LoadOptions, loadRules } from "./load.ts";
import { print } from "./parse/syntax.ts";

export const FIELDS = new FieldSet({ zone: "utc" });

export function loadTexts(texts: readonly string[], options: Partial<LoadOptions> = {}): Loaded {
  const files = texts.map((text, index) => ({ name: `f${index + 1}.yaml`, text }));
  return loadRules(files, { fields: FIELDS, ...options });
}

export function errorsOf(loaded: Loaded): string[] {
  return loaded.results.flatMap(({ errors }) =>
    errors.map(({ code, message }) => `${code} ${message}`)
  );
}

export function warningsOf(loaded: Loaded): string[] {
  return loaded.results.flatMap(({ warnings }) =>
    warnings.map(({ code, message }) => `${code} ${message}`)
  );
}

/** The conditions of the rules in order, in canonical form with everything in them. */
export function conditionsOf(loaded: Loaded): Record<string, string> {
  return Object.fromEntries(loaded.rules.map(({ name, tree }) => [name, print(tree)]));
}

/** The text of a rule's item. */
export function ruleText(
  name: string,
  condition: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const keys = { desc: "d", condition, output: "o", priority: "INFO", ...more };
  return `- rule: ${name}\n` +
    Object.entries(keys).map(([key, value]) => `  ${key}: ${value}\n`).join("");
}
