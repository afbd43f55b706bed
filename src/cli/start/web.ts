// The web server of a watch: it may come later than the watch and go before it, since whoever holds
// its port must not keep saker from seeing. What is asked of it is answered from the engine's
// counters and the outputs' numbers.
import type { QueueStats } from "../../alerts/queue.ts";
import type { Config } from "../../config/schema.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import type { DeadRule } from "../../engine/contract/messages.ts";
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Facts } from "../../metrics/facts.ts";
import { type App, makeApp } from "../../server/app.ts";
import { Health } from "../../server/health.ts";
import { Rates } from "../../server/rates.ts";
import { reloadForAnswers, type ReloadOutcome } from "../../server/reload.ts";
import { isLoopbackAddress, Rights } from "../../server/rights.ts";
import { serve, type ServeOptions, type Server } from "../../server/serve.ts";
import { forksSinceBoot } from "../../server/sight.ts";
import { type RateName, statusOf } from "../../server/status.ts";
import { type AlertStream, BEAT_MS } from "../../server/stream/alert_stream.ts";
import type { Flags } from "../flags.ts";
import { FDS_MAX } from "./engine_start.ts";
import { versions } from "./versions.ts";

export interface WebOptions {
  readonly config: Config;
  readonly flags: Flags;
  readonly counters: Counters;
  readonly hostRoot: string;
  /** Somebody looks on who can choose another port: then one that cannot be had is an error. */
  readonly isAttended: boolean;
  readonly outputs: () => readonly QueueStats[];
  readonly troubles: () => readonly string[];
  readonly strays: () => number;
  readonly deadRules?: () => readonly DeadRule[];
  readonly facts: Facts;
  /** Who follows the alerts. */
  readonly stream: AlertStream;
  /** What Prometheus is answered; absent where it is not to be. */
  readonly metrics?: (() => string) | undefined;
  /** Reads configuration and rules anew; absent where nothing can change. */
  readonly reload?: () => Promise<ReloadOutcome>;
}

export interface Web {
  /** Where it listens; undefined while it does not. */
  url(): string | undefined;
  /** Why it does not. */
  problem(): string | undefined;
  /** What whoever runs saker should know of how open it is; undefined where all is well. */
  readonly warning: string | undefined;
  /** `onListening` is called when it listens after all. */
  keepTrying(onListening: (url: string) => void): void;
  close(): Promise<void>;
}

const AGAIN_MS = 10_000;
const PEM_BYTES_MAX = 1 << 20;

/** Undefined where none is wanted. Throws where the settings cannot be right. */
export function startWeb(options: WebOptions): Web | undefined {
  const { config, flags, counters, hostRoot } = options;
  const { webserver } = config;
  if (!webserver.enabled && flags.listen === undefined) return undefined;
  let server: Server | undefined;
  let problem: string | undefined;
  const health = new Health({
    counters,
    driver: config.engine.kind === "nodriver" ? "nodriver" : "modern_ebpf",
    countForks: () => forksOf(config, hostRoot),
    outputs: options.outputs,
    web: () => server?.stats(),
    troubles: options.troubles,
    strays: options.strays,
    ...(options.deadRules === undefined ? {} : { deadRules: options.deadRules }),
  });
  const address = flags.listen?.address ?? webserver.listen_address;
  const token = readToken(webserver);
  const rates = new Rates<RateName>();
  const app = appOf(options, { address, token, health, rates });
  const where: ServeOptions = {
    address,
    port: flags.listen?.port ?? webserver.listen_port,
    ...(webserver.ssl_enabled ? { tls: readPem(webserver.ssl_certificate) } : {}),
  };
  const listen = () => {
    try {
      server = serve(app, where);
      problem = undefined;
    } catch (error) {
      if (flags.listen !== undefined && options.isAttended) throw error;
      problem = (error as Error).message;
    }
  };
  listen();
  const url = () => {
    if (server === undefined) return undefined;
    const host = server.address.includes(":") ? `[${server.address}]` : server.address;
    const scheme = webserver.ssl_enabled ? "https" : "http";
    return `${scheme}://${host}:${server.port}${webserver.k8s_healthz_endpoint}`;
  };
  const ticker = setInterval(() => {
    const nowMs = Date.now();
    health.tick(nowMs);
    rates.add(nowMs, totalsOf(counters));
  }, 1_000);
  const beat = setInterval(() => options.stream.beat(), BEAT_MS);
  let again: number | undefined;
  return {
    url,
    problem: () => problem,
    warning: warningOf(config, address, token),
    keepTrying(onListening): void {
      if (server !== undefined) return;
      again = setInterval(() => {
        listen();
        if (server === undefined) return;
        clearInterval(again);
        onListening(url()!);
      }, AGAIN_MS);
    },
    async close(): Promise<void> {
      clearInterval(ticker);
      clearInterval(again);
      clearInterval(beat);
      options.stream.close();
      await server?.close();
    },
  };
}

