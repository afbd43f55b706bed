// What the web server answers. Values come in as functions; no state is kept here.
import { Hono } from "hono";
import { type Asked, askerOf } from "./asker.ts";
import type { AuditHook } from "./audit_hook.ts";
import { checkName } from "./check_name.ts";
import { CONTENT_TYPE } from "../metrics/exposition.ts";
import type { HealthReport } from "./health.ts";
import { linkTo } from "./page_link.ts";
import type { PageOptions } from "./page/routes.tsx";
import type { ReloadAnswer } from "./reload.ts";
import type { Rights } from "./rights.ts";
import type { Bindings } from "./serve.ts";
import { alertFilter } from "./stream/alert_filter.ts";
import type { AlertStream } from "./stream/alert_stream.ts";
import { alertAnswer, recentAnswer, recentQuery } from "./told/alerts.ts";
import type { ConfigAnswer, RulesAnswer, SeriesAnswer } from "./told/answers.ts";
import { pickedRules, rulesQuery } from "./told/rules.ts";
import { seriesQuery } from "./told/series.ts";

export interface AppOptions {
  readonly healthPath: string;
  readonly health: () => HealthReport;
  readonly versions: () => Record<string, unknown>;
  /** Names besides the loopback ones under which this server may be asked. */
  readonly hosts?: readonly string[];
  /** Who may ask for more than health and versions. */
  readonly rights: Rights;
  readonly status: () => Record<string, unknown>;
  /** What happened in each step of the last minutes, or of the last day. */
  readonly series: (step: 1 | 60) => SeriesAnswer;
  /** The rules in force, and the configuration; absent: they are not told of. Never rejects. */
  readonly rules?: () => Promise<RulesAnswer>;
  readonly config?: () => ConfigAnswer;
  /** Absent: there are no metrics. */
  readonly metrics?: () => string;
  readonly alerts: AlertStream;
  /** For browsers; absent: there is no page. */
  readonly page?: Pick<PageOptions, "sessions" | "propose" | "around">;
  /** Has configuration and rules read anew; absent: they cannot change under way. Never rejects. */
  readonly reload?: () => Promise<ReloadAnswer>;
  /** Takes Kubernetes audit events, from those who show its rights; absent: nobody wants them. */
  readonly audit?: { readonly path: string; readonly hook: AuditHook; readonly rights: Rights };
}

export type App = Hono<{ Bindings: Bindings }>;
type Handler = (context: Asked) => Response | Promise<Response>;

