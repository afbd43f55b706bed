// Paths of the page: a request comes in, a document, rows or numbers go out. This module and all
// that it imports are loaded at the first such request.
import { Hono } from "hono";
import { alertId } from "../../alerts/format/format.ts";
import type { Asked } from "../asker.ts";
import type { Bindings } from "../serve.ts";
import { alertFilter } from "../stream/alert_filter.ts";
import type { AlertStream } from "../stream/alert_stream.ts";
import { lackOf, recentPage, recentQuery } from "../told/alerts.ts";
import type { ConfigAnswer, RulesAnswer, SeriesAnswer } from "../told/answers.ts";
import { dossierJson } from "../told/dossier.ts";
import type { Around, AroundAsked } from "../../engine/contract/around.ts";
import { knownDossier } from "../../engine/contract/dossier.ts";
import type { Tuning } from "../../tune/proposal.ts";
import { askerOf } from "../asker.ts";
import { AlertPage } from "./alert.tsx";
import { type AlertRow, rowOf } from "./alert_rows.tsx";
import { type AlertQuery, Alerts, PAGE_ROWS, QUERY_NAMES } from "./alerts.tsx";
import { ASSETS_PATH } from "./assets.ts";
import { ConfigPage } from "./config.tsx";
import { alikeAlerts } from "./alike_alerts.ts";
import { documentText, type Frame } from "./document.tsx";
import { EventsPage } from "./events.tsx";
import { ExceptionPage } from "./exception.tsx";
import { enterPages } from "./entering.ts";
import type { EntryOptions } from "./letting_in.tsx";
import { Notice } from "./outside.tsx";
import { Overview } from "./overview.tsx";
import { nowOf, type SpanName, SPANS } from "./overview_now.ts";
import { RulePage } from "./rule.tsx";
import { Rules } from "./rules.tsx";
import type { StatusShown } from "./status_shown.ts";

export interface PageOptions extends EntryOptions {
  readonly alerts: AlertStream;
  /** As /status, /series, /rules and /config answer; absent: that is not known here. */
  readonly status: () => StatusShown;
  readonly series: (step: 1 | 60) => SeriesAnswer;
  readonly rules?: () => RulesAnswer | Promise<RulesAnswer>;
  readonly config?: () => ConfigAnswer | Promise<ConfigAnswer>;
  /** Exceptions for the alerts of these lines (alike_alerts.ts); `key` names what is asked, so that
   * who was told that it is pending can ask again. */
  readonly propose?: (
    key: string,
    lines: readonly string[],
  ) => Promise<Tuning | { readonly error: string } | "pending">;
  /** Events around an alert's, from the capture that its dossier names. */
  readonly around?: (asked: AroundAsked) => Promise<Around | "pending">;
}

const NOT_KNOWN = "Not known here";
const NO_CAPTURE = "No capture has the events around this alert.";
const NEWEST_ROWS = 10;
const RULE_ROWS = 20;