interface AppParts {
  readonly address: string;
  readonly token: string | undefined;
  readonly health: Health;
  readonly rates: Rates<RateName>;
}

function appOf(options: WebOptions, { address, token, health, rates }: AppParts): App {
  const { config, facts, stream, metrics, reload, deadRules = () => [] } = options;
  const { webserver, falco_libs } = config;
  const report = () => health.report(Date.now());
  return makeApp({
    healthPath: webserver.k8s_healthz_endpoint,
    health: report,
    versions,
    hosts: [address, ...webserver.allowed_hosts],
    rights: new Rights({
      token,
      insecure: webserver.insecure,
      mayAct: [0, Deno.uid() ?? 0],
      mayAllFollow: webserver.alerts_for === "anyone",
    }),
    status: () =>
      statusOf({
        facts,
        health: report,
        rates,
        stream: () => stream.stats(),
        deadRules,
        troubles: () => health.troubles(),
        bounds: { threads: falco_libs.thread_table_size, descriptors: FDS_MAX },
      }),
    ...(metrics === undefined ? {} : { metrics }),
    alerts: stream,
    ...(reload === undefined ? {} : { reload: reloadForAnswers(reload) }),
  });
}

function totalsOf(counters: Counters): Record<RateName, number> {
  return {
    events: counters.get(Counter.Events),
    passed_over: counters.get(Counter.PassedOver),
    lost: counters.get(Counter.LostCritical) + counters.get(Counter.LostBulk),
    alerts: counters.get(Counter.Alerts),
  };
}

/** Falco's shipped configuration listens on 0.0.0.0; what that means here is to be known. */
function warningOf(
  { webserver }: Config,
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
  const text = token_file === "" ? token : readTokenFile(token_file);
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

function readTokenFile(path: string): string {
  try {
    return readTextFile(path, TOKEN_BYTES_MAX).trim();
  } catch (error) {
    throw new Error(`webserver.token_file: Cannot read ${path}: ${reasonOf(error)}`);
  }
}

/** Without a driver nobody expects to see them. */
export function forksOf({ engine }: Config, hostRoot: string): number | undefined {
  return engine.kind === "nodriver" ? undefined : forksSinceBoot(hostRoot);
}

/** Falco's ssl_certificate is one PEM file that holds both the certificate and the key. */
function readPem(path: string): { certificate: string; key: string } {
  let pem: string;
  try {
    pem = readTextFile(path, PEM_BYTES_MAX);
  } catch (error) {
    throw new Error(`webserver.ssl_certificate: Cannot read ${path}: ${reasonOf(error)}`);
  }
  for (const part of ["CERTIFICATE", "PRIVATE KEY"]) {
    if (pem.includes(`${part}-----`)) continue;
    throw new Error(
      `webserver.ssl_certificate: ${path} has no ${part}; expected a certificate and its key (PEM)`,
    );
  }
  return { certificate: pem, key: pem };
}
