// What to do about noise that is no matter of exceptions: many different programs, users and places
// do what a rule tells of. Words only; each names the key or the item that does it.
import type { CheckedRule } from "../rules/check/resolve.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import type { PrintedAlert } from "./alert.ts";
import { countOf } from "./evidence.ts";

/** Fewer alerts of a rule are no noise that needs advice. */
const ALERTS_MIN = 10;
/** So many different actors say that it is ordinary here. */
const ACTORS_MANY = 8;
const NOTICE = 5;

/** `left`: alerts that the safe proposals do not silence. */
export function adviceFor(
  left: readonly PrintedAlert[],
  rules: ReadonlyMap<string, CheckedRule>,
): string[] {
  const byRule = Map.groupBy(left, ({ rule }) => rule);
  const told = [...byRule].filter(([name, alerts]) =>
    rules.has(name) && countOf(alerts) >= ALERTS_MIN
  ).sort(([, one], [, two]) => countOf(two) - countOf(one));
  return told.flatMap(([name, alerts]) => wordsFor(rules.get(name)!, alerts));
}

function wordsFor(rule: CheckedRule, alerts: readonly PrintedAlert[]): string[] {
  const { name, priority } = rule;
  const count = countOf(alerts);
  const actors = new Set(
    alerts.map(({ fields }) =>
      String(fields.get("proc.exepath") ?? fields.get("proc.name") ?? fields.get("ka.user.name"))
    ),
  ).size;
  const words: string[] = [];
  if (priority >= NOTICE) {
    words.push(
      `"${name}" (${count} alerts left) has the priority ${PRIORITY_NAMES[priority]}: it tells ` +
        "what somebody may want to look up, not what somebody must be woken for. priority: " +
        "warning in the configuration leaves it out; where it is to be kept, have what reads the " +
        "alerts wake nobody below that",
    );
  } else if (actors >= ACTORS_MANY) {
    words.push(
      `"${name}" (${count} alerts left) comes from ${actors} different programs: what it tells ` +
        "of is ordinary here, and no list of exceptions will end. Where that is meant to be so, " +
        "give it another priority (- rule: …, priority: NOTICE, override: {priority: replace}); " +
        "enabled: false with override: {enabled: replace} switches it off, and then nobody is " +
        "told of an intruder who does it either",
    );
  }
  if (alerts.length > 1 && count / Math.max(1, signatures(alerts)) >= REPEATS_MANY) {
    words.push(
      `"${name}" repeats itself (${count} alerts, ${signatures(alerts)} of them different): ` +
        "grouping.enabled: true makes one alert a minute of those that are equal, and silences " +
        "none of them",
    );
  }
  return words;
}

const REPEATS_MANY = 5;

/** Alerts that differ in more than time and numbers of processes. */
function signatures(alerts: readonly PrintedAlert[]): number {
  return new Set(alerts.map(({ fields }) =>
    JSON.stringify(
      [...fields].filter(([field]) => !/^evt\.(time|num|rawtime)|pid$|\.ts$/.test(field))
        .map(([field, value]) => [field, String(value)]),
    )
  )).size;
}
