// POST /reload: as SIGHUP, with an answer that says what came of it: 200 where configuration and
// rules were taken, 422 with the reason where they were refused, 202 where it takes longer than a
// connection lasts.
import type { Hono } from "hono";
import type { Bindings } from "./serve.ts";

export type ReloadOutcome =
  | {
    readonly reloaded: true;
    readonly rules: number;
    /** Counts configurations since the start, which is 1. */
    readonly generation: number;
    /** Of configuration and rules. */
    readonly sha256: string;
    /** Keys that changed and wait for the next start. */
    readonly restart: readonly string[];
  }
  | { readonly reloaded: false; readonly error: string };

/** A connection is cut off a second later (serve.ts). */
const PATIENCE_MS = 4_000;

export function addReload(
  app: Hono<{ Bindings: Bindings }>,
  reload: () => Promise<ReloadOutcome>,
): void {
  app.post("/reload", async (context) => {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    const outcome = await Promise.race([reload(), late]);
    clearTimeout(timer);
    if (outcome === undefined) return context.json({ reloaded: null }, 202);
    return context.json(outcome, outcome.reloaded ? 200 : 422);
  });
  app.all("/reload", (context) => {
    return context.json({ error: "method not allowed" }, 405, { allow: "POST" });
  });
}