/** Answers "/" and all below "/page/". */
export function makePage(options: PageOptions): (context: Asked) => Promise<Response> {
  const { alerts, status, series, rules, config, propose, around } = options;
  const page = new Hono<{ Bindings: Bindings }>();
  enterPages(page, options);
  const frameOf = (context: Asked): Frame => ({
    hostname: status().hostname,
    state: status().status,
    csrf: options.rights.session(askerOf(context))?.csrf,
    assets: ASSETS_PATH,
  });
  page.get("/", (context) => {
    const newest = newestRows(alerts, new URLSearchParams(), NEWEST_ROWS);
    return context.html(documentText(
      <Overview
        frame={frameOf(context)}
        status={status()}
        series={series(SPANS[spanOf(context)].step)}
        span={spanOf(context)}
        newest={newest}
        live={livePath(alerts, new URLSearchParams())}
      />,
    ));
  });
  page.get(
    "/page/now",
    (context) => context.json(nowOf(status(), series(SPANS[spanOf(context)].step))),
  );
  page.get("/page/live", (context) => follow(context, alerts));
  page.get("/page/rows", (context) => {
    const answer = pageOf(alerts, new URL(context.req.url).searchParams);
    return "error" in answer ? context.json(answer, 400) : context.json(answer);
  });
  page.get("/page/alerts", async (context) => {
    const query = new URL(context.req.url).searchParams;
    const answer = pageOf(alerts, query);
    const { held, givenWay } = alerts.held.stats();
    const known = rules === undefined ? [] : (await rules()).rules;
    return context.html(
      documentText(
        <Alerts
          frame={frameOf(context)}
          query={queryOf(query)}
          before={query.get("before") || undefined}
          held={held}
          givenWay={givenWay}
          live={livePath(alerts, query)}
          rules={known.map(({ name }) => name)}
          {...("error" in answer ? { rows: [], next: null, error: answer.error } : answer)}
        />,
      ),
      "error" in answer ? 400 : 200,
    );
  });
  page.get("/page/alerts/:id", (context) => {
    const place = alerts.held.placeOf(context.req.param("id"));
    if (place === undefined) return gone(context, frameOf(context));
    const held = alerts.held.at(place);
    const known = knownDossier(held.dossier);
    return context.html(documentText(
      <AlertPage
        frame={frameOf(context)}
        alert={held.alert}
        dossier={known === undefined ? null : dossierJson(held.alert, known)}
        lack={known === undefined ? lackOf(held) : ""}
        canPropose={propose !== undefined}
        canRead={around !== undefined}
      />,
    ));
  });
  page.get("/page/alerts/:id/events", async (context) => {
    const place = alerts.held.placeOf(context.req.param("id"));
    if (place === undefined) return gone(context, frameOf(context));
    const { alert, dossier } = alerts.held.at(place);
    const known = knownDossier(dossier);
    const told = known && dossierJson(alert, known);
    const file = told?.capture;
    if (file === undefined || file === null || around === undefined) {
      return notice(context, frameOf(context), "No capture was kept", [NO_CAPTURE]);
    }
    const pid = told?.processes?.[0]?.pid;
    const found = await around({ file, time: alert.time, ...(pid === undefined ? {} : { pid }) });
    const ofAll = context.req.query("of") === "all";
    return context.html(documentText(
      <EventsPage
        {...{ alert, file, found, ofAll }}
        frame={frameOf(context)}
      />,
    ));
  });
  page.get("/page/alerts/:id/exception", async (context) => {
    const place = alerts.held.placeOf(context.req.param("id"));
    if (place === undefined) return gone(context, frameOf(context));
    if (propose === undefined) return notice(context, frameOf(context), NOT_KNOWN, []);
    const { alert } = alerts.held.at(place);
    const alike = alikeAlerts(alerts.held, place);
    const tuning = await propose(alertId(alert), alike.lines);
    return context.html(documentText(
      <ExceptionPage
        frame={frameOf(context)}
        alert={alert}
        tuning={tuning}
        place={alike.place}
        program={alike.program}
      />,
    ));
  });
  page.get("/page/rules", async (context) => {
    const search = context.req.query("search") ?? "";
    if (rules === undefined) return notice(context, frameOf(context), NOT_KNOWN, []);
    const answer = await rules();
    const frame = frameOf(context);
    return context.html(documentText(<Rules frame={frame} answer={answer} search={search} />));
  });
  page.get("/page/rules/:name", async (context) => {
    if (rules === undefined) return notice(context, frameOf(context), NOT_KNOWN, []);
    const answer = await rules();
    const rule = answer.rules.find(({ name }) => name === context.req.param("name"));
    if (rule === undefined) {
      return notice(context, frameOf(context), "No such rule", [
        "No rule in force has that name. Rules may have been read anew since the link was made.",
      ]);
    }
    const query = new URLSearchParams({ rule: rule.name });
    return context.html(documentText(
      <RulePage
        frame={frameOf(context)}
        rule={rule}
        sieve={answer.sieve}
        newest={newestRows(alerts, query, RULE_ROWS)}
        live={livePath(alerts, query)}
      />,
    ));
  });
  page.get("/page/config", async (context) => {
    if (config === undefined) return notice(context, frameOf(context), NOT_KNOWN, []);
    const answer = await config();
    return context.html(documentText(<ConfigPage frame={frameOf(context)} answer={answer} />));
  });
  page.notFound((context) => notice(context, frameOf(context), "There is no such page", []));
  page.onError((_error, context) => {
    const problem = (
      <Notice assets={ASSETS_PATH} title="saker made a mistake">
        <p>This page could not be made. Detection goes on.</p>
      </Notice>
    );
    return context.html(documentText(problem), 500);
  });
  return async (context) => await page.fetch(context.req.raw, context.env);
}

