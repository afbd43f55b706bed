// Alerts that are held, for who looks at them: GET /alerts/ID and GET /alerts/recent. A place or a
// query comes in, the text of an answer goes out. Alerts are written as `json_output` writes them,
// so that no number of theirs is rounded.
import { alertId, formatJson, WHOLE_JSON } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { knownDossier } from "../../engine/contract/dossier.ts";
import { visibleText } from "../../words/visible.ts";
import { alertFilter } from "../stream/alert_filter.ts";
import type { AlertRing, HeldAlert } from "../stream/alert_ring.ts";
import { dossierJson, fieldsJson } from "./dossier.ts";

/** The text of an AlertAnswer; undefined where the alert is not held. */
export function alertAnswer(held: AlertRing, place: string): string | undefined {
  const at = held.placeOf(place);
  if (at === undefined) return undefined;
  const { alert, dossier } = held.at(at);
  const known = knownDossier(dossier);
  const json = known === undefined ? "null" : safeJson(dossierJson(alert, known));
  const lack = known === undefined ? `,"no_dossier":${JSON.stringify(lackOf(held.at(at)))}` : "";
  return `{"alert":${formatJson(alert, WHOLE_JSON)},"dossier":${json}${lack}}`;
}

/** Why an alert has no dossier. */
export function lackOf({ alert, dossier }: HeldAlert): string {
  if (dossier === "gone") return "it had to give way to newer ones";
  if (alert.source === "internal") return "saker made this alert by itself, no event did";
  if (dossier === undefined) {
    return "none was made: webserver.dossiers is off, or the web server was at that time";
  }
  if (!("none" in dossier)) return "";
  switch (dossier.none) {
    case "budget":
      return "too many alerts came at once: the budget of dossiers was spent";
    case "mistake":
      return "it could not be made, by a mistake in saker";
  }
}

export interface RecentQuery {
  readonly takes: (alert: Alert, dossier: HeldAlert["dossier"]) => boolean;
  /** Ids or numbers of alerts, or times; undefined: from the newest, to the oldest. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Whether alerts' texts are looked through. */
  readonly searches: boolean;
  readonly limit: number;
  readonly withFields: boolean;
}

export interface RecentPage {
  /** The newest first. */
  readonly alerts: readonly HeldAlert[];
  /** `before` of what follows; undefined: nothing does. */
  readonly next: string | undefined;
}

const LIMIT = 100;
const LIMIT_MAX = 1000;
/** Characters of alerts and dossiers that one query looks through: some tens of milliseconds. */
const LOOKED_AT_MAX = 6 << 20;

/** Reads a query of /alerts/recent. */
export function recentQuery(query: URLSearchParams): RecentQuery | { readonly error: string } {
  const filter = alertFilter(query, ["before", "limit", "with"]);
  if ("error" in filter) return filter;
  const given = query.get("limit") || `${LIMIT}`;
  const limit = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > LIMIT_MAX) {
    return { error: `limit "${given}": expected a number from 1 to ${LIMIT_MAX}` };
  }
  const extra = query.get("with") || undefined;
  if (extra !== undefined && extra !== "fields") {
    return { error: `with "${extra}": expected fields` };
  }
  return {
    takes: filter.takes,
    searches: filter.searches,
    before: query.get("before") || undefined,
    after: filter.after || undefined,
    limit,
    withFields: extra !== undefined,
  };
}

/** Held alerts that the query takes; what is wrong with its places is an error. */
export function recentPage(
  held: AlertRing,
  { takes, searches, before, after, limit }: RecentQuery,
): RecentPage | { readonly error: string } {
  const from = before === undefined ? held.size : placeOf(held, before, true);
  if (typeof from === "string") return { error: `before "${before}": ${from}` };
  const until = after === undefined ? -1 : placeOf(held, after, false);
  if (typeof until === "string") return { error: `after "${after}": ${until}` };
  const alerts: HeldAlert[] = [];
  let looked = 0;
  for (let place = from - 1; place > until; place--) {
    const one = held.at(place);
    if (alerts.length === limit || looked > LOOKED_AT_MAX) {
      return { alerts, next: alertId(held.at(place + 1).alert) };
    }
    if (searches) looked += charsOf(one);
    if (takes(one.alert, one.dossier)) alerts.push(one);
  }
  return { alerts, next: undefined };
}

/** Where an alert stands that is named by its id or number, or by a time: the first alert not
 * before it (`isEnd`), or the last not after it. What is wrong with it is a text. */
function placeOf(held: AlertRing, text: string, isEnd: boolean): number | string {
  if (!TIME.test(text)) return held.placeOf(text) ?? "this alert is not held";
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return "expected a time such as 2026-01-31T22:15:00Z";
  const time = BigInt(ms) * 1_000_000n;
  let place = held.size;
  while (place > 0 && held.at(place - 1).alert.time > time) place--;
  while (isEnd && place > 0 && held.at(place - 1).alert.time === time) place--;
  return isEnd ? place : place - 1;
}

const TIME = /^\d{4}-\d\d-\d\d/;

/** The text of a RecentAnswer. */
export function recentAnswer(
  held: AlertRing,
  query: RecentQuery,
): string | { readonly error: string } {
  const page = recentPage(held, query);
  if ("error" in page) return page;
  const rows = page.alerts.map(({ alert, dossier }) => {
    const known = knownDossier(dossier);
    const fields = known === undefined || !query.withFields ? null : fieldsJson(alert, known);
    const more = query.withFields ? `,"fields":${safeJson(fields)}` : "";
    return `{"alert":${formatJson(alert, WHOLE_JSON)},"dossier":${known !== undefined}${more}}`;
  });
  const { held: count, givenWay } = held.stats();
  return `{"alerts":[${rows.join(",")}],"next":${JSON.stringify(page.next ?? null)},` +
    `"held":${count},"given_way":${givenWay}}`;
}

/** Texts that others wrote: marks that turn the direction of reading stand as escapes. */
function safeJson(value: unknown): string {
  return visibleText(JSON.stringify(value));
}

function charsOf({ alert, dossier }: HeldAlert): number {
  const moment = knownDossier(dossier)?.moment.length ?? 0;
  return 200 + alert.message.length + moment;
}
