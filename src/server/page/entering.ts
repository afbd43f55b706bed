// What stands before every page, whatever it shows: what a browser may do with it, its assets, and
// that somebody who may not see it is told what to do instead.
import type { Hono } from "hono";
import type { Asked } from "../asker.ts";
import { hostName, isLoopback } from "../hosts.ts";
import type { Bindings } from "../serve.ts";
import { ASSETS } from "./assets.ts";
import {
  type EntryOptions,
  isForeign,
  isNavigation,
  openLink,
  refusedPage,
  signIn,
  signOut,
} from "./letting_in.tsx";

/**
 * Nothing but what this server itself has: no scripts and styles within a page, nothing of other
 * hosts, no frame around it. No text becomes markup in a script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** To be called before pages are added. */
export function enterPages(page: Hono<{ Bindings: Bindings }>, options: EntryOptions): void {
  page.use(async (context, next) => {
    if (isForeign(context) && !isNavigation(context)) {
      context.res = context.text("not answered to a page of another origin", 403);
    } else await next();
    context.header("content-security-policy", POLICY);
    context.header("x-frame-options", "DENY");
    context.header("referrer-policy", "same-origin");
    // Browsers complain of it where they could not trust it.
    if (isTrusted(context)) context.header("cross-origin-opener-policy", "same-origin");
    context.header("cross-origin-resource-policy", "same-origin");
  });
  page.get("/page/assets/:sum/:name", (context) => {
    const asset = ASSETS.get(context.req.param("name"));
    if (asset === undefined) return context.text("not found", 404);
    return context.body(asset.text, 200, {
      "content-type": asset.type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  });
  page.post("/page/sign-in", (context) => signIn(context, options));
  page.post("/page/sign-out", (context) => signOut(context, options));
  page.get("/page/open", (context) => openLink(context, options));
  page.use(async (context, next) => {
    const refused = refusedPage(context, options);
    if (refused === undefined) await next();
    else context.res = refused;
  });
}

function isTrusted(context: Asked): boolean {
  const name = hostName(context.req.header("host") ?? "");
  return context.req.url.startsWith("https:") || name === "localhost" || isLoopback(name);
}
