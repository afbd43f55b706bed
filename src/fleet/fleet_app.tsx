// The web server of a fleet's page: a request comes in, a document, rows or a stream go out. What
// is shown is what `read/` holds; entry, names and looks are those of a host's own page.
import { Hono } from "hono";
import { type Asked, askerOf } from "../server/asker.ts";
import { checkName } from "../server/check_name.ts";
import { ASSETS_PATH } from "../server/page/assets.ts";
import { documentText, type Frame, STATE_WORDS } from "../server/page/document.tsx";
import { enterPages } from "../server/page/entering.ts";
import { linkTo } from "../server/page_link.ts";
import type { EntryOptions } from "../server/page/letting_in.tsx";
import { Notice } from "../server/page/outside.tsx";
import { partsOf, type Renewal } from "../server/page/renewed.tsx";
import type { Bindings } from "../server/serve.ts";
import type { AlertStream } from "../server/stream/alert_stream.ts";
import { recentPage } from "../server/told/alerts.ts";
import { alertId } from "../alerts/format/format.ts";
import type { Alert } from "../engine/contract/alert.ts";
import { ALERTS_ROWS, FleetAlert, FleetAlerts, fleetRow } from "./page/alerts_page.tsx";
import { filtersOf } from "./page/filter_form.tsx";
import { HostPage, HOSTS_ROWS, HostsPage } from "./page/hosts_page.tsx";
import { FleetRules } from "./page/rules_page.tsx";
import { FleetSearch } from "./page/search_page.tsx";
import { fleetFilter } from "./read/fleet_filter.ts";
import { type FleetSearches, searchQuery } from "./read/fleet_searches.ts";
import type { FollowStats } from "./read/follow_fleet.ts";
import {
  HOST_SORTS,
  HOST_STATES,
  HOSTS_MAX,
  type HostsWanted,
  type HostTable,
} from "./read/host_table.ts";
import type { CounterStats } from "./read/rule_counter.ts";
import type { RuleTally } from "./read/rule_tally.ts";

export interface FleetAppOptions extends EntryOptions {
  /** What the page is called at its top: where its alerts come from. */
  readonly title: string;
  readonly hosts: HostTable;
  readonly alerts: AlertStream;
  readonly tally: RuleTally;
  readonly searches: FleetSearches;
  readonly stats: () => FollowStats;
  readonly counting: () => CounterStats;
  /** What the stream keeps under a number; undefined: nothing, or it cannot be had. */
  readonly alertOf: (sequence: number) => Promise<Alert | undefined>;
  /** Names besides the loopback ones under which the page may be asked. */
  readonly names: readonly string[];
}

const PAGES = [["/", "Hosts"], ["/page/alerts", "Alerts"], ["/page/search", "Search"], [
  "/page/rules",
  "Rules",
]] as const;
const SUMS = 100;
const ROWS_MAX = 1000;

