// The options of every command that asks a running saker: where it is, and as whom.
import { type Command, InvalidArgumentError } from "commander";

export interface AskFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export const DEFAULT_URL = "http://127.0.0.1:8765";

/** Adds what holds for every command that asks a running saker. */
export function addAskFlags(command: Command): Command {
  return command
    .option("--url <url>", `where the running saker answers (${DEFAULT_URL})`, checkedUrl)
    .option("--token-file <file>", "file of its token (or the environment's SAKER_TOKEN)")
    .option("--ca-file <file>", "certificates (PEM) to trust, for https with one of your own");
}

/** `host:port` is enough. Throws InvalidArgumentError. */
export function checkedUrl(value: string): string {
  const whole = /^https?:\/\//i.test(value) ? value : `http://${value}`;
  try {
    const { protocol, host, pathname, search, username } = new URL(whole);
    if (pathname === "/" && search === "" && username === "") return `${protocol}//${host}`;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("expected http://HOST:PORT or https://HOST:PORT");
}
