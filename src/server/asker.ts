// A request as this server's apps see it, and who asks: what rights are decided by.
import type { Context } from "hono";
import type { Asker } from "./rights.ts";
import type { Bindings } from "./serve.ts";

export type Asked = Context<{ Bindings: Bindings }>;

/**
 * The name of the session's cookie. Browsers send cookies to all ports of a host, and several
 * sakers may be looked at through ports of one host, so each has a name of its own. Over TLS it is
 * one that browsers take from this very host over TLS alone.
 */
export function sessionCookie(context: Asked): string {
  const port = /:(\d+)$/.exec(context.req.header("host") ?? "")?.[1] ?? "";
  const isSecure = context.req.url.startsWith("https:");
  return `${isSecure ? "__Host-" : ""}saker${port}`;
}

function sessionOf(context: Asked): string | undefined {
  const name = `${sessionCookie(context)}=`;
  const cookies = (context.req.header("cookie") ?? "").split(/; */);
  return cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length);
}

export function askerOf(context: Asked): Asker {
  return {
    authorization: context.req.header("authorization"),
    session: sessionOf(context),
    remoteAddress: context.env?.remoteAddress ?? "127.0.0.1",
    owner: () => context.env?.owner(),
  };
}
