// Where Kubernetes audit events come in: the configuration goes in, and either the web server is
// told to take them, or they have a server of their own, or a log is followed. All of it goes to
// one sink, and none of it keeps the watch of this host from anything.
import type { AuditSink, AuditVerdict } from "../../audit/contract.ts";
import { AUDIT_PATH, type AuditListen, auditSettings } from "../../config/audit_plugin.ts";
import type { Config } from "../../config/schema.ts";
import type { AuditIntake } from "../../metrics/audit_families.ts";
import { makeAuditApp } from "../../server/audit_app.ts";
import { AuditHook } from "../../server/audit_hook.ts";
import { isLoopbackAddress, Rights } from "../../server/rights.ts";
import { type Answerer, serve, type ServeOptions, type Server } from "../../server/serve.ts";
import { serveClients } from "./client_door.ts";
import { Following } from "./follow.ts";
import { readPem, readToken } from "./web_settings.ts";

export interface AuditDoorOptions {
  readonly config: Config;
  /** What judges; undefined as long as nothing does. */
  readonly sink: () => AuditSink | undefined;
  readonly warn: (line: string) => void;
  readonly info: (line: string) => void;
}

/** For the web server: the path, who may post there, and what takes it. */
export interface AuditRoute {
  readonly path: string;
  readonly hook: AuditHook;
  /** Where it is another one than the web server's own. */
  readonly token: string | undefined;
}

export interface AuditDoor {
  /** Undefined where the web server has nothing to do with it. */
  readonly route: AuditRoute | undefined;
  intake(): AuditIntake;
  /** What is amiss, one line each. */
  troubles(): readonly string[];
  /** Opens what is not the web server's. */
  begin(): void;
  close(): Promise<void>;
}

const AGAIN_MS = 10_000;
const EVERYWHERE = "::";
/** Where there is no IPv6. */
const EVERYWHERE_4 = "0.0.0.0";

/** Undefined where they come another way. Throws where the settings cannot be right. */
export function auditDoor(options: AuditDoorOptions): AuditDoor | undefined {
  const { input, init } = auditSettings(options.config);
  const { webserver } = options.config;
  const own = init.tokenFile === ""
    ? undefined
    : readToken("plugins[].init_config.tokenFile", { token: "", file: init.tokenFile });
  const sink = lateSink(options.sink);
  const hook = new AuditHook({ sink, bytesMax: init.webhookMaxBatchSize });
  // The thread that judges reads it by itself.
  if (input.kind === "once") return undefined;
  if (input.kind === "none") {
    return {
      route: { path: AUDIT_PATH, hook, token: own },
      intake: () => ({ webhook: hook.numbers() }),
      troubles: () => [],
      begin: () => {},
      close: () => Promise.resolve(),
    };
  }
  if (input.kind === "listen") {
    const token = own ??
      readToken("webserver.token", { token: webserver.token, file: webserver.token_file });
    const rights = new Rights({ token, insecure: true, mayAct: [] });
    const app = makeAuditApp({ hook, path: input.path, rights });
    if (init.clientCa !== "" && !input.secure) {
      throw new Error("plugins[].init_config.clientCa: open_params of k8saudit want https for it");
    }
    const { clientCa, sslCertificate } = init;
    const isForAll = token === undefined && clientCa === "";
    const warning = warningOf(input, token, isForAll);
    const listen = clientCa === ""
      ? serveAll(app, whereOf(input, sslCertificate))
      : () =>
        serveClients(app, {
          address: addressOf(input.host),
          port: input.port,
          pem: sslCertificate,
          clientCa,
        });
    return new OwnServer({ ...options, listen, input, warning }, hook);
  }
  return new FollowedLog(options, {
    path: input.path,
    lineBytesMax: init.webhookMaxBatchSize,
    positionFile: init.positionFile,
    sink,
  });
}

function whereOf({ host, port, secure }: AuditListen, pem: string): ServeOptions {
  return {
    address: host === "" ? EVERYWHERE : host,
    port,
    hint: "choose another with open_params of k8saudit",
    ...(secure ? { tls: readPem("plugins[].init_config.sslCertificate", pem) } : {}),
  };
}

