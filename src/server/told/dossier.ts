// A dossier as JSON: what all alerts of the rule have in common and what belongs to the one are put
// together, when somebody asks.
import type { Alert } from "../../engine/contract/alert.ts";
import type { KnownDossier, Moment, ProcessTold } from "../../engine/contract/dossier.ts";
import { type PlainValue, plainValue } from "../../engine/contract/plain_value.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import type { RuleAbout, RuleRecord } from "../../rules/rule_account.ts";
import type { DossierJson, ProcessJson, RuleTextJson, WhyPartJson } from "./answers.ts";

/** What the alert's output shows, and what the dossier holds besides. */
export function fieldsJson(
  alert: Alert,
  { record, moment }: KnownDossier,
): Record<string, PlainValue> {
  return fieldsOf(alert, record, JSON.parse(moment) as Moment);
}

function fieldsOf(
  { outputFields }: Alert,
  { fieldNames }: RuleRecord,
  { fields }: Moment,
): Record<string, PlainValue> {
  return Object.fromEntries([
    ...outputFields.map(([name, value]): [string, PlainValue] => [name, plainValue(value)]),
    ...fieldNames.map((name, at): [string, PlainValue] => [name, fields[at] ?? null]),
  ]);
}

export function dossierJson(alert: Alert, { record, moment: text }: KnownDossier): DossierJson {
  const moment = JSON.parse(text) as Moment;
  const { processes, view, answers, values, capture } = moment;
  return {
    fields: fieldsOf(alert, record, moment),
    processes: processes?.map(processJson) ?? null,
    why: { view: view ?? null, tree: treeOf(record, answers, values), left_off: record.partsCut },
    rule: ruleTextJson(record),
    capture: capture ?? null,
  };
}

export function ruleTextJson(about: RuleAbout): RuleTextJson {
  const { name, source, tags, description, file, line, text, condition, output } = about;
  return {
    name,
    source,
    priority: PRIORITY_NAMES[about.priority]!,
    tags,
    description,
    file,
    line,
    text,
    also_at: about.alsoAt.map((place) => `${place.file}:${place.line}`),
    condition,
    output,
  };
}

function processJson(told: ProcessTold, level: number): ProcessJson {
  const { pid, name, exe, exepath, cmdline, startedMs, past, listed, between = 0 } = told;
  return {
    pid,
    name,
    exe,
    exepath,
    cmdline: cmdline ?? null,
    started: startedMs === undefined ? null : new Date(startedMs).toISOString(),
    past: past === true,
    known: level === 0 ? null : listed === true ? "listed" : "seen",
    unknown_between: between < 0 ? null : between,
  };
}

/** The flat list of parts as a tree. */
function treeOf(
  { parts, operands }: RuleRecord,
  answers: string,
  values: readonly string[],
): WhyPartJson | null {
  let next = 0;
  const build = (): WhyPartJson | undefined => {
    const at = next++;
    const part = parts[at];
    if (part === undefined) return undefined;
    const { kind, macro, text } = part;
    const answer = answers[at];
    const common = {
      kind,
      holds: answer === "1" ? true : answer === "0" ? false : null,
      ...(macro === undefined ? {} : { macro }),
    };
    if (kind === "check") {
      const seen = (part.operands ?? []).map((operand) => ({
        of: operands[operand] ?? "",
        is: values[operand] ?? "",
      }));
      return { ...common, text: text ?? "", values: seen };
    }
    const children: WhyPartJson[] = [];
    for (let child = 0; child < part.children; child++) {
      const one = build();
      if (one !== undefined) children.push(one);
    }
    return { ...common, children };
  };
  return build() ?? null;
}
