// Config → the output to OTLP: where the server is, who we are there, what is said of this host.
// Files of credentials are looked at here, so that one that cannot be read is an error at the
// start, and read anew with each connection; what speaks the protocol is loaded when it is used.
import { otlpOutput, type OtlpWay } from "../../alerts/outputs/otlp.ts";
import type { TlsFiles } from "../../alerts/outputs/http_post.ts";
import type { Output } from "../../alerts/outputs/output.ts";
import type { Config } from "../../config/schema.ts";
import { readKeyFile, readTextFile } from "../../files/read_text.ts";
import { SAKER_VERSION } from "./versions.ts";

type Settings = Config["otlp_output"];

const KEY = "otlp_output";
const PEM_BYTES_MAX = 4 << 20;
const VALUE_BYTES_MAX = 64 << 10;
/** Where neither `timeout` nor `output_timeout` is given. */
const TIMEOUT_MS = 10_000;
/** A collector may be slow, and a connection over TLS takes its time. */
const TIMEOUT_LEAST_MS = 5_000;
const LOGS_PATH = "/v1/logs";

/** Where the server is, for the log: it holds no secret. */
export function otlpEndpoint({ endpoint, protocol }: Settings): string {
  if (endpoint !== "") return endpoint;
  return `http://127.0.0.1:${protocol === "grpc" ? 4317 : 4318}`;
}

/** `hostRoot` stands before the host's paths; alerts that are not of this host have no host.id. */
export function otlpOf(config: Config, hostRoot: string | undefined): Output {
  const otlp = config.otlp_output;
  // What cannot be used is an error now.
  placeOf(otlp);
  tlsOf(otlp);
  headersOf(otlp);
  return otlpOutput({
    open: () => open(otlp, hostRoot),
    timeoutMs: otlp.timeout || Math.max(config.output_timeout || TIMEOUT_MS, TIMEOUT_LEAST_MS),
  });
}

async function open(otlp: Settings, hostRoot: string | undefined): Promise<OtlpWay> {
  const [url, tls, headers] = [placeOf(otlp), tlsOf(otlp), () => headersOf(otlp)];
  const gzip = otlp.compression === "gzip";
  const about = {
    version: SAKER_VERSION,
    hostId: hostRoot === undefined ? undefined : machineId(hostRoot),
    resource: otlp.resource,
  };
  const now = () => Date.now();
  if (otlp.protocol === "grpc") {
    const { otlpGrpc } = await import("../../alerts/outputs/otlp_grpc.ts");
    return otlpGrpc({ origin: url, tls, about, gzip, headers, now });
  }
  const [{ otlpHttp }, { rawPoster }] = await Promise.all([
    import("../../alerts/outputs/otlp_http.ts"),
    import("../../alerts/outputs/http_post.ts"),
  ]);
  const json = otlp.protocol === "http/json";
  return otlpHttp({ poster: rawPoster(url, tls), about, json, gzip, headers, now });
}

/** The whole address; throws where the protocol has no use for it. */
function placeOf(otlp: Settings): string {
  const url = new URL(otlpEndpoint(otlp));
  // The address is told in the log.
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "") {
    throw new Error(
      `${KEY}.endpoint: expected no user and nothing behind the path: secrets belong into ` +
        "bearer_token_file or header_files",
    );
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (otlp.protocol === "grpc") {
    if (path === "") return url.origin;
    throw new Error(
      `${KEY}.endpoint: expected no path with protocol grpc, found "${otlp.endpoint}"`,
    );
  }
  return `${url.origin}${path.endsWith(LOGS_PATH) ? path : `${path}${LOGS_PATH}`}`;
}

function tlsOf(otlp: Settings): TlsFiles {
  const read = (key: "ca_cert" | "client_cert" | "client_key") =>
    otlp[key] === "" ? undefined : readKeyFile(`${KEY}.${key}`, otlp[key], PEM_BYTES_MAX);
  const [ca, cert, key] = [read("ca_cert"), read("client_cert"), read("client_key")];
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error(`${KEY}: expected client_cert and client_key together`);
  }
  return { caCerts: ca === undefined ? [] : [ca], cert, key };
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t -~]*$/;
/** The protocol's own, and those that say how long a message is and whose the connection is. */
const RESERVED = /^(content-.*|transfer-encoding|connection|host|te|grpc-.*|:.*)$/i;

/** With what stands in files; no message holds a value. */
function headersOf({ headers, header_files, bearer_token_file }: Settings): Record<string, string> {
  const all: Record<string, string> = { "user-agent": `saker/${SAKER_VERSION}` };
  const set = (key: string, name: string, value: string) => {
    if (!HEADER_NAME.test(name) || RESERVED.test(name)) {
      throw new Error(`${key}: expected a name of a header that is free, found "${name}"`);
    }
    if (!HEADER_VALUE.test(value)) {
      throw new Error(`${key}.${name}: expected a value of visible ASCII characters`);
    }
    const before = Object.keys(all).find((one) => one.toLowerCase() === name.toLowerCase());
    if (before !== undefined) delete all[before];
    all[name] = value;
  };
  for (const [name, value] of Object.entries(headers)) set(`${KEY}.headers`, name, value);
  for (const [name, path] of Object.entries(header_files)) {
    const key = `${KEY}.header_files`;
    set(key, name, readKeyFile(`${key}.${name}`, path, VALUE_BYTES_MAX).trim());
  }
  if (bearer_token_file !== "") {
    const key = `${KEY}.bearer_token_file`;
    set(
      key,
      "authorization",
      `Bearer ${readKeyFile(key, bearer_token_file, VALUE_BYTES_MAX).trim()}`,
    );
  }
  return all;
}

/** As systemd keeps it, which the semantic conventions take for a host's id. */
function machineId(hostRoot: string): string | undefined {
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    try {
      const id = readTextFile(`${hostRoot}${path}`, VALUE_BYTES_MAX).trim();
      if (/^[0-9a-f]{32}$/.test(id)) return id;
    } catch {
      // Not every host has one.
    }
  }
  return undefined;
}
