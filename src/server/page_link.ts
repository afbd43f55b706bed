// POST /page/link: a path that opens the page once, for whoever is told it by somebody who may act.
import type { Asked } from "./asker.ts";
import { LINK_MS, type Sessions } from "./sessions.ts";

export function linkTo(context: Asked, sessions: Sessions): Response {
  const path = `/page/open?code=${sessions.makeLink()}`;
  return context.json({ path, expires_s: LINK_MS / 1000 });
}
