// The web server of a watch: it may come later than the watch and go before it, since whoever holds
// its port must not keep saker from seeing. What is asked of it is answered from the engine's
// counters and the outputs' numbers.
import type { QueueStats } from "../../alerts/queue.ts";
import type { Config } from "../../config/schema.ts";
import type { Counters } from "../../engine/contract/counters.ts";
import type { DeadRule } from "../../engine/contract/messages.ts";
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { makeApp } from "../../server/app.ts";
import { Health } from "../../server/health.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import { serve, type ServeOptions, type Server } from "../../server/serve.ts";
import { forksSinceBoot } from "../../server/sight.ts";
import type { Flags } from "../flags.ts";
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
  /** Reads configuration and rules anew; absent where nothing can change. */
  readonly reload?: () => Promise<ReloadOutcome>;
}

export interface Web {
  /** Where it listens; undefined while it does not. */
  url(): string | undefined;
  /** Why it does not. */
  problem(): string | undefined;
  /** `onChange` is called when it listens after all. */
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
    // Without a driver nobody expects to see them.
    countForks: () => config.engine.kind === "nodriver" ? undefined : forksSinceBoot(hostRoot),
    outputs: options.outputs,
    web: () => server?.stats(),
    troubles: options.troubles,
    strays: options.strays,
    ...(options.deadRules === undefined ? {} : { deadRules: options.deadRules }),
  });
  const address = flags.listen?.address ?? webserver.listen_address;
  const app = makeApp({
    healthPath: webserver.k8s_healthz_endpoint,
    health: () => health.report(Date.now()),
    versions,
    hosts: [address, ...webserver.allowed_hosts],
    ...(options.reload === undefined ? {} : { reload: options.reload }),
  });
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
  const ticker = setInterval(() => health.tick(Date.now()), 1_000);
  let again: number | undefined;
  return {
    url,
    problem: () => problem,
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
      await server?.close();
    },
  };
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
