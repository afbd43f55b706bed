// What a running saker says of itself at one moment (GET /status), as far as it is looked at on a
// terminal: JSON of any shape comes in, and what is missing in it is nothing or 0.

export interface TypeCounts {
  readonly judged: number;
  readonly passedOver: number;
  readonly lost: number;
}

export interface ProcessCount {
  readonly pid: number;
  readonly name: string;
  readonly exepath: string;
  readonly container: string;
  readonly events: number;
  readonly perSecond: number;
}

export interface RuleCount {
  readonly rule: string;
  readonly priority: string;
  readonly alerts: number;
  /** What its condition and its outputs took. */
  readonly ms: number;
}

export interface Snapshot {
  /** When it was asked, by this machine's clock. */
  readonly atMs: number;
  readonly version: string;
  readonly hostname: string;
  readonly status: string;
  /** All that is amiss, in words. */
  readonly troubles: readonly string[];
  readonly uptimeS: number;
  readonly driver: string;
  readonly programs: { readonly attached: number; readonly wanted: number };
  readonly judged: number;
  readonly passedOver: number;
  readonly lost: number;
  readonly notShown: number;
  readonly alerts: number;
  readonly alertsDropped: number;
  /** From the system call's return to the alert's line; undefined before the first. */
  readonly latencyMs:
    | { readonly p50: number; readonly p99: number; readonly max: number }
    | undefined;
  readonly residentBytes: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly types: ReadonlyMap<string, TypeCounts>;
  /** Over so many seconds; of how many processes there were events, and those not listed. */
  readonly busy: {
    /** False: to root alone, or with the token. */
    readonly isTold: boolean;
    readonly seconds: number;
    readonly processes: number;
    readonly others: number;
  };
  readonly processes: readonly ProcessCount[];
  readonly rulesInForce: number;
  readonly rules: readonly RuleCount[];
}

type Tree = Readonly<Record<string, unknown>>;

export function snapshotOf(status: unknown, atMs: number): Snapshot {
  const top = treeOf(status);
  const [driver, events, lost, alerts] = ["driver", "events", "lost", "alerts"].map((name) =>
    treeOf(top[name])
  ) as [Tree, Tree, Tree, Tree];
  const [memory, rules, busy] = ["memory", "rules", "processes"].map((name) =>
    treeOf(top[name])
  ) as [Tree, Tree, Tree];
  const programs = treeOf(driver["programs"]);
  const tables = treeOf(memory["tables"]);
  const lanes = treeOf(lost["by_lane"]);
  const latency = treeOf(treeOf(top["latency_ms"])["alert_to_output"]);
  const reason = textOf(top["reason"]);
  const troubles = listOf(top["degraded"]).map(textOf).filter((text) => text !== "");
  return {
    atMs,
    version: textOf(top["saker_version"]),
    hostname: textOf(top["hostname"]),
    status: textOf(top["status"]),
    troubles: troubles.length > 0 || reason === "" ? troubles : [reason],
    uptimeS: numberOf(top["uptime_s"]),
    driver: textOf(driver["name"]),
    programs: { attached: numberOf(programs["attached"]), wanted: numberOf(programs["wanted"]) },
    judged: numberOf(events["judged"]),
    passedOver: numberOf(events["passed_over"]),
    lost: numberOf(lanes["critical"]) + numberOf(lanes["bulk"]),
    notShown: numberOf(lost["not_shown"]),
    alerts: numberOf(alerts["raised"]),
    alertsDropped: numberOf(alerts["dropped"]),
    latencyMs: numberOf(latency["count"]) === 0 ? undefined : {
      p50: numberOf(latency["p50"]),
      p99: numberOf(latency["p99"]),
      max: numberOf(latency["max"]),
    },
    residentBytes: numberOf(memory["resident_bytes"]),
    threads: numberOf(treeOf(tables["threads"])["entries"]),
    descriptors: numberOf(treeOf(tables["descriptors"])["entries"]),
    types: new Map(
      Object.entries(treeOf(top["types"])).map(([type, counts]) => [type, typeOf(treeOf(counts))]),
    ),
    busy: {
      isTold: top["processes"] !== undefined,
      seconds: numberOf(busy["seconds"]),
      processes: numberOf(busy["processes"]),
      others: numberOf(busy["others"]),
    },
    processes: listOf(busy["list"]).map((row) => processOf(treeOf(row))),
    rulesInForce: numberOf(rules["in_force"]),
    rules: listOf(rules["list"]).map((row) => ruleOf(treeOf(row))),
  };
}

/** Whether both are of one run, so that numbers can be compared. */
export function areOfOneRun(before: Snapshot, now: Snapshot): boolean {
  return before.hostname === now.hostname && before.uptimeS <= now.uptimeS &&
    before.judged <= now.judged && before.atMs < now.atMs;
}

function typeOf(row: Tree): TypeCounts {
  return {
    judged: numberOf(row["judged"]),
    passedOver: numberOf(row["passed_over"]),
    lost: numberOf(row["lost"]),
  };
}

function processOf(row: Tree): ProcessCount {
  return {
    pid: numberOf(row["pid"]),
    name: textOf(row["name"]),
    exepath: textOf(row["exepath"]),
    container: textOf(row["container"]),
    events: numberOf(row["events"]),
    perSecond: numberOf(row["per_second"]),
  };
}

function ruleOf(row: Tree): RuleCount {
  return {
    rule: textOf(row["name"]),
    priority: textOf(row["priority"]),
    alerts: numberOf(row["matches"]),
    ms: numberOf(row["condition_ms"]) + numberOf(row["output_ms"]),
  };
}

function treeOf(value: unknown): Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Tree : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
