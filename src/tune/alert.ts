// An alert as it was printed, Falco's JSON or saker's, as data that proposals are made from.
// Nothing here knows rules; what is no alert is undefined and counted by whoever reads.

export type AlertValue = string | number | bigint | boolean | null | readonly AlertValue[];

export interface PrintedAlert {
  readonly rule: string;
  /** `syscall` where the alert does not say. */
  readonly source: string;
  /** As printed, such as `Warning`. */
  readonly priority: string;
  readonly hostname: string;
  /** ns since the epoch; undefined where the alert has no time that can be read. */
  readonly time: bigint | undefined;
  readonly output: string;
  /** By field, as written in the output; `null`: the event has none. */
  readonly fields: ReadonlyMap<string, AlertValue>;
  /** For how many alerts it stands: 1, or more where the output groups them. */
  readonly count: number;
  /** Names it for a person: `file:line`, or its id. */
  readonly origin: string;
  /** It does not tell its container: that it is of the host was assumed. */
  readonly assumesHost?: true;
}

/** Characters of one alert; the rest of the world has shorter ones. */
export const ALERT_CHARS_MAX = 1 << 20;

/** One line of JSON; undefined where it is none, or none of an alert with fields. */
export function alertOfLine(line: string, origin: string): PrintedAlert | undefined {
  if (line.length > ALERT_CHARS_MAX) return undefined;
  try {
    return alertOf(JSON.parse(line, wholeNumbers), origin);
  } catch {
    return undefined;
  }
}

/** An object that was read from JSON; further `fields` win over none, never over its own. */
export function alertOf(
  value: unknown,
  origin: string,
  further: Readonly<Record<string, unknown>> = {},
): PrintedAlert | undefined {
  if (!isRecord(value) || typeof value.rule !== "string") return undefined;
  const own = value.output_fields;
  if (!isRecord(own)) return undefined;
  const fields = new Map<string, AlertValue>();
  for (const [name, found] of [...Object.entries(further), ...Object.entries(own)]) {
    if (isValue(found) && !(found === null && fields.has(name))) fields.set(name, found);
  }
  const text = (key: string) => typeof value[key] === "string" ? value[key] : "";
  const { count } = value;
  return {
    rule: value.rule,
    source: text("source") || "syscall",
    priority: text("priority"),
    hostname: text("hostname"),
    time: timeOf(text("time")),
    output: text("output") || text("message"),
    fields,
    count: typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 1,
    origin: origin || text("id"),
  };
}

/** For JSON.parse: numbers beyond 2^53 (times, inodes) keep all of their digits. */
export function wholeNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isValue(value: unknown): value is AlertValue {
  if (value === null || Array.isArray(value)) return value === null || value.every(isValue);
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

/** `2026-03-02T09:06:17.852572544Z` with up to nine digits. */
function timeOf(text: string): bigint | undefined {
  const found = /^(.+T[\d:]+)(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:?\d\d)$/.exec(text);
  if (found === null) return undefined;
  const seconds = Date.parse(`${found[1]}${found[3]}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