export function makeFleetApp(options: FleetAppOptions): Hono<{ Bindings: Bindings }> {
  const { hosts, alerts, tally, searches, stats, title, rights } = options;
  const app = new Hono<{ Bindings: Bindings }>();
  app.use(checkName(options.names));
  app.post("/page/link", (context) => {
    const error = rights.refusalToAct(askerOf(context));
    if (error === undefined) return linkTo(context, options.sessions);
    return context.json({ error }, 401, { "www-authenticate": "Bearer" });
  });
  enterPages(app, options);
  const stateOf = () => stats().trouble === undefined ? "ok" : "gone";
  const frameOf = (context: Asked): Frame => ({
    hostname: title,
    state: stateOf(),
    csrf: rights.session(askerOf(context))?.csrf,
    assets: ASSETS_PATH,
    pages: PAGES,
  });
  const missing = (context: Asked, title: string) =>
    context.html(
      documentText(
        <Notice assets={ASSETS_PATH} title={title} frame={frameOf(context)}>
          <a href="/">To the hosts</a>
        </Notice>,
      ),
      404,
    );
  /** The page, or what its script renews of it. */
  const answer = (context: Asked, page: Parameters<typeof documentText>[0]) => {
    const text = documentText(page);
    context.header("vary", "accept");
    if (context.req.header("accept") !== "application/json") return context.html(text);
    const state = stateOf();
    const renewal: Renewal = { state, word: STATE_WORDS[state]!, parts: partsOf(text) };
    return context.json(renewal);
  };
  app.get("/", (context) => {
    const text = (name: string) => (context.req.query(name) ?? "").slice(0, 200);
    const wanted: HostsWanted = {
      search: text("search"),
      state: HOST_STATES.find((one) => one === text("state")),
      rules: text("rules"),
      version: text("version"),
      sort: HOST_SORTS.find((one) => one === text("sort")) ?? "state",
    };
    const skip = Math.min(Math.max(0, Math.floor(Number(text("skip"))) || 0), HOSTS_MAX);
    const { trouble, unreadable } = stats();
    return answer(
      context,
      <HostsPage
        frame={frameOf(context)}
        stats={hosts.stats()}
        {...hosts.list(wanted, { skip, limit: HOSTS_ROWS })}
        {...{ wanted, skip, trouble, unreadable }}
        nowMs={Date.now()}
      />,
    );
  });
  app.get("/page/hosts/:token", (context) => {
    const host = hosts.get(context.req.param("token"));
    if (host === undefined) return missing(context, "No such host has told of itself");
    const { trouble } = stats();
    return answer(
      context,
      <HostPage frame={frameOf(context)} {...{ host, trouble }} nowMs={Date.now()} />,
    );
  });
  app.get("/page/rules", (context) =>
    answer(
      context,
      <FleetRules
        frame={frameOf(context)}
        tally={tally}
        counting={options.counting()}
        sums={hosts.sums(SUMS)}
        versions={hosts.versions(SUMS)}
        trouble={stats().trouble}
        nowMs={Date.now()}
      />,
    ));
  app.get(
    "/page/now",
    (context) => context.json({ state: stateOf(), texts: {}, bad: {}, paths: {} }),
  );
  app.get("/page/alerts", (context) => {
    const query = new URL(context.req.url).searchParams;
    const found = rowsOf(alerts, query);
    const error = "error" in found ? found.error : undefined;
    const page = "error" in found ? { rows: [], next: undefined } : found;
    return context.html(
      documentText(
        <FleetAlerts
          frame={frameOf(context)}
          nowMs={Date.now()}
          {...{ query, error, ...page }}
          live={livePath(alerts, query)}
          held={alerts.held.size}
        />,
      ),
      error === undefined ? 200 : 400,
    );
  });
  app.get("/page/rows", (context) => {
    const found = rowsOf(alerts, new URL(context.req.url).searchParams);
    if ("error" in found) return context.json(found, 400);
    return context.json({ rows: found.rows, next: found.next ?? null });
  });
  app.get("/page/live", (context) => follow(context, alerts));
  app.get("/page/search", (context) => {
    const asked = new URL(context.req.url).searchParams;
    const query = searchQuery(asked);
    const isAsked = asked.size > 0;
    const answer = isAsked ? searches.ask(asked, performance.now()) : undefined;
    // A path that stops or begins would do so again each time that it is asked for.
    if (asked.has("stop") || asked.has("again")) return context.redirect(`/page/search?${query}`);
    const failed = answer !== undefined && "error" in answer ? answer : undefined;
    return context.html(
      documentText(
        <FleetSearch
          frame={frameOf(context)}
          query={query}
          nowMs={Date.now()}
          progress={answer === undefined || "error" in answer ? undefined : answer}
          error={failed?.error}
        />,
      ),
      failed === undefined ? 200 : 400,
    );
  });
  app.get("/page/alerts/:id", async (context) => {
    const id = context.req.param("id");
    const place = alerts.held.placeOf(id);
    const sequence = Number(/^[0-9a-f]{16}-(\d{1,15})$/.exec(id)?.[1] ?? NaN);
    const alert = place !== undefined
      ? alerts.held.at(place).alert
      : Number.isNaN(sequence)
      ? undefined
      : await options.alertOf(sequence);
    if (alert === undefined || (place === undefined && alertId(alert) !== id)) {
      return missing(context, "The stream does not keep this alert any more");
    }
    return context.html(documentText(<FleetAlert frame={frameOf(context)} alert={alert} />));
  });
  app.notFound((context) => missing(context, "There is no such page"));
  app.onError((_error, context) => {
    const problem = <Notice assets={ASSETS_PATH} title="saker made a mistake"></Notice>;
    return context.html(documentText(problem), 500);
  });
  return app;
}

function rowsOf({ held }: AlertStream, query: URLSearchParams) {
  const filter = fleetFilter(query);
  if ("error" in filter) return filter;
  const asked = Number(query.get("limit")) || ALERTS_ROWS;
  const found = recentPage(held, {
    takes: filter.takes,
    searches: filter.searches,
    before: query.get("before") || undefined,
    after: undefined,
    limit: Math.min(Math.max(1, Math.floor(asked)), ROWS_MAX),
    withFields: false,
  });
  if ("error" in found) return found;
  return { rows: found.alerts.map(({ alert }) => fleetRow(alert)), next: found.next };
}

/** Where alerts come from that are newer than all that are held. */
function livePath({ held }: AlertStream, query: URLSearchParams): string {
  const parameters = filtersOf(query);
  const newest = held.size === 0 ? "none" : alertId(held.at(held.size - 1).alert);
  parameters.set("after", newest);
  return `/page/live?${parameters}`;
}

/** Rows as they come, as server-sent events. */
function follow(context: Asked, alerts: AlertStream): Response {
  const filter = fleetFilter(new URL(context.req.url).searchParams);
  if ("error" in filter) return context.json({ error: filter.error }, 400);
  const headers = { "content-type": "text/event-stream" };
  if (context.req.raw.method === "HEAD") return context.body(null, 200, headers);
  const after = context.req.header("last-event-id") ?? filter.after;
  const write = (alert: Parameters<typeof fleetRow>[0]) => JSON.stringify(fleetRow(alert));
  const stream = alerts.open({ takes: filter.takes, after }, write);
  if (stream !== undefined) return context.body(stream, 200, headers);
  return context.json({ error: "too many follow the alerts" }, 503, { "retry-after": "10" });
}
