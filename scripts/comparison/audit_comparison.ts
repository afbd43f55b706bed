// Audit logs held against Falco's alerts on them: every alert is equal, but for the differences
// that have a name (audit_exceptions.ts).
import { loadSound } from "../../src/engine/compile_rules.ts";
import { print } from "../../src/rules/parse/syntax.ts";
import { type ComparedAlert, readAlerts } from "./alert_stream.ts";
import {
  AUDIT_WAYS,
  auditAlertsInProcess,
  auditAlertsOfBinary,
  type AuditPlace,
  auditRulesOf,
  type AuditWay,
} from "./audit_alerts.ts";
import { excepted } from "./audit_exceptions.ts";
import { comparePairs, type Difference, type Totals } from "./differences.ts";

export interface AuditComparison {
  readonly way: AuditWay;
  readonly log: string;
  readonly totals: Totals;
  /** How many alerts differ, by the exceptions' names. */
  readonly excepted: ReadonlyMap<string, number>;
  /** Differences that no exception accounts for. */
  readonly differences: number;
}

/** Logs in a directory: NAME.jsonl.gz, with Falco's alerts in NAME.WAY.jsonl.gz. */
export function auditLogsIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .map(({ name }) => /^([^.]+)\.jsonl\.gz$/.exec(name)?.[1])
    .filter((name) => name !== undefined).sort();
}

/** The ways of which Falco's alerts are there. */
export function auditWaysOf({ directory, log }: AuditPlace): AuditWay[] {
  const files = new Set([...Deno.readDirSync(directory)].map(({ name }) => name));
  return (Object.keys(AUDIT_WAYS) as AuditWay[])
    .filter((way) => files.has(`${log}.${way}.jsonl.gz`));
}

export async function compareAudit(
  place: AuditPlace,
  way: AuditWay,
  binary: string | undefined,
  onDifference: (difference: Difference) => void,
): Promise<AuditComparison> {
  const { directory, log } = place;
  const conditions = new Map(
    loadSound(auditRulesOf(way, place)).enabled.map(({ name, tree }) => [name, print(tree)]),
  );
  const byName = new Map<string, number>();
  let differences = 0;
  const actual = binary === undefined
    ? auditAlertsInProcess(way, place)
    : auditAlertsOfBinary(binary, way, place);
  const totals = await comparePairs(
    await inOrderOfTime(readAlerts(`${directory}/${log}.${way}.jsonl.gz`)),
    await inOrderOfTime(actual),
    {
      limit: Infinity,
      onDifference(difference): void {
        const names = excepted(difference, (rule) => conditions.get(rule) ?? "");
        for (const name of names ?? []) byName.set(name, (byName.get(name) ?? 0) + 1);
        if (names !== undefined) return;
        differences++;
        onDifference(difference);
      },
    },
  );
  return { way, log, totals, excepted: byName, differences };
}

/** Events of a log are in the order in which they were written. */
async function inOrderOfTime(
  alerts: AsyncIterable<ComparedAlert> | Iterable<ComparedAlert>,
): Promise<Iterator<ComparedAlert>> {
  const all = await Array.fromAsync(alerts);
  return all.sort((one, other) => one.time < other.time ? -1 : Number(one.time > other.time))
    .values();
}
