// What the web server answers. Values come in as functions; no state is kept here.
import { Hono } from "hono";
import type { HealthReport } from "./health.ts";
import { hostName, strangeName } from "./hosts.ts";
import { addReload, type ReloadOutcome } from "./reload.ts";
import type { Bindings } from "./serve.ts";

export interface AppOptions {
  readonly healthPath: string;
  readonly health: () => HealthReport;
  readonly versions: () => Record<string, unknown>;
  /** Names besides the loopback ones under which this server may be asked. */
  readonly hosts?: readonly string[];
  /** Reads configuration and rules anew; settles when they are taken or refused. */
  readonly reload?: () => Promise<ReloadOutcome>;
}

export type App = Hono<{ Bindings: Bindings }>;

/** Falco's paths: the health check where it is configured, and /versions. */
export function makeApp({ healthPath, health, versions, hosts = [], reload }: AppOptions): App {
  const app: App = new Hono();
  const allowed = hosts.map(hostName);
  app.use(async (context, next) => {
    const strange = strangeName({
      host: context.req.header("host"),
      origin: context.req.header("origin"),
      localAddress: context.env?.localAddress ?? "127.0.0.1",
    }, allowed);
    if (strange === undefined) await next();
    else {
      const error = `not answered under the name ${JSON.stringify(strange)}: ` +
        "webserver.allowed_hosts does not have it";
      context.res = context.json({ error }, 403);
    }
    context.header("x-content-type-options", "nosniff");
    context.header("cache-control", "no-store");
  });
  app.get(healthPath, (context) => {
    const report = health();
    return context.json(report, report.status === "ok" || report.status === "degraded" ? 200 : 503);
  });
  app.get("/versions", (context) => context.json(versions()));
  if (reload !== undefined) addReload(app, reload);
  for (const path of [healthPath, "/versions"]) {
    app.all(
      path,
      (context) => context.json({ error: "method not allowed" }, 405, { allow: "GET, HEAD" }),
    );
  }
  app.notFound((context) => context.json({ error: "not found" }, 404));
  app.onError((_error, context) => context.json({ error: "internal error" }, 500));
  return app;
}