function spanOf(context: Asked): SpanName {
  return context.req.query("span") === "day" ? "day" : "minutes";
}

function notice(context: Asked, frame: Frame, title: string, lines: readonly string[]): Response {
  const text = documentText(
    <Notice assets={ASSETS_PATH} title={title} frame={frame}>
      {lines.map((line) => <p>{line}</p>)}
      <p>
        <a href="/">To the overview</a>
      </p>
    </Notice>,
  );
  return context.html(text, 404);
}

function gone(context: Asked, frame: Frame): Response {
  return notice(context, frame, "This alert is not held any more", [
    "The newest ten thousand alerts of this run of saker are held. Older ones are where the " +
    "outputs have put them.",
  ]);
}

type RowsPage = { readonly rows: readonly AlertRow[]; readonly next: string | null };

/** Alerts that the query takes, the newest first. */
function pageOf(
  { held }: AlertStream,
  query: URLSearchParams,
): RowsPage | { readonly error: string } {
  const limited = new URLSearchParams(query);
  if (!limited.has("limit")) limited.set("limit", `${PAGE_ROWS}`);
  const before = limited.get("before") ?? "";
  const moved = held.placeOf(before) === undefined ? olderThan(held, before) : undefined;
  if (moved !== undefined) {
    if (moved < 0) return { rows: [], next: null };
    if (moved + 1 < held.size) limited.set("before", alertId(held.at(moved + 1).alert));
    else limited.delete("before");
  }
  const read = recentQuery(limited);
  const found = "error" in read ? read : recentPage(held, read);
  if ("error" in found) return { error: found.error };
  return { rows: found.alerts.map(({ alert }) => rowOf(alert)), next: found.next ?? null };
}

/** The place of the newest alert that is older than one that had to give way, whose id tells its
 * time; -1: there is none; undefined: that is no id. */
function olderThan(held: AlertStream["held"], id: string): number | undefined {
  const time = /^([0-9a-f]{16})-\d+$/.exec(id)?.[1];
  if (time === undefined) return undefined;
  const ns = BigInt(`0x${time}`);
  let place = held.size - 1;
  while (place >= 0 && held.at(place).alert.time >= ns) place--;
  return place;
}

function newestRows(
  { held }: AlertStream,
  query: URLSearchParams,
  limit: number,
): readonly AlertRow[] {
  const read = recentQuery(new URLSearchParams([...query, ["limit", `${limit}`]]));
  const found = "error" in read ? read : recentPage(held, read);
  return "error" in found ? [] : found.alerts.map(({ alert }) => rowOf(alert));
}

/** Where alerts come from that are newer than all that are held: none is missed between. */
function livePath({ held }: AlertStream, query: URLSearchParams): string {
  const parameters = new URLSearchParams();
  for (const name of QUERY_NAMES) if (query.get(name)) parameters.set(name, query.get(name)!);
  const newest = held.size === 0 ? "none" : alertId(held.at(held.size - 1).alert);
  parameters.set("after", newest);
  return `/page/live?${parameters}`;
}

function queryOf(query: URLSearchParams): AlertQuery {
  const [rule, priority, process, container, search] = QUERY_NAMES.map((name) =>
    query.get(name) ?? ""
  );
  return {
    rule: rule!,
    priority: priority!,
    process: process!,
    container: container!,
    search: search!,
  };
}

/** Rows as they come, as server-sent events. */
function follow(context: Asked, alerts: AlertStream): Response {
  const query = new URL(context.req.url).searchParams;
  const filter = alertFilter(query);
  if ("error" in filter) return context.json({ error: filter.error }, 400);
  const headers = { "content-type": "text/event-stream" };
  if (context.req.raw.method === "HEAD") return context.body(null, 200, headers);
  const after = context.req.header("last-event-id") ?? filter.after;
  const stream = alerts.open(
    { takes: filter.takes, after },
    (alert) => JSON.stringify(rowOf(alert)),
  );
  if (stream !== undefined) return context.body(stream, 200, headers);
  return context.json({ error: "too many clients follow the alerts" }, 503, {
    "retry-after": "10",
  });
}
