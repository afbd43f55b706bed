// `saker rules filter [FILE…]`: what the sieve derives from the rules, in words.
import type { Loaded } from "../../rules/load.ts";
import { describeSieve } from "../../sieve/describe.ts";

/** Prints a line or more for each event; 1 where the rules cannot be used. */
export function filterRules(loaded: Loaded, write: (text: string) => void): number {
  if (loaded.ruleSet === undefined) {
    const error = loaded.results.flatMap(({ errors }) => errors)[0]?.message;
    throw new Error(error ?? loaded.pluginError ?? "the rules cannot be used");
  }
  const rules = loaded.enabled.filter(({ source }) => source === "syscall");
  for (const line of describeSieve(rules)) write(`${line}\n`);
  return 0;
}
