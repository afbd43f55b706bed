// Which running saker a command asks, and as whom: flags, the environment and a configuration file
// come in, a client goes out.
import { type NoAnswer, type Place, Refusal, SakerClient } from "../../client/saker_client.ts";
import { isLoopback } from "../../server/hosts.ts";
import { readConfig } from "../../config/read_config.ts";
import type { Config } from "../../config/schema.ts";
import { readKeyFile, readTextFile } from "../../files/read_text.ts";
import type { Flags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import { type AskFlags, DEFAULT_URL } from "./ask_flags.ts";

/** Nobody answers where a saker was meant to be. */
export const NOBODY_THERE = 2;

const TOKEN_BYTES_MAX = 4096;
const PEM_BYTES_MAX = 1 << 20;

/** Throws where a file cannot be read or the configuration is none. */
export function runningSaker(flags: Flags, ask: AskFlags, terminal: Terminal): SakerClient {
  return new SakerClient(placeOf(flags, ask, terminal));
}

/** One line, for whoever has not started it, or somewhere else. */
export function nobodyThere({ url }: SakerClient, { message }: NoAnswer): string {
  return `Error: No saker answers at ${url}: ${message} (is it running? --url says where)\n`;
}

/** A refusal with what may be done about it; all else as it is. */
export function refusedWords(error: unknown): unknown {
  if (!(error instanceof Refusal) || error.status !== 401) return error;
  return new Error(`It refuses: ${error.message} (as root, or --token-file)`);
}

function placeOf(flags: Flags, ask: AskFlags, { environment }: Terminal): Place {
  const config = flags.config === undefined && flags.option.length === 0
    ? undefined
    // Whoever runs saker was told what else there is to say of it.
    : readConfig({ file: flags.config, options: flags.option, environment }).config;
  const webserver = config?.webserver;
  const place = ask.url ?? urlOf(flags, webserver);
  const host = new URL(place).hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || isLoopback(host)) forgetProxies();
  const token = tokenOf(ask, environment, webserver);
  return {
    url: place,
    ...(token === undefined ? {} : { token }),
    caCerts: caCertsOf(ask, webserver),
  };
}

function urlOf({ listen }: Flags, webserver: Config["webserver"] | undefined): string {
  if (listen === undefined && webserver === undefined) return DEFAULT_URL;
  const address = listen?.address ?? webserver?.listen_address ?? "127.0.0.1";
  const port = listen?.port ?? webserver?.listen_port ?? 8765;
  const scheme = webserver?.ssl_enabled === true ? "https" : "http";
  // What listens everywhere is asked here.
  const near = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `${scheme}://${near.includes(":") ? `[${near}]` : near}:${port}`;
}

function tokenOf(
  { tokenFile }: AskFlags,
  environment: Terminal["environment"],
  webserver: Config["webserver"] | undefined,
): string | undefined {
  if (tokenFile !== undefined) return oneLine("--token-file", tokenFile);
  const given = environment("SAKER_TOKEN") ?? "";
  if (given !== "") return printable("SAKER_TOKEN", given);
  if (webserver === undefined) return undefined;
  const { token, token_file } = webserver;
  if (token_file !== "") return oneLine("webserver.token_file", token_file);
  return token === "" ? undefined : token;
}

function oneLine(name: string, path: string): string {
  return printable(`${name} ${path}`, readKeyFile(name, path, TOKEN_BYTES_MAX).trim());
}

/** No message holds it. */
function printable(name: string, token: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw new Error(`${name}: expected a token, one line of printable characters without blanks`);
}

/** A server's own file may be the only one that knows its certificate. */
function caCertsOf(
  { caFile }: AskFlags,
  webserver: Config["webserver"] | undefined,
): readonly string[] {
  if (caFile !== undefined) {
    const pem = readKeyFile("--ca-file", caFile, PEM_BYTES_MAX);
    if (pem.includes("CERTIFICATE-----")) return [pem];
    throw new Error(`--ca-file: ${caFile} has no CERTIFICATE, expected PEM`);
  }
  if (webserver?.ssl_enabled !== true) return [];
  try {
    return [readTextFile(webserver.ssl_certificate, PEM_BYTES_MAX)];
  } catch {
    return [];
  }
}

/** The runtime would ask a proxy for what is on this host. */
function forgetProxies(): void {
  for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
    Deno.env.delete(name);
  }
  Deno.env.delete("all_proxy");
}
