// What Falco's k8saudit plugin is told in `plugins[].init_config` and `open_params`, which saker's
// own reading of Kubernetes audit events goes by: a Config comes in, plain values go out.
import { entryOf, loadsOurs, readInit } from "./plugin_entry.ts";
import type { Config } from "./schema.ts";
import { type Held, map } from "./shape.ts";
import { bool, integer, text } from "./values.ts";

/** Bytes of one body that are taken at the most, whatever the configuration says. */
const BATCH_BYTES_MAX = 64 << 20;

export const AUDIT_INIT = map({
  sslCertificate: text("/etc/falco/falco.pem"),
  maxEventSize: integer(262_144, { min: 1, max: BATCH_BYTES_MAX }),
  webhookMaxBatchSize: integer(12_582_912, { min: 1, max: BATCH_BYTES_MAX }),
  // Of the plugin's own threads: saker judges in one of its own in any case.
  useAsync: bool(true),
  // Saker's own, all that follow; the plugin passes over keys that it does not know.
  tokenFile: text(""),
  clientCa: text(""),
  positionFile: text(""),
});

export const JSON_INIT = map({ useAsync: bool(true) });

export type AuditInit = Held<typeof AUDIT_INIT>;

/** Where the audit events of `open_params` come from. */
export type AuditInput =
  /** It says nothing: the web server takes them. */
  | { readonly kind: "none" }
  /** A file, a pipe, or the files of a directory: read once, from its start to its end. */
  | { readonly kind: "once"; readonly path: string }
  /** A file, or the files of a directory, followed from their end as it is now. */
  | { readonly kind: "follow"; readonly path: string }
  | AuditListen;

export interface AuditListen {
  readonly kind: "listen";
  /** A name or an address; "" for all addresses. */
  readonly host: string;
  readonly port: number;
  /** One that ends with a slash stands for all below it. */
  readonly path: string;
  readonly secure: boolean;
}

export interface AuditSettings {
  /** The configuration loads the plugin. */
  readonly isLoaded: boolean;
  readonly input: AuditInput;
  readonly init: AuditInit;
}

/** Of a Config that was read: its values were checked then. */
export function auditSettings(config: Config): AuditSettings {
  const found = entryOf(config, AUDIT_PLUGIN);
  const isLoaded = loadsOurs(config, AUDIT_PLUGIN);
  if (found === undefined || !isLoaded) {
    return { isLoaded, input: { kind: "none" }, init: AUDIT_INIT.initial() };
  }
  const input = readOpenParams(found.entry.open_params);
  if ("error" in input) throw new Error(input.error);
  return { isLoaded, input, init: readInit(AUDIT_INIT, found).value };
}

export const AUDIT_PLUGIN = "k8saudit";

/** The path where nothing else is said. */
export const AUDIT_PATH = "/k8s-audit";

/**
 * As the plugin reads them: a URL of the schemes http, https and file, everything else without a
 * scheme a path. `error` says what was expected.
 */
export function readOpenParams(given: string): AuditInput | { readonly error: string } {
  const params = given.trim();
  if (params === "") return { kind: "none" };
  if (/%(?![0-9a-fA-F]{2})/.test(params)) return { error: `${EXPECTED}: a % stands alone` };
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(params)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "once", path: params };
  if (scheme === "file") {
    const path = /^file:(?:\/\/(?:localhost)?)?(\/[^]*)$/i.exec(params)?.[1];
    if (path === undefined) return { error: EXPECTED };
    return { kind: "follow", path: decoded(path) ?? path };
  }
  if (scheme !== "http" && scheme !== "https") {
    return { error: `${EXPECTED}: the scheme "${scheme}" is not known` };
  }
  const parts =
    /^https?:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/?#[\]@]*))(?::(\d{1,5}))?(\/[^?#]*)?(?:[?#][^]*)?$/i
      .exec(params);
  const secure = scheme === "https";
  const port = Number(parts?.[3] ?? (secure ? 443 : 80));
  if (parts === null || port > 65_535) return { error: EXPECTED };
  const path = parts[4] ?? AUDIT_PATH;
  return { kind: "listen", host: parts[1] ?? parts[2]!, port, path: decoded(path) ?? path, secure };
}

const EXPECTED = "expected a file or directory, file:///PATH, http://HOST:PORT/PATH or " +
  "https://HOST:PORT/PATH";

/** Undefined where the escapes make no text. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
