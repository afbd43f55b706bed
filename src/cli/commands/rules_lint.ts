// `saker rules lint`: what is odd about rules that load, one line each.
import { lint } from "../../rules/tools/lint.ts";
import type { Loaded } from "../../rules/load.ts";
import { sieveFindings } from "../../sieve/lint.ts";
import { contentsOf, verboseText } from "../../rules/report.ts";

/** Writes the findings and returns the exit code: 0 where there is none. */
export function lintRules(loaded: Loaded, write: (text: string) => void): number {
  const wrong = loaded.results.filter(({ successful }) => !successful);
  if (wrong.length > 0) {
    const contents = contentsOf(loaded.results);
    for (const result of wrong) write(`${verboseText(result, contents)}\n`);
    return 1;
  }
  const findings = lint(loaded);
  for (const { kind, rule, reason, place } of findings) {
    const { name, position } = place.locations.at(-1)!;
    const about = rule === undefined ? kind : `${kind}: "${rule}"`;
    write(`${name}:${position.line + 1}:${position.column + 1}: ${about}: ${reason}\n`);
  }
  const open = sieveFindings(loaded.enabled);
  for (const { rule, reason } of open) {
    const { name, position } = rule.info.place.locations.at(-1)!;
    const place = `${name}:${position.line + 1}:${position.column + 1}`;
    write(`${place}: opens-sieve: "${rule.name}": ${reason}\n`);
  }
  write(`${findings.length + open.length} findings in ${loaded.enabled.length} rules\n`);
  return findings.length + open.length === 0 ? 0 : 1;
}
