// The web server of an audit webhook that has an address of its own: nothing but its path is there.
import { Hono } from "hono";
import { askerOf } from "./asker.ts";
import type { AuditHook } from "./audit_hook.ts";
import type { Rights } from "./rights.ts";
import type { Bindings } from "./serve.ts";

export interface AuditAppOptions {
  readonly hook: AuditHook;
  /** One that ends with a slash stands for all below it. */
  readonly path: string;
  readonly rights: Rights;
}

export function makeAuditApp(
  { hook, path, rights }: AuditAppOptions,
): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  app.use(async (context, next) => {
    await next();
    context.header("x-content-type-options", "nosniff");
    context.header("cache-control", "no-store");
  });
  app.all("*", (context) => {
    if (!isBelow(path, context.req.url)) return context.json({ error: "not found" }, 404);
    return hook.answer(context, rights.refusalToAct(askerOf(context)));
  });
  app.onError((_error, context) => context.json({ error: "internal error" }, 500));
  return app;
}

function isBelow(wanted: string, url: string): boolean {
  const path = plain(new URL(url).pathname);
  return path === wanted || (wanted.endsWith("/") && (path + "/").startsWith(wanted));
}

function plain(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
