// Which alerts a client wants: the query of its request comes in, a filter goes out, or what is
// wrong with it. Every word that a query may hold is listed here; others are mistakes.
import type { Alert } from "../../engine/contract/alert.ts";
import { nearest } from "../../words/nearest.ts";
import { PRIORITY_WORDS, priorityOf } from "../../words/priorities.ts";

export interface AlertFilter {
  takes(alert: Alert): boolean;
  /** From where on; undefined: from now on. */
  readonly after: string | undefined;
}

const PARAMETERS = ["priority", "rule", "source", "after"];
/** Rules and sources that one query may name. */
const NAMES_MAX = 256;

/** `priority` takes that and all that is more severe; `rule` and `source` may be there again. */
export function alertFilter(query: URLSearchParams): AlertFilter | { readonly error: string } {
  for (const name of query.keys()) {
    if (PARAMETERS.includes(name)) continue;
    const hint = nearest(name, PARAMETERS);
    const meant = hint === undefined ? "" : `; did you mean ${hint}?`;
    return { error: `no parameter "${name}"${meant} There are ${PARAMETERS.join(", ")}` };
  }
  const word = query.get("priority");
  const priority = word === null ? undefined : priorityOf(word);
  if (word !== null && priority === undefined) {
    return { error: `priority "${word}": expected one of ${PRIORITY_WORDS.join(", ")}` };
  }
  const [rules, sources] = [query.getAll("rule"), query.getAll("source")];
  if (rules.length + sources.length > NAMES_MAX) {
    return { error: `at most ${NAMES_MAX} rules and sources can be named` };
  }
  const [ruleSet, sourceSet] = [new Set(rules), new Set(sources)];
  return {
    takes: (alert) =>
      (priority === undefined || alert.priority <= priority) &&
      (ruleSet.size === 0 || ruleSet.has(alert.rule)) &&
      (sourceSet.size === 0 || sourceSet.has(alert.source)),
    after: query.get("after") ?? undefined,
  };
}
