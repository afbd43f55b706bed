// Watching this host: the live driver, the web server, alerts until somebody ends it.
import type { Config } from "../../config/schema.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import { collectGarbage } from "../../engine/thread/garbage.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { makeApp } from "../../server/app.ts";
import { forksSinceBoot, Health } from "../../server/health.ts";
import { serve, type Server } from "../../server/serve.ts";
import { engineStart, liveStart, rulesStart } from "../start/engine_start.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import { logTo } from "../log.ts";
import { runSession } from "../start/session.ts";
import type { Terminal } from "../terminal.ts";
import { SAKER_VERSION, versions } from "../start/versions.ts";

/** After this long the start is over, and what it left can be collected. */
const SETTLED_MS = 1_000;

export async function watch(
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { config } = loaded;
  checkSources(flags, config);
  const rules = rulesStart(config, flags);
  const counters = new Counters();
  const hostRoot = terminal.environment("HOST_ROOT") ?? "";
  const start = engineStart(config, flags, {
    counters,
    rules,
    source: liveStart(config, navigator.hardwareConcurrency, hostRoot),
    hostname: terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname(),
  });
  if (flags.pidfile !== undefined && !writePid(flags.pidfile, terminal)) return 255;

  const web = startWeb(flags, config, counters, hostRoot);
  try {
    return await runSession({
      loaded,
      start,
      counters,
      terminal,
      patient: false,
      watched: config.watch_config_files ? watchedPaths(flags, loaded) : [],
      readRules: (): RulesStart => rulesStart(loadConfig(flags, terminal).config, flags),
      onReady(): void {
        // Since the process began, not since this function did.
        const ms = Math.round(performance.now());
        logTo(config, terminal).info(
          `saker ${SAKER_VERSION} is watching: ${counters.get(Counter.Rules)} rules, ` +
            `${counters.get(Counter.Programs)} programs` +
            `${web === undefined ? "" : `, health at ${web.url}`}; ready in ${ms} ms`,
        );
        setTimeout(collectGarbage, SETTLED_MS);
      },
    });
  } finally {
    await web?.close();
  }
}

/** Where the configuration and the rules came from; the built-in rules do not change. */
function watchedPaths(flags: Flags, { config, files }: LoadedConfig): string[] {
  const configured = config.rules_files ?? config.rules_file ?? [];
  return [...files, ...(flags.rules.length > 0 ? flags.rules : configured)];
}

function checkSources(flags: Flags, config: Config): void {
  if (flags.enableSource.length > 0 && flags.disableSource.length > 0) {
    throw new Error("You can not mix --enable-source and --disable-source");
  }
  for (const source of [...flags.enableSource, ...flags.disableSource]) {
    if (source !== "syscall") {
      throw new Error(`Attempted disabling/enabling an unknown event source: ${source}`);
    }
  }
  if (flags.disableSource.includes("syscall")) {
    throw new Error("Must enable at least one event source");
  }
  const { kind } = config.engine;
  if (kind === "kmod" || kind === "nodriver") {
    throw new Error(
      `engine.kind: ${kind} is not part of this version of saker; use modern_ebpf`,
    );
  }
}

interface Web {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens before anything else is started, so that a taken port is told at once. */
function startWeb(
  flags: Flags,
  config: Config,
  counters: Counters,
  hostRoot: string,
): Web | undefined {
  const { webserver } = config;
  if (!webserver.enabled && flags.listen === undefined) return undefined;
  const health = new Health({
    counters,
    driver: "modern_ebpf",
    countForks: () => forksSinceBoot(hostRoot),
  });
  const app = makeApp({
    healthPath: webserver.k8s_healthz_endpoint,
    health: () => health.report(Date.now()),
    versions,
  });
  const address = flags.listen?.address ?? webserver.listen_address;
  const port = flags.listen?.port ?? webserver.listen_port;
  const server: Server = serve(app, {
    address,
    port,
    ...(webserver.ssl_enabled ? { tls: readPem(webserver.ssl_certificate) } : {}),
  });
  const ticker = setInterval(() => health.tick(Date.now()), 1_000);
  const host = server.address.includes(":") ? `[${server.address}]` : server.address;
  return {
    url: `${webserver.ssl_enabled ? "https" : "http"}://${host}:${server.port}` +
      webserver.k8s_healthz_endpoint,
    async close(): Promise<void> {
      clearInterval(ticker);
      await server.close();
    },
  };
}

/** Falco's ssl_certificate is one PEM file that holds both the certificate and the key. */
function readPem(path: string): { certificate: string; key: string } {
  let pem: string;
  try {
    pem = Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`Cannot read webserver.ssl_certificate: ${(error as Error).message}`);
  }
  return { certificate: pem, key: pem };
}

function writePid(path: string, terminal: Terminal): boolean {
  try {
    Deno.writeTextFileSync(path, String(Deno.pid));
    return true;
  } catch (error) {
    terminal.error(`Error: Cannot write the pidfile: ${(error as Error).message}\n`);
    return false;
  }
}
