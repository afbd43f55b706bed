// Captures for `saker tune`: what the rules tell of their events, as alerts with all fields that an
// exception may need; and the proof, the same events under the rules with the proposals.
import type { Value } from "../../fields/row/field.ts";
import { reasonOf } from "../../files/reason.ts";
import { type Loaded, loadRules } from "../../rules/load.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { openSource, type Paths, walkSource } from "../../rules/tools/scenario_run.ts";
import type { AlertValue, PrintedAlert } from "../../tune/alert.ts";
import { STANDARD_FIELDS } from "../../tune/standard_fields.ts";
import { loadAtHand, type RulesAtHand } from "../../tune/trial.ts";

/** Alerts that are made of one capture; the rest of it is no noise but a flood. */
const ALERTS_MAX = 100_000;

/** All rules that match tell, not only the first: what is silenced must not hide another. */
export function alertsOfCapture(path: string, { files, load }: RulesAtHand, paths: Paths) {
  const addition = {
    match: { source: "syscall", tags: [], rule: "" },
    extraOutput: "",
    extraFields: STANDARD_FIELDS,
    suggestedOutput: false,
  };
  const loaded = loadRules(files, {
    ...load,
    matching: "all",
    appendOutput: [...load.appendOutput ?? [], addition],
  });
  const set = loaded.ruleSetOf("syscall");
  const alerts: PrintedAlert[] = [];
  if (set === undefined) return alerts;
  const matched = new Int32Array(Math.max(1, set.rules.length));
  walk(path, paths, (context) => {
    const count = set.match(context, matched);
    for (let at = 0; at < count; at++) {
      const rule = set.rules[matched[at]!]!;
      const { message, fields } = rule.render(context);
      const { num } = context.event;
      alerts.push({
        rule: rule.name,
        source: rule.source,
        priority: PRIORITY_NAMES[rule.priority]!,
        hostname: "",
        time: context.event.time(),
        output: message,
        fields: new Map(fields.map(([name, value]) => [name, alertValue(value)])),
        count: 1,
        origin: `${path}#${num}`,
      });
    }
    return alerts.length < ALERTS_MAX;
  });
  return alerts;
}

function alertValue(value: Value): AlertValue {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return Array.isArray(value) ? value.map(alertValue) : value as AlertValue;
}

export interface CaptureProof {
  readonly before: number;
  readonly after: number;
  /** Alerts that come no more, by rule. */
  readonly lost: ReadonlyMap<string, number>;
  /** Alerts that only come now: of rules that came later at the same event. */
  readonly gained: ReadonlyMap<string, number>;
}

/** Runs the capture through both sets of compiled rules. */
export function proveOnCapture(
  path: string,
  rules: RulesAtHand,
  yaml: string,
  paths: Paths,
): CaptureProof {
  const before = firings(path, loadAtHand(rules), paths);
  const after = firings(path, loadAtHand(rules, yaml), paths);
  return {
    before: before.size,
    after: after.size,
    lost: byRule([...before].filter((one) => !after.has(one))),
    gained: byRule([...after].filter((one) => !before.has(one))),
  };
}

function byRule(firings: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of firings) {
    const rule = one.slice(one.indexOf(" ") + 1);
    counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return counts;
}

/** `number of the event, rule` of all that fires, up to the bound. */
function firings(path: string, loaded: Loaded, paths: Paths): Set<string> {
  const set = loaded.ruleSetOf("syscall");
  const found = new Set<string>();
  if (set === undefined) return found;
  const matched = new Int32Array(Math.max(1, set.rules.length));
  walk(path, paths, (context) => {
    const count = set.match(context, matched);
    for (let at = 0; at < count; at++) {
      found.add(`${context.event.num} ${set.rules[matched[at]!]!.name}`);
    }
    return found.size < ALERTS_MAX;
  });
  return found;
}

function walk(path: string, paths: Paths, visit: Parameters<typeof walkSource>[2]): void {
  try {
    walkSource(openSource(path), paths, visit);
  } catch (error) {
    throw new Error(`Cannot read the capture ${path}: ${reasonOf(error)}`);
  }
}
