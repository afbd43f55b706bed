// A request as this server's apps see it, and who asks: what rights are decided by.
import type { Context } from "hono";
import type { Asker } from "./rights.ts";
import type { Bindings } from "./serve.ts";

export type Asked = Context<{ Bindings: Bindings }>;

export function askerOf(context: Asked): Asker {
  return {
    authorization: context.req.header("authorization"),
    remoteAddress: context.env?.remoteAddress ?? "127.0.0.1",
    owner: () => context.env?.owner(),
  };
}
