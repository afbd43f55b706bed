// What each answer of a web server has in common: it is given under names that are this host's
// (hosts.ts), and no browser guesses what it is or keeps it.
import type { MiddlewareHandler } from "hono";
import { hostName, strangeName } from "./hosts.ts";
import type { Bindings } from "./serve.ts";

/** `hosts`: names besides the loopback ones under which the server may be asked. */
export function checkName(hosts: readonly string[]): MiddlewareHandler<{ Bindings: Bindings }> {
  const allowed = hosts.map(hostName);
  return async (context, next) => {
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
    if (!context.res.headers.has("cache-control")) context.header("cache-control", "no-store");
  };
}
