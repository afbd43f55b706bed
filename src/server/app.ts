// What the web server answers. Values come in as functions; no state is kept here.
import { Hono } from "hono";
import type { HealthReport } from "./health.ts";

export interface AppOptions {
  readonly healthPath: string;
  readonly health: () => HealthReport;
  readonly versions: () => Record<string, unknown>;
}

/** Falco's paths: the health check where it is configured, and /versions. */
export function makeApp({ healthPath, health, versions }: AppOptions): Hono {
  const app = new Hono();
  app.get(healthPath, (context) => {
    const report = health();
    return context.json(report, report.status === "ok" ? 200 : 503);
  });
  app.get("/versions", (context) => context.json(versions()));
  app.notFound((context) => context.json({ error: "not found" }, 404));
  app.onError((_error, context) => context.json({ error: "internal error" }, 500));
  return app;
}