/** The plugin takes what anybody posts; what that means is to be known. */
function warningOf(
  { host, secure }: AuditListen,
  token: string | undefined,
  isForAll: boolean,
): string | undefined {
  if (host === "localhost" || isLoopbackAddress(host)) return undefined;
  if (isForAll) {
    return "k8saudit: there is no token (init_config.tokenFile) nor clientCa: whoever reaches " +
      `${host === "" ? "this host" : host} can post audit events, and so make alerts`;
  }
  return secure || token === undefined
    ? undefined
    : "k8saudit: the token crosses the network for everybody to read: open_params wants https";
}

/** Busy until there is something that judges. */
function lateSink(sink: () => AuditSink | undefined): AuditSink {
  return { offer: (piece): Promise<AuditVerdict> | "busy" => sink()?.offer(piece) ?? "busy" };
}

interface OwnServerOptions extends AuditDoorOptions {
  readonly listen: () => Server;
  readonly input: AuditListen;
  readonly warning: string | undefined;
}

class OwnServer implements AuditDoor {
  readonly route = undefined;
  readonly #options: OwnServerOptions;
  readonly #hook: AuditHook;
  #server: Server | undefined;
  #problem: string | undefined;
  #again: number | undefined;

  constructor(options: OwnServerOptions, hook: AuditHook) {
    this.#options = options;
    this.#hook = hook;
  }

  intake(): AuditIntake {
    return { webhook: this.#hook.numbers() };
  }

  troubles(): readonly string[] {
    return this.#problem === undefined ? [] : [`k8saudit: ${this.#problem}`];
  }

  begin(): void {
    const { warn, warning } = this.#options;
    if (warning !== undefined) warn(`Warning: ${warning}`);
    this.#listen();
    if (this.#problem === undefined) return;
    warn(`Warning: k8saudit: ${this.#problem}; saker watches without it and tries again`);
    this.#again = setInterval(() => {
      this.#listen();
      if (this.#problem === undefined) clearInterval(this.#again);
    }, AGAIN_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#again);
    await this.#server?.close();
  }

  #listen(): void {
    const { listen, input, info } = this.#options;
    try {
      this.#server = listen();
    } catch (error) {
      this.#problem = (error as Error).message;
      return;
    }
    this.#problem = undefined;
    const { address, port } = this.#server;
    const host = address.includes(":") ? `[${address}]` : address;
    info(`Audit events are taken at http${input.secure ? "s" : ""}://${host}:${port}${input.path}`);
  }
}

function serveAll(app: Answerer, where: ServeOptions): () => Server {
  return () => {
    try {
      return serve(app, where);
    } catch (error) {
      const isNoIpv6 = where.address === EVERYWHERE &&
        !((error as Error).cause instanceof Deno.errors.AddrInUse);
      if (!isNoIpv6) throw error;
      return serve(app, { ...where, address: EVERYWHERE_4 });
    }
  };
}

/** Names are for the runtime's own sockets alone. */
function addressOf(host: string): string {
  return host === "" ? EVERYWHERE : host === "localhost" ? "127.0.0.1" : host;
}

class FollowedLog implements AuditDoor {
  readonly route = undefined;
  readonly #options: AuditDoorOptions;
  readonly #settings: Omit<ConstructorParameters<typeof Following>[0], "onFailure">;
  #following: Following | undefined;

  constructor(
    options: AuditDoorOptions,
    settings: Omit<ConstructorParameters<typeof Following>[0], "onFailure">,
  ) {
    this.#options = options;
    this.#settings = settings;
  }

  intake(): AuditIntake {
    return this.#following === undefined ? {} : { files: this.#following.numbers() };
  }

  troubles(): readonly string[] {
    const trouble = this.#following?.trouble();
    return trouble === undefined ? [] : [`k8saudit: ${trouble}`];
  }

  begin(): void {
    const onFailure = (error: string) =>
      this.#options.warn(`Warning: k8saudit: ${this.#settings.path}: ${error}`);
    this.#following = new Following({ ...this.#settings, onFailure });
  }

  async close(): Promise<void> {
    await this.#following?.close();
  }
}
