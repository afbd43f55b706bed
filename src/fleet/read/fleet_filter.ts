// Which alerts of all hosts somebody wants: as on a host's own page, and by host and time. What a
// message cannot be is seen from its headers and its bytes, before it is read.
import { type AlertFilter, alertFilter } from "../../server/stream/alert_filter.ts";
import { priorityOf } from "../../words/priorities.ts";

export interface FleetFilter extends AlertFilter {
  readonly host: string | undefined;
  /** Of alerts' own times, both inclusive, ms since the epoch. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** False: this message is none of them. */
  mayBe(message: Envelope): boolean;
}

/** A message as far as it is seen without being read as JSON. */
export interface Envelope {
  header(name: "Saker-Priority" | "Saker-Rule"): string;
  text(): string;
}

/** What `host`, `from` and `to` come with, and those that somebody else reads. */
const PARAMETERS = ["host", "from", "to", "before", "limit", "stop", "again"];
/** Characters of a rule's name in its header (src/alerts/outputs/nats.ts). */
const RULE_MAX = 128;

export function fleetFilter(query: URLSearchParams): FleetFilter | { readonly error: string } {
  const filter = alertFilter(query, PARAMETERS);
  if ("error" in filter) return filter;
  const [from, to] = [timeOf(query, "from"), timeOf(query, "to")];
  if (typeof from === "string" || typeof to === "string") {
    return { error: typeof from === "string" ? from : to as string };
  }
  if (from !== undefined && to !== undefined && from.ms > to.ms) {
    return { error: "from: expected a time that is not behind that of to" };
  }
  const host = query.get("host") || undefined;
  const [fromNs, toNs] = [from?.firstNs, to?.lastNs];
  return {
    ...filter,
    host,
    fromMs: from?.ms,
    toMs: toNs === undefined ? undefined : Number(toNs / 1_000_000n),
    takes: (alert, dossier) =>
      (host === undefined || alert.hostname === host) &&
      (fromNs === undefined || alert.time >= fromNs) &&
      (toNs === undefined || alert.time <= toNs) && filter.takes(alert, dossier),
    mayBe: envelopeTest(query),
  };
}

function envelopeTest(query: URLSearchParams): (message: Envelope) => boolean {
  const least = priorityOf(query.get("priority") ?? "");
  const rules = query.getAll("rule").filter((rule) => rule !== "");
  const headers = new Set(
    rules.map((rule) => encodeURIComponent(rule.slice(0, RULE_MAX).toWellFormed())),
  );
  const words = query.getAll("search").join(" ").split(/\s+/)
    .filter((word) => /^[\w.,:;@%+=~-]+$/.test(word))
    .map((word) => new RegExp(RegExp.escape(word), "i"));
  return (message) => {
    const priority = least === undefined ? undefined : priorityOf(message.header("Saker-Priority"));
    // Who writes no headers is read.
    if (priority !== undefined && priority > least!) return false;
    const rule = headers.size === 0 ? "" : message.header("Saker-Rule");
    if (rule !== "" && !headers.has(rule)) return false;
    if (words.length === 0) return true;
    const text = message.text();
    // A letter may be written as its number.
    return text.includes("\\u") || words.every((word) => word.test(text));
  };
}

interface Time {
  readonly ms: number;
  /** Of what is named: a minute is its first and its last nanosecond. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?Z?$/;
const SECOND_NS = 1_000_000_000n;

/** In UTC, as all of the page is; a text says what is wrong with it. */
function timeOf(query: URLSearchParams, name: string): Time | undefined | string {
  const text = query.get(name)?.trim() ?? "";
  if (text === "") return undefined;
  const [, day, minute, second, digits] = TIME.exec(text) ?? [];
  const ms = Date.parse(`${day}T${minute ?? "00:00"}:${second ?? "00"}Z`);
  if (day === undefined || Number.isNaN(ms) || ms < 0) {
    return `${name} "${text.slice(0, 40)}": expected a time such as 2026-01-31T22:15`;
  }
  const firstNs = BigInt(ms) * 1_000_000n + BigInt((digits ?? "").padEnd(9, "0"));
  const lastNs = firstNs - 1n +
    (digits !== undefined
      ? 10n ** BigInt(9 - digits.length)
      : second !== undefined
      ? SECOND_NS
      : minute !== undefined
      ? 60n * SECOND_NS
      : 86_400n * SECOND_NS);
  return { ms, firstNs, lastNs };
}
