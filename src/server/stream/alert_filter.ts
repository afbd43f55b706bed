// Which alerts a client wants: the query of its request comes in, a filter goes out, or what is
// wrong with it. Every word that a query may hold is listed here; others are mistakes.
import type { Alert } from "../../engine/contract/alert.ts";
import { type Dossier, knownDossier, type Moment } from "../../engine/contract/dossier.ts";
import type { PlainValue } from "../../engine/contract/plain_value.ts";
import { nearest } from "../../words/nearest.ts";
import { PRIORITY_WORDS, priorityOf } from "../../words/priorities.ts";

export interface AlertFilter {
  /** `dossier`: where it is held apart from its alert. */
  takes(alert: Alert, dossier?: Dossier | "gone"): boolean;
  /** From where on; undefined: from now on. */
  readonly after: string | undefined;
  /** Whether alerts' texts are looked through, which takes its time. */
  readonly searches: boolean;
}

const PARAMETERS = ["priority", "rule", "source", "process", "container", "search", "after"];
/** Names that one query may hold. */
const NAMES_MAX = 256;
/** Characters that are searched for. */
const SEARCH_MAX = 256;

/** What `process` and `container` are compared with. */
const PROCESS = ["proc.name", "proc.exepath", "proc.exe", "proc.pid"];
const CONTAINER = [
  "container.id",
  "container.name",
  "container.image.repository",
  "container.image",
  "k8s.pod.name",
];

/**
 * `priority` takes that and all that is more severe; `rule`, `source`, `process` and `container`
 * may be there again; `search` takes alerts that have all of its words somewhere. `more`: names
 * of parameters that somebody else reads.
 */
export function alertFilter(
  query: URLSearchParams,
  more: readonly string[] = [],
): AlertFilter | { readonly error: string } {
  const parameters = [...PARAMETERS, ...more];
  for (const name of query.keys()) {
    if (parameters.includes(name)) continue;
    const hint = nearest(name, parameters);
    const meant = hint === undefined ? "" : `; did you mean ${hint}?`;
    return { error: `no parameter "${name}"${meant} There are ${parameters.join(", ")}` };
  }
  // A form sends what nobody filled in as well.
  const all = (name: string) => query.getAll(name).filter((value) => value !== "");
  const word = query.get("priority") || undefined;
  const priority = word === undefined ? undefined : priorityOf(word);
  if (word !== undefined && priority === undefined) {
    return { error: `priority "${word}": expected one of ${PRIORITY_WORDS.join(", ")}` };
  }
  const [rules, sources] = [all("rule"), all("source")];
  const [processes, containers] = [all("process"), all("container")];
  const search = all("search").join(" ");
  if (rules.length + sources.length + processes.length + containers.length > NAMES_MAX) {
    return { error: `at most ${NAMES_MAX} rules, sources, processes and containers can be named` };
  }
  if (search.length > SEARCH_MAX) {
    return { error: `search: ${search.length} characters, expected at most ${SEARCH_MAX}` };
  }
  const [ruleSet, sourceSet] = [new Set(rules), new Set(sources)];
  const hasProcess = oneOf(PROCESS, processes);
  const hasContainer = oneOf(CONTAINER, containers);
  const isFound = finder(search);
  return {
    takes: (alert, dossier = alert.dossier) =>
      (priority === undefined || alert.priority <= priority) &&
      (ruleSet.size === 0 || ruleSet.has(alert.rule)) &&
      (sourceSet.size === 0 || sourceSet.has(alert.source)) &&
      hasProcess(alert, dossier) && hasContainer(alert, dossier) && isFound(alert, dossier),
    after: query.get("after") ?? undefined,
    searches: processes.length + containers.length > 0 || search !== "",
  };
}

type Test = (alert: Alert, dossier: Dossier | "gone" | undefined) => boolean;

/** Whether one of the fields is one of the texts; where none is given, all are taken. */
function oneOf(names: readonly string[], wanted: readonly string[]): Test {
  if (wanted.length === 0) return () => true;
  const texts = new Set(wanted);
  const escaped = wanted.map(inJson);
  return ({ outputFields }, dossier) => {
    for (const [name, value] of outputFields) {
      if (names.includes(name) && texts.has(String(value))) return true;
    }
    const moment = knownDossier(dossier)?.moment;
    // Most are found not to hold it without being read.
    if (moment === undefined || !escaped.some((text) => moment.includes(text))) return false;
    const fields = dossierFields(dossier);
    return names.some((name) => texts.has(String(fields?.get(name))));
  };
}

function finder(search: string): Test {
  const words = search.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return () => true;
  const patterns = words.map((word) => ({
    plain: new RegExp(RegExp.escape(word), "i"),
    json: new RegExp(RegExp.escape(inJson(word)), "i"),
  }));
  return ({ rule, message, outputFields }, dossier) => {
    const moment = knownDossier(dossier)?.moment;
    return patterns.every(({ plain, json }) =>
      plain.test(rule) || plain.test(message) || (moment !== undefined && json.test(moment)) ||
      outputFields.some(([, value]) => value !== undefined && plain.test(String(value)))
    );
  };
}

/** As a text stands within JSON. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The fields that a dossier holds, by their names; undefined where there is none. */
function dossierFields(
  dossier: Dossier | "gone" | undefined,
): ReadonlyMap<string, PlainValue> | undefined {
  const known = knownDossier(dossier);
  if (known === undefined) return undefined;
  const { fields } = JSON.parse(known.moment) as Moment;
  return new Map(known.record.fieldNames.map((name, at) => [name, fields[at] ?? null]));
}
