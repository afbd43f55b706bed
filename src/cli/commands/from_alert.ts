// `saker rules test --from-alert FILE[#N]`: an alert as a case of a file of tests, which goes to
// standard output; what had to be assumed is told on standard error.
import type { LoadOptions, RulesText } from "../../rules/load.ts";
import { loadRules } from "../../rules/load.ts";
import { readScenarios } from "../../rules/tools/scenario.ts";
import { type Paths, runScenario } from "../../rules/tools/scenario_run.ts";
import { caseOfAlert } from "../../tune/test_case.ts";
import { nearest } from "../../words/nearest.ts";
import type { Terminal } from "../terminal.ts";
import { gather } from "./tune_alerts.ts";
import { alertsOfCapture } from "./tune_captures.ts";

export interface FromAlertOptions {
  /** A file of alerts or a capture, with or without `#` and which alert of it, from 1. */
  readonly alert: string;
  readonly load: LoadOptions;
  readonly paths: Paths;
}

/** Returns the exit code: 1 where the case does not fire as it stands. */
export function caseFromAlert(
  files: readonly RulesText[],
  { alert: wanted, load, paths }: FromAlertOptions,
  terminal: Terminal,
): number {
  const [, path = "", number = "1"] = /^(.*?)(?:#(\d+))?$/s.exec(wanted)!;
  const rules = { files, load };
  const { alerts } = gather([path], (capture) => alertsOfCapture(capture, rules, paths));
  const alert = alerts[Number(number) - 1];
  if (alert === undefined) {
    throw new Error(`${path} has ${alerts.length} alerts: there is no number ${number}`);
  }
  const loaded = loadRules(files, load);
  const rule = loaded.rules.find(({ name }) => name === alert.rule);
  if (rule === undefined) {
    const near = nearest(alert.rule, loaded.rules.map(({ name }) => name));
    const hint = near === undefined ? "" : `, did you mean "${near}"?`;
    throw new Error(`there is no rule "${alert.rule}" (-r names the rules of the alert)${hint}`);
  }
  const { fields, pluginFields = new Map(), asyncNames = new Set() } = load;
  const made = caseOfAlert(alert, rule, pluginFields.get(rule.source) ?? fields);
  terminal.out(made.yaml);
  const read = readScenarios("the case", made.yaml, fields, { fields: pluginFields, asyncNames });
  const wrong = read.errors[0] ?? runScenario(read.scenarios[0]!, loaded, undefined, paths)
    .failures[0];
  if (wrong !== undefined) {
    terminal.error(`The alert does not tell all that the condition asks for: ${wrong}\n`);
    return 1;
  }
  if (made.assumed.length > 0) {
    terminal.error(`The alert does not tell ${made.assumed.join(", ")}: assumed, look at them\n`);
  }
  return 0;
}
