// Config → the outputs to syslog, programs, files and the web: what each is made with. Files that
// it names (certificates, a token) are read here; one that cannot be read is an error at the start.
import { httpOutput } from "../../alerts/outputs/http.ts";
import { clientPoster, type TlsFiles, trustingPoster } from "../../alerts/outputs/http_post.ts";
import type { FileOptions } from "../../alerts/outputs/file.ts";
import type { Output } from "../../alerts/outputs/output.ts";
import { programOutput } from "../../alerts/outputs/program.ts";
import { syslogOutput } from "../../alerts/outputs/syslog.ts";
import { parseSyslogAddress } from "../../config/address.ts";
import { parseInterval } from "../../config/interval.ts";
import { type Config, FACILITIES } from "../../config/schema.ts";
import { readKeyFile, readTextFile } from "../../files/read_text.ts";

const PEM_BYTES_MAX = 4 << 20;
const TOKEN_BYTES_MAX = 64 << 10;
/** Where `output_timeout` is 0. */
const TIMEOUT_MS = 10_000;

export function syslogOf(config: Config): Output {
  const { address, facility, ident, ca_cert, client_cert, client_key } = config.syslog_output;
  const key = "syslog_output";
  return syslogOutput({
    address: parseSyslogAddress(address)!,
    names: { facility: FACILITIES.indexOf(facility), ident, pid: Deno.pid },
    tls: {
      caCerts: ca_cert === "" ? [] : [pem(`${key}.ca_cert`, ca_cert)],
      cert: client_cert === "" ? undefined : pem(`${key}.client_cert`, client_cert),
      key: client_key === "" ? undefined : pem(`${key}.client_key`, client_key),
    },
    timeoutMs: config.output_timeout || TIMEOUT_MS,
    now: () => new Date(),
  });
}

export function programOf({ program_output: { program, keep_alive } }: Config): Output {
  return programOutput({ command: program, keepAlive: keep_alive });
}

export function fileOf({ file_output }: Config): FileOptions {
  const { filename, keep_alive, rotate_max_mb, rotate_max_age, rotate_keep } = file_output;
  return {
    path: filename,
    keepAlive: keep_alive,
    rotation: {
      bytesMax: rotate_max_mb * 1_000_000 || Infinity,
      ageMaxMs: parseInterval(rotate_max_age) ?? Infinity,
      keep: rotate_keep,
    },
  };
}

/** `echo` shows what the server answers. */
export function httpOf(config: Config, json: boolean, echo: (text: string) => void): Output {
  const http = config.http_output;
  const url = urlOf(http.url);
  const tls = url.startsWith("https:") ? tlsOf(http) : { caCerts: [] };
  const trusting = http.insecure && url.startsWith("https:");
  const { bearer_token_file } = http;
  return httpOutput({
    poster: trusting ? trustingPoster(url, tls) : clientPoster(url, tls),
    headers: {
      "content-type": json ? "application/json" : "text/plain",
      "user-agent": http.user_agent,
      ...http.headers,
    },
    token: bearer_token_file === ""
      ? undefined
      : () =>
        readKeyFile("http_output.bearer_token_file", bearer_token_file, TOKEN_BYTES_MAX).trim(),
    gzip: http.compress_uploads,
    timeoutMs: http.timeout || config.output_timeout || TIMEOUT_MS,
    timeoutsMax: http.max_consecutive_timeouts,
    echo: http.echo ? echo : undefined,
    now: () => Date.now(),
  });
}

/** Falco takes a URL with quotes around it. */
function urlOf(text: string): string {
  const url = text.replace(/^(["'])(.*)\1$/, "$2");
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Error(`http_output.url: expected http://… or https://…, found "${text}"`);
}

function tlsOf(http: Config["http_output"]): TlsFiles {
  const { insecure, ca_cert, ca_bundle, ca_path, mtls, client_cert, client_key } = http;
  const key = "http_output";
  let caCerts: string[];
  if (insecure) caCerts = [];
  else if (ca_cert !== "") caCerts = [pem(`${key}.ca_cert`, ca_cert)];
  else if (ca_bundle !== "") caCerts = [pem(`${key}.ca_bundle`, ca_bundle)];
  else caCerts = authoritiesIn(ca_path);
  if (!mtls) return { caCerts };
  return {
    caCerts,
    cert: pem(`${key}.client_cert`, client_cert),
    key: pem(`${key}.client_key`, client_key),
  };
}

/** As OpenSSL has it: the files of a directory that are named by the hash of their subject. */
function authoritiesIn(directory: string): string[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    // The usual place is not there on every host, and the runtime has a list of its own.
    return [];
  }
  const hashed = names.filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
  const found = hashed.length > 0 ? hashed : names.filter((name) => /\.(pem|crt)$/.test(name));
  const texts = new Set<string>();
  for (const name of found.sort()) {
    try {
      texts.add(readTextFile(`${directory}/${name}`, PEM_BYTES_MAX));
    } catch {
      // A link that leads nowhere; OpenSSL passes over it too.
    }
  }
  return [...texts];
}

const pem = (key: string, path: string) => readKeyFile(key, path, PEM_BYTES_MAX);