/** Falco's paths and ours. */
export function makeApp(options: AppOptions): App {
  const { healthPath, rights, metrics, reload, rules, config } = options;
  const app: App = new Hono();
  app.use(checkName(options.hosts ?? []));
  const refusalFor = (context: Asked) => rights.refusal(askerOf(context));
  const refusalToFollow = (context: Asked) => rights.refusalToFollow(askerOf(context));
  const refusalToAct = (context: Asked) => rights.refusalToAct(askerOf(context));
  const protectedBy = (handler: Handler, refusal = refusalFor): Handler => (context) => {
    const error = refusal(context);
    if (error === undefined) return handler(context);
    return context.json({ error }, 401, { "www-authenticate": "Bearer" });
  };
  const answer = (method: "get" | "post", path: string, handler: Handler) => {
    app[method](path, handler);
    const allow = method === "get" ? "GET, HEAD" : "POST";
    app.all(path, (context) => context.json({ error: "method not allowed" }, 405, { allow }));
  };
  answer("get", healthPath, (context) => {
    const report = options.health();
    const body = refusalFor(context) === undefined ? report : { status: report.status };
    return context.json(body, isWell(report) ? 200 : 503);
  });
  answer("get", "/readyz", (context) => {
    const { status } = options.health();
    const ready = status !== "starting" && status !== "blind";
    return context.json({ status: ready ? "ready" : status }, ready ? 200 : 503);
  });
  answer("get", "/versions", (context) => context.json(options.versions()));
  answer(
    "get",
    "/status",
    protectedBy((context) => {
      const { processes, ...others } = options.status();
      // What runs here, other users may not be able to see otherwise.
      const mayKnow = processes !== undefined && refusalToFollow(context) === undefined;
      return context.json(mayKnow ? { ...others, processes } : others);
    }),
  );
  answer(
    "get",
    "/series",
    protectedBy((context) => {
      const step = seriesQuery(new URL(context.req.url).searchParams);
      if (typeof step === "object") return context.json(step, 400);
      return context.json(options.series(step));
    }),
  );
  if (rules !== undefined) {
    answer("get", "/rules", protectedBy((context) => toldRules(context, rules)));
  }
  if (config !== undefined) {
    answer("get", "/config", protectedBy((context) => context.json(config()), refusalToFollow));
  }
  if (metrics !== undefined) {
    const headers = { "content-type": CONTENT_TYPE };
    answer("get", "/metrics", protectedBy((context) => context.body(metrics(), 200, headers)));
  }
  answer(
    "get",
    "/alerts",
    protectedBy((context) => follow(context, options.alerts), refusalToFollow),
  );
  answer(
    "get",
    "/alerts/recent",
    protectedBy((context) => recent(context, options.alerts), refusalToFollow),
  );
  answer(
    "get",
    "/alerts/:id",
    protectedBy((context) => {
      const text = alertAnswer(options.alerts.held, context.req.param("id") ?? "");
      if (text !== undefined) return context.body(text, 200, JSON_TYPE);
      return context.json({ error: "no such alert is held" }, 404);
    }, refusalToFollow),
  );
  if (reload !== undefined) {
    answer(
      "post",
      "/reload",
      protectedBy(async (context) => {
        const { status, body } = await reload();
        return context.json(body, status);
      }, refusalToAct),
    );
  }
  if (options.page !== undefined) {
    const { sessions } = options.page;
    answer("post", "/page/link", protectedBy((context) => linkTo(context, sessions), refusalToAct));
    const answered = pageOf(options, options.page);
    app.all("/", answered);
    app.all("/page/*", answered);
  }
  const { audit } = options;
  if (audit !== undefined) {
    app.all(
      audit.path,
      (context) => audit.hook.answer(context, audit.rights.refusalToAct(askerOf(context))),
    );
  }
  app.notFound((context) => context.json({ error: "not found" }, 404));
  app.onError((_error, context) => context.json({ error: "internal error" }, 500));
  return app;
}

/** The page for browsers: whoever has none asks for nothing of it, so it is read when asked for. */
function pageOf(
  { rights, alerts, status, series, rules, config }: AppOptions,
  page: AppOptions["page"] & object,
): Handler {
  const told = {
    series,
    ...(rules === undefined ? {} : { rules }),
    ...(config === undefined ? {} : { config }),
  };
  let made: Promise<Handler> | undefined;
  return async (context) => {
    made ??= import("./page/routes.tsx").then(({ makePage }) =>
      makePage({
        ...told,
        ...page,
        rights,
        alerts,
        // Its shape is that of status.ts.
        status: status as unknown as PageOptions["status"],
      })
    );
    return (await made)(context);
  };
}

function isWell({ status }: HealthReport): boolean {
  return status === "ok" || status === "degraded";
}

const JSON_TYPE = { "content-type": "application/json" };

async function toldRules(context: Asked, rules: () => Promise<RulesAnswer>): Promise<Response> {
  const query = rulesQuery(new URL(context.req.url).searchParams);
  if ("error" in query) return context.json({ error: query.error }, 400);
  return context.json(pickedRules(await rules(), query));
}

/** Alerts that are held, the newest first. */
function recent(context: Asked, { held }: AlertStream): Response {
  const query = recentQuery(new URL(context.req.url).searchParams);
  const answer = "error" in query ? query : recentAnswer(held, query);
  if (typeof answer === "string") return context.body(answer, 200, JSON_TYPE);
  return context.json({ error: answer.error }, 400);
}

/** Alerts as they come, as server-sent events. */
function follow(context: Asked, alerts: AlertStream): Response {
  const filter = alertFilter(new URL(context.req.url).searchParams);
  if ("error" in filter) return context.json({ error: filter.error }, 400);
  const headers = { "content-type": "text/event-stream" };
  // A stream that nobody reads would stay for ever.
  if (context.req.raw.method === "HEAD") return context.body(null, 200, headers);
  const after = context.req.header("last-event-id") ?? filter.after;
  const stream = alerts.open({ takes: filter.takes, after: after === "" ? undefined : after });
  if (stream !== undefined) return context.body(stream, 200, headers);
  const error = "too many clients follow the alerts";
  return context.json({ error }, 503, { "retry-after": "10" });
}
