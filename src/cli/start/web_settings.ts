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
  const token = readToken("webserver.token", {
    token: webserver.token,
    file: webserver.token_file,
  });
  return {
    where: {
      address,
      port: listen?.port ?? webserver.listen_port,
      ...(webserver.ssl_enabled
        ? { tls: readPem("webserver.ssl_certificate", webserver.ssl_certificate) }
        : {}),
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

/** A bearer token, as it stands or in a file; undefined: there is none. No message holds it. */
export function readToken(
  name: string,
  { token, file }: { readonly token: string; readonly file: string },
): string | undefined {
  const fileName = name.endsWith("File") ? name : `${name}_file`;
  if (token !== "" && file !== "") {
    throw new Error(`${name}, ${fileName}: both are set, expected one`);
  }
  const key = file === "" ? name : `${fileName}: ${file}`;
  const text = file === "" ? token : readKeyFile(fileName, file, TOKEN_BYTES_MAX).trim();
  if (text === "" && file === "") return undefined;
  if (!/^[!-~]+$/.test(text)) {
    throw new Error(`${key}: expected one line of printable ASCII characters without blanks`);
  }
  if (text.length >= TOKEN_CHARS_MIN) return text;
  throw new Error(
    `${key}: a token of ${text.length} characters can be guessed; expected ${TOKEN_CHARS_MIN} at ` +
      "least",
  );
}

/** Falco has the certificate and its key in one PEM file. */
export function readPem(key: string, path: string): { certificate: string; key: string } {
  const pem = readKeyFile(key, path, PEM_BYTES_MAX);
  for (const part of ["CERTIFICATE", "PRIVATE KEY"]) {
    if (pem.includes(`${part}-----`)) continue;
    throw new Error(
      `${key}: ${path} has no ${part}; expected a certificate and its key (PEM)`,
    );
  }
  return { certificate: pem, key: pem };
}
