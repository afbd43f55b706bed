// A message of the stream, which anybody may have written → an alert, or nothing. Whose it is the
// subject says, which is what a server checks; its number is the stream's, so that ids are of one
// alert among those of all hosts.
import type { Alert } from "../../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { priorityOf } from "../../words/priorities.ts";

export interface Message {
  readonly host: string;
  readonly sequence: number;
  /** When the server took it. */
  readonly tookMs: number;
  readonly payload: Uint8Array;
}

/** A longer one is not read. */
export const MESSAGE_BYTES_MAX = 1 << 20;
const FIELDS_MAX = 256;
const TEXT_MAX = 64 << 10;

/** Never throws. */
export function fleetAlert({ host, sequence, tookMs, payload }: Message): Alert | undefined {
  if (payload.length > MESSAGE_BYTES_MAX) return undefined;
  let told: unknown;
  try {
    told = JSON.parse(new TextDecoder().decode(payload), exact as (key: string) => unknown);
  } catch {
    return undefined;
  }
  if (typeof told !== "object" || told === null || Array.isArray(told)) return undefined;
  const all = told as Readonly<Record<string, unknown>>;
  const text = (name: string) =>
    typeof all[name] === "string" ? (all[name] as string).slice(0, TEXT_MAX) : "";
  const rule = text("rule");
  if (rule === "") return undefined;
  const claimed = text("hostname");
  return {
    hostname: host,
    message: text("message") || text("output"),
    outputFields: [
      // It is told where somebody writes under another host's name.
      ...(claimed === "" || claimed === host ? [] : [["hostname in the alert", claimed] as const]),
      ...fieldsOf(all["output_fields"]),
    ],
    priority: priorityOf(text("priority")) ?? PRIORITY_NAMES.length - 1,
    rule,
    source: text("source"),
    tags: Array.isArray(all["tags"])
      ? all["tags"].filter((tag) => typeof tag === "string").slice(0, FIELDS_MAX)
      : [],
    time: timeOf(text("time"), tookMs),
    sequence,
    degraded: all["degraded"] === true,
  };
}

function fieldsOf(fields: unknown): [string, string | bigint | number | boolean | undefined][] {
  if (typeof fields !== "object" || fields === null) return [];
  return Object.entries(fields).slice(0, FIELDS_MAX).map(([name, value]) => [
    name.slice(0, TEXT_MAX),
    value === null
      ? undefined
      : ["bigint", "number", "boolean"].includes(typeof value)
      ? value as bigint
      : (typeof value === "string" ? value : JSON.stringify(value, whole)).slice(0, TEXT_MAX),
  ]);
}

/** Of a list or map. */
function whole(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Integers that a number cannot hold stay whole. */
function exact(_key: string, value: unknown, context?: { readonly source: string }): unknown {
  if (typeof value !== "number" || context === undefined) return value;
  return !Number.isSafeInteger(value) && /^-?\d{1,20}$/.test(context.source)
    ? BigInt(context.source)
    : value;
}

/** As the host has it, to the nanosecond; the server's time where that is none, or is to come. */
function timeOf(text: string, tookMs: number): bigint {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms < 0 || ms > tookMs + AHEAD_MS) return BigInt(tookMs) * 1_000_000n;
  const digits = /\.(\d{1,9})/.exec(text)?.[1] ?? "";
  return BigInt(Math.floor(ms / 1000)) * 1_000_000_000n + BigInt(digits.padEnd(9, "0"));
}

/** A host's clock may be ahead of the server's by so much. */
const AHEAD_MS = 5 * 60_000;
