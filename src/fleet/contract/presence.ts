// What a host tells of itself in the bucket of hosts, written by the output to NATS and read by
// `saker fleet`: an object → JSON, and JSON of anybody → the object or nothing.

export interface Presence {
  readonly host: string;
  readonly version: string;
  readonly state: "running" | "stopped";
  /** When this run began, and when this was written: ISO 8601. */
  readonly started: string;
  readonly at: string;
  /** Seconds from one to the next: a host that is silent for much longer is to be looked at. */
  readonly every: number;
  readonly engine: { readonly kind: string };
  readonly rules: PresenceRules;
  /** Of configuration from elsewhere; null: it takes none, or its version does not tell. */
  readonly config: PresenceBundles | null;
  /** Since the start. `lost` is what /healthz tells. */
  readonly events: { readonly seen: number; readonly lost: number; readonly kept_back: number };
  readonly alerts: {
    readonly total: number;
    readonly by_priority: Readonly<Record<string, number>>;
    /** The most frequent ones. */
    readonly by_rule: Readonly<Record<string, number>>;
  };
  readonly outputs: readonly PresenceOutput[];
  /** Of one processor. */
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
}

export interface PresenceRules extends PresenceBundles {
  /** SHA-256 in hex of what is in force. */
  readonly sum: string;
  readonly count: number;
}

/** How a roll-out stands: the bundle in force, and the one that was refused last. */
export interface PresenceBundles {
  readonly rollout: { readonly name: string; readonly serial: number } | null;
  readonly refused: { readonly serial: number; readonly why: string } | null;
}

export interface PresenceOutput {
  readonly name: string;
  readonly state: string;
  readonly waiting: number;
  readonly dropped: number;
}

/** A longer one is not read. */
export const PRESENCE_BYTES_MAX = 64 << 10;
/** Rules in `by_rule`, and outputs. */
export const PRESENCE_RULES_MAX = 50;
const OUTPUTS_MAX = 32;
const TEXT_MAX = 512;

/** Never throws: what is missing or of another kind is nothing; without a host there is none. */
export function parsePresence(text: string): Presence | undefined {
  if (text.length > PRESENCE_BYTES_MAX) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const all = mapOf(value);
  const host = textOf(all["host"]);
  const at = textOf(all["at"]);
  if (host === "" || Number.isNaN(Date.parse(at))) return undefined;
  const [rules, events, alerts] = [all["rules"], all["events"], all["alerts"]].map(mapOf);
  return {
    host,
    version: textOf(all["version"]),
    state: all["state"] === "stopped" ? "stopped" : "running",
    started: textOf(all["started"]),
    at,
    every: numberOf(all["every"]),
    engine: { kind: textOf(mapOf(all["engine"])["kind"]) },
    rules: rulesOf(rules!),
    config: isMap(all["config"]) ? bundlesOf(all["config"]) : null,
    events: {
      seen: numberOf(events!["seen"]),
      lost: numberOf(events!["lost"]),
      kept_back: numberOf(events!["kept_back"]),
    },
    alerts: {
      total: numberOf(alerts!["total"]),
      by_priority: countsOf(alerts!["by_priority"], 16),
      by_rule: countsOf(alerts!["by_rule"], PRESENCE_RULES_MAX),
    },
    outputs: listOf(all["outputs"]).slice(0, OUTPUTS_MAX).map(mapOf).map(outputOf),
    cpu_percent: numberOrNull(all["cpu_percent"]),
    memory_bytes: numberOrNull(all["memory_bytes"]),
  };
}

type Values = Readonly<Record<string, unknown>>;

function rulesOf(rules: Values): PresenceRules {
  return { sum: textOf(rules["sum"]), count: numberOf(rules["count"]), ...bundlesOf(rules) };
}

function bundlesOf({ rollout, refused }: Values): PresenceBundles {
  return {
    rollout: isMap(rollout)
      ? { name: textOf(rollout["name"]), serial: numberOf(rollout["serial"]) }
      : null,
    refused: isMap(refused)
      ? { serial: numberOf(refused["serial"]), why: textOf(refused["why"]) }
      : null,
  };
}

function outputOf(output: Values): PresenceOutput {
  return {
    name: textOf(output["name"]),
    state: textOf(output["state"]),
    waiting: numberOf(output["waiting"]),
    dropped: numberOf(output["dropped"]),
  };
}

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const mapOf = (value: unknown): Values => isMap(value) ? value : {};

const listOf = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : [];

const textOf = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, TEXT_MAX) : "";

const numberOrNull = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;

const numberOf = (value: unknown): number => numberOrNull(value) ?? 0;

function countsOf(value: unknown, most: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(mapOf(value)).slice(0, most)
      .map(([name, count]) => [name.slice(0, TEXT_MAX), numberOf(count)] as const),
  );
}
