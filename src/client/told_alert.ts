// An alert as a running saker tells it, one line of JSON: what of it is shown comes out. A line may
// lack what `json_include_*` leaves out.

export interface ToldAlert {
  /** The line, as it came. */
  readonly line: string;
  readonly id: string;
  /** Its number in that run; 0 where it is left out. */
  readonly seq: number;
  /** As Falco writes it: RFC 3339 in UTC. */
  readonly time: string;
  readonly timeMs: number;
  readonly priority: string;
  readonly rule: string;
  /** With time and priority before it, as an output writes it; "" where it is left out. */
  readonly output: string;
  /** What the rule's output says, without these. */
  readonly message: string;
  readonly degraded: boolean;
}

/** Undefined for what is no alert. */
export function toldAlert(line: string): ToldAlert | undefined {
  let alert: Record<string, unknown>;
  try {
    alert = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof alert !== "object" || alert === null) return undefined;
  const text = (name: string) => typeof alert[name] === "string" ? alert[name] as string : "";
  const [output, priority] = [text("output"), text("priority")];
  return {
    line,
    id: text("id"),
    seq: typeof alert["seq"] === "number" ? alert["seq"] : 0,
    time: text("time"),
    timeMs: Date.parse(text("time")) || 0,
    priority,
    rule: text("rule"),
    output,
    message: text("message") || messageIn(output, priority) || fieldsOf(alert["output_fields"]),
    degraded: alert["degraded"] === true,
  };
}

function messageIn(output: string, priority: string): string {
  const at = output.indexOf(`: ${priority} `);
  return at < 0 ? output : output.slice(at + priority.length + 3);
}

function fieldsOf(fields: unknown): string {
  if (typeof fields !== "object" || fields === null) return "";
  return Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(" ");
}

/** One page of GET /alerts/recent. */
export interface RecentPage {
  /** The newest first. */
  readonly alerts: readonly ToldAlert[];
  /** Asked for as `before`; undefined: there is no more. */
  readonly next: string | undefined;
}

/** Integers that a number cannot hold stay as they were written. */
export function recentPage(text: string): RecentPage {
  const answer = JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  const rows = (answer?.alerts ?? []) as readonly { readonly alert: unknown }[];
  return {
    alerts: rows.flatMap(({ alert }) => toldAlert(JSON.stringify(alert)) ?? []),
    next: typeof answer?.next === "string" ? answer.next : undefined,
  };
}

function exact(_key: string, value: unknown, context?: { readonly source: string }): unknown {
  if (typeof value !== "number" || context === undefined) return value;
  return String(value) === context.source ? value : rawJson(context.source);
}

/** Of ECMAScript's `JSON.rawJSON`, which the types do not have yet. */
function rawJson(source: string): unknown {
  return (JSON as unknown as { rawJSON(source: string): unknown }).rawJSON(source);
}
