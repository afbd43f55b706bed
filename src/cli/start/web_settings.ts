// Config → how the web server is to be: where it listens, its certificate, who is answered. Files
// that it names are read here; what cannot be right is an error of one line.
import type { Config } from "../../config/schema.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { isLoopbackAddress } from "../../server/rights.ts";
import type { ServeOptions } from "../../server/serve.ts";
import type { Flags } from "../flags.ts";

export interface WebSettings {
  readonly where: ServeOptions;
  readonly token: string | undefined;
  /** What whoever runs saker should know of how open it is; undefined where all is well. */
  readonly warning: string | undefined;
  readonly webserver: Config["webserver"];
}

const PEM_BYTES_MAX = 1 << 20;

/** Undefined where no server is wanted. Throws where the settings cannot be right. */
export function webSettings(
  { webserver }: Config,
  { listen }: Pick<Flags, "listen">,
): WebSettings | undefined {
  if (!webserver.enabled && listen === undefined) return undefined;
  const address = listen?.address ?? webserver.listen_address;
  const token = readToken(webserver);
  return {
    where: {
      address,
      port: listen?.port ?? webserver.listen_port,
      ...(webserver.ssl_enabled ? { tls: readPem(webserver.ssl_certificate) } : {}),
    },
    token,
    warning: warningOf(webserver, address, token),
    webserver,
  };
}

/** Falco's shipped configuration listens on 0.0.0.0; what that means here is to be known. */
function warningOf(
  webserver: Config["webserver"],
  address: string,
  token: string | undefined,
): string | undefined {
  if (isLoopbackAddress(address)) return undefined;
  if (token === undefined) {
    return webserver.insecure
      ? `webserver.insecure: whoever reaches ${address} is answered everything, without a token`
      : `webserver: there is no token (webserver.token_file), so beyond this host ${address} ` +
        "answers /healthz, /readyz and /versions alone";
  }
  if (webserver.ssl_enabled) return undefined;
  return "webserver.ssl_enabled: false: the token crosses the network for everybody to read";
}

const TOKEN_BYTES_MAX = 4096;
/** Shorter ones can be guessed. */
const TOKEN_CHARS_MIN = 16;

/** The bearer token; no message holds it. */
function readToken({ token, token_file }: Config["webserver"]): string | undefined {
  if (token !== "" && token_file !== "") {
    throw new Error("webserver.token, webserver.token_file: both are set, expected one");
  }
  const key = token_file === "" ? "webserver.token" : `webserver.token_file: ${token_file}`;
  const text = token_file === ""
    ? token
    : readKeyFile("webserver.token_file", token_file, TOKEN_BYTES_MAX).trim();
  if (text === "" && token_file === "") return undefined;
  if (!/^[!-~]+$/.test(text)) {
    throw new Error(`${key}: expected one line of printable ASCII characters without blanks`);
  }
  if (text.length >= TOKEN_CHARS_MIN) return text;
  throw new Error(
    `${key}: a token of ${text.length} characters can be guessed; expected ${TOKEN_CHARS_MIN} at ` +
      "least",
  );
}

/** Falco's ssl_certificate is one PEM file that holds both the certificate and the key. */
function readPem(path: string): { certificate: string; key: string } {
  const pem = readKeyFile("webserver.ssl_certificate", path, PEM_BYTES_MAX);
  for (const part of ["CERTIFICATE", "PRIVATE KEY"]) {
    if (pem.includes(`${part}-----`)) continue;
    throw new Error(
      `webserver.ssl_certificate: ${path} has no ${part}; expected a certificate and its key (PEM)`,
    );
  }
  return { certificate: pem, key: pem };
}
