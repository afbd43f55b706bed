// Proposals put to the test: their YAML is loaded behind the rules as a user would, and the
// conditions that come of it are asked. In: rules, texts of exceptions. Out: for each the condition
// under which it excuses, or what is wrong with it, and the rules with all of them.
import { Diagnostics } from "../rules/diagnostic.ts";
import { type Loaded, type LoadOptions, loadRules, type RulesText } from "../rules/load.ts";
import { addExceptions } from "../rules/merge/exceptions.ts";
import { read } from "../rules/read/read.ts";
import type { Node } from "../rules/check/condition.ts";
import { answer, type Facts, factsOf } from "./facts.ts";
import type { PrintedAlert } from "./alert.ts";

/** The rules that alerts are of, and how they are read. */
export interface RulesAtHand {
  readonly files: readonly RulesText[];
  readonly load: LoadOptions;
}

export interface Tried {
  readonly yaml: string;
  /** Holds where the exception excuses; undefined where the text does not load. */
  readonly excuses: Node | undefined;
  readonly error: string | undefined;
}

export const PROPOSED_FILE = "proposed.yaml";

/** Loads the rules as they are. */
export function loadAtHand({ files, load }: RulesAtHand, yaml?: string): Loaded {
  const added = yaml === undefined ? [] : [{ name: PROPOSED_FILE, text: yaml }];
  return loadRules([...files, ...added], load);
}

/** Tries each text behind the rules. Where one is wrong, halves are tried until it is alone. */
export function tryAll(rules: RulesAtHand, before: Loaded, yamls: readonly string[]): Tried[] {
  const tried = tryTogether(rules, before, yamls);
  if (tried.every(({ error }) => error === undefined) || yamls.length < 2) return tried;
  const half = yamls.length >> 1;
  return [
    ...tryAll(rules, before, yamls.slice(0, half)),
    ...tryAll(rules, before, yamls.slice(half)),
  ];
}

function tryTogether(rules: RulesAtHand, before: Loaded, yamls: readonly string[]): Tried[] {
  const sources = new Map(before.rules.map(({ name, source }) => [name, source]));
  const texts = yamls.map((yaml) => exceptionsIn(yaml));
  const probes = texts.map((found, at) =>
    found === undefined || !sources.has(found.rule)
      ? ""
      : `- rule: ${probeName(at)}\n  desc: d\n  output: o\n  priority: DEBUG\n  source: ${
        sources.get(found.rule)
      }\n  condition: ${escapedYaml(found.condition)}\n`
  );
  const loaded = loadAtHand(rules, `${yamls.join("\n")}\n${probes.join("\n")}`);
  const wrong = loaded.results.find(({ successful }) => !successful)?.errors[0];
  return yamls.map((yaml, at) => {
    const probe = loaded.rules.find(({ name }) => name === probeName(at));
    const error = wrong?.message ?? (probe === undefined ? "its rule is not there" : undefined);
    return { yaml, excuses: error === undefined ? probe!.node : undefined, error };
  });
}

function probeName(at: number): string {
  return `saker tune tries proposal ${at}`;
}

function escapedYaml(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The condition of an item's exceptions, as loading puts it together. */
function exceptionsIn(
  yaml: string,
): { readonly rule: string; readonly condition: string } | undefined {
  const { items } = read(PROPOSED_FILE, yaml, new Diagnostics());
  const item = items.find(({ kind }) => kind === "change");
  if (item?.kind !== "change" || item.parts.exceptions === undefined) return undefined;
  const base = "evt.num exists";
  const { condition, errors } = addExceptions(base, item.parts.exceptions);
  const prefix = `(${base}) and not `;
  if (errors.length > 0 || !condition.startsWith(prefix)) return undefined;
  return { rule: item.name, condition: condition.slice(prefix.length) };
}

/** Whether the exception excuses an alert: under every view that it tells of. */
export function excuses(node: Node, alert: PrintedAlert): boolean {
  return factsOf(alert).every((facts) => answer(node, facts) === true);
}

/** The same of what an alert would tell if it were another. */
export function excusesFacts(node: Node, facts: Facts): boolean | undefined {
  return answer(node, facts);
}

/** Whether the rules as they are would still tell of it, as far as its fields say. */
export function stillFires(node: Node, alert: PrintedAlert): boolean {
  return factsOf(alert).some((facts) => answer(node, facts) !== false);
}
