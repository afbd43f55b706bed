// `saker page`: where the page of a running saker is, as a link that opens it once, for whoever may
// have one: root, the user that saker runs as, or who has the token.
import { NoAnswer, Refusal } from "../../client/saker_client.ts";
import type { Flags } from "../flags.ts";
import type { AskFlags } from "../start/ask_flags.ts";
import { NOBODY_THERE, nobodyThere, runningSaker } from "../start/running_saker.ts";
import type { Terminal } from "../terminal.ts";

/** Prints it, alone on standard output; returns the exit code. */
export async function page(asked: AskFlags, flags: Flags, terminal: Terminal): Promise<number> {
  const client = runningSaker(flags, asked, terminal);
  try {
    const { path, expires_s } = linkIn(await client.post("/page/link"));
    terminal.error(
      `Open this in a browser within ${Math.round(expires_s / 60)} minutes; it works once:\n`,
    );
    terminal.out(`${client.url}${path}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    terminal.error(nobodyThere(client, error));
    return NOBODY_THERE;
  } finally {
    client.close();
  }
}

function linkIn(answer: unknown): { readonly path: string; readonly expires_s: number } {
  const { path, expires_s } = (answer ?? {}) as Record<string, unknown>;
  if (typeof path === "string" && /^\/page\/open\?code=[\w-]+$/.test(path)) {
    return { path, expires_s: Number(expires_s) || 0 };
  }
  throw new Refusal(200, "what answers there is no saker that has a page");
}
