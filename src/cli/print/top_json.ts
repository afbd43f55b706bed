// What `saker top` shows as JSON, in the words of /status.
import type { Snapshot } from "../../client/snapshot.ts";
import { sorted } from "../../screen/table.ts";
import { RULE_COLUMNS, TYPE_COLUMNS } from "./top_rows.ts";
import type { TopState } from "./top_view.ts";

/** Rates are over the seconds between the two looks, `null` where another run began meanwhile;
 * those of processes over the seconds that saker tells of. */
export function topJson(
  { now, rows, sorting }: TopState,
  first: Snapshot,
): Record<string, unknown> {
  return {
    at: new Date(now.atMs).toISOString(),
    seconds: (now.atMs - first.atMs) / 1000,
    hostname: now.hostname,
    saker_version: now.version,
    status: now.status,
    degraded: now.troubles,
    uptime_s: now.uptimeS,
    driver: { name: now.driver, programs: now.programs },
    events: {
      judged: now.judged,
      per_second: rounded(rows.events),
      passed_over: now.passedOver,
      passed_over_per_second: rounded(rows.keptBack),
    },
    lost: { events: now.lost, per_second: rounded(rows.lost), not_shown: now.notShown },
    alerts: {
      raised: now.alerts,
      per_second: rounded(rows.alerts),
      dropped: now.alertsDropped,
    },
    latency_ms: now.latencyMs ?? null,
    memory: {
      resident_bytes: now.residentBytes,
      threads: now.threads,
      descriptors: now.descriptors,
    },
    types: sorted(rows.types, TYPE_COLUMNS, sorting.types).map((row) => ({
      type: row.type,
      per_second: rounded(row.perSecond),
      passed_over_per_second: rounded(row.keptPerSecond),
      judged: row.judged,
      passed_over: row.keptBack,
      lost: row.lost,
    })),
    processes: {
      seconds: now.busy.seconds,
      others: now.busy.others,
      list: now.processes.map(({ perSecond, ...row }) => ({ ...row, per_second: perSecond })),
    },
    rules: {
      in_force: now.rulesInForce,
      list: sorted(rows.rules, RULE_COLUMNS, sorting.rules).map((row) => ({
        name: row.rule,
        priority: row.priority,
        matches: row.alerts,
        per_second: rounded(row.perSecond),
        ms: Math.round(row.ms * 100) / 100,
      })),
    },
  };
}

function rounded(rate: number | undefined): number | null {
  return rate === undefined ? null : Math.round(10 * rate) / 10;
}
