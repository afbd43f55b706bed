// The web server of a watch: it may come later than the watch and go before it, since whoever holds
// its port must not keep saker from seeing; another configuration moves it under way. What is asked
// of it is answered from the engine's counters and the outputs' numbers.
import type { QueueStats } from "../../alerts/queue.ts";
import { type Config, driverOf } from "../../config/schema.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import type { LossJournalReport } from "../../engine/contract/loss_journal.ts";
import type { DeadRule, RefusedProgram } from "../../engine/contract/messages.ts";
import type { Facts } from "../../metrics/facts.ts";
import { type App, type AppOptions, makeApp } from "../../server/app.ts";
import { Health } from "../../server/health.ts";
import { Rates } from "../../server/rates.ts";
import { reloadForAnswers, type ReloadOutcome } from "../../server/reload.ts";
import { Rights } from "../../server/rights.ts";
import { type Answerer, serve, type Server } from "../../server/serve.ts";
import { Sessions } from "../../server/sessions.ts";
import { forksSinceBoot } from "../../server/sight.ts";
import { type RateName, statusOf } from "../../server/status.ts";
import { type AlertStream, BEAT_MS } from "../../server/stream/alert_stream.ts";
import { Series } from "../../server/told/series.ts";
import type { Flags } from "../flags.ts";
import type { AuditRoute } from "./audit_door.ts";
import { FDS_MAX } from "./engine_start.ts";
import { versions } from "./versions.ts";
import { type WebSettings, webSettings } from "./web_settings.ts";

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
  readonly refusedPrograms?: () => readonly RefusedProgram[];
  readonly losses?: () => LossJournalReport;
  readonly facts: Facts;
  /** Who follows the alerts. */
  readonly stream: AlertStream;
  /** What is told of the rules in force, and of the configuration. */
  readonly told?: Pick<AppOptions, "rules" | "config">;
  /** Works out what the page is asked for. */
  readonly page?: Omit<AppOptions["page"] & object, "sessions">;
  /** Names and versions of the plugins that are loaded. */
  readonly plugins?: () => Readonly<Record<string, string>>;
  /** What takes Kubernetes audit events, where it is this server. */
  readonly audit?: AuditRoute;
  /** What Prometheus is answered by the present configuration; undefined where it is not to be. */
  readonly metrics: () => (() => string) | undefined;
  /** Reads configuration and rules anew; absent where nothing can change. */
  readonly reload?: () => Promise<ReloadOutcome>;
}

export interface Web {
  /** Where it listens; undefined while it does not. */
  url(): string | undefined;
  /** Why it does not. */
  problem(): string | undefined;
  /** What whoever runs saker should know of how open it is; undefined where all is well. */
  warning(): string | undefined;
  /** `onListening` is called when it listens after all. */
  keepTrying(onListening: (url: string) => void): void;
  /** Goes by another configuration: settles when it does, or with why it stays as it was. */
  exchange(config: Config): Promise<string | undefined>;
  close(): Promise<void>;
}

const AGAIN_MS = 10_000;

/** Throws where the settings cannot be right. */
export function startWeb(options: WebOptions): Web {
  const { config, flags, counters, hostRoot, facts } = options;
  let settings = webSettings(config, flags);
  let server: Server | undefined;
  let problem: string | undefined;
  const health = new Health({
    counters,
    driver: driverOf(config.engine.kind) ?? "nodriver",
    countForks: () => forksOf(config, hostRoot),
    outputs: options.outputs,
    web: () => server?.stats(),
    troubles: options.troubles,
    strays: options.strays,
    ...(facts.runtimes === undefined ? {} : { runtimes: facts.runtimes }),
    ...(facts.cluster === undefined ? {} : { cluster: facts.cluster }),
    ...(facts.rollout === undefined ? {} : { rollout: facts.rollout }),
    ...(facts.audit === undefined ? {} : { audit: facts.audit }),
    ...(facts.plugins === undefined ? {} : { plugins: facts.plugins }),
    ...(options.deadRules === undefined ? {} : { deadRules: options.deadRules }),
    ...(options.losses === undefined ? {} : { losses: options.losses }),
    ...(options.refusedPrograms === undefined ? {} : { refused: options.refusedPrograms }),
  });
  const rates = new Rates<RateName>();
  const sessions = new Sessions();
  const series = new Series({ counters, alerts: () => options.stream.taken });
  const appFor = (of: WebSettings) => appOf(options, of, { health, rates, series, sessions });
  let app = settings === undefined ? undefined : appFor(settings);
  const present: Answerer = { fetch: (request, peer) => app!.fetch(request, peer) };
  const listen = () => {
    if (settings === undefined) return;
    try {
      server = serve(present, settings.where);
      problem = undefined;
    } catch (error) {
      problem = (error as Error).message;
    }
  };
  listen();
  if (problem !== undefined && flags.listen !== undefined && options.isAttended) {
    throw new Error(problem);
  }
  const url = () => {
    if (server === undefined || settings === undefined) return undefined;
    const host = server.address.includes(":") ? `[${server.address}]` : server.address;
    const scheme = settings.where.tls === undefined ? "http" : "https";
    return `${scheme}://${host}:${server.port}${settings.webserver.k8s_healthz_endpoint}`;
  };
  const ticker = setInterval(() => {
    const nowMs = Date.now();
    health.tick(nowMs);
    rates.add(nowMs, totalsOf(counters));
    series.tick(nowMs);
  }, 1_000);
  const beat = setInterval(() => options.stream.beat(), BEAT_MS);
  const take = (next: WebSettings | undefined) => {
    settings = next;
    app = next === undefined ? undefined : appFor(next);
  };
  const stop = async () => {
    const old = server;
    server = undefined;
    await old?.close();
  };
  /** The new one listens before the old one is closed, unless it wants the same port. */
  const move = async (next: WebSettings): Promise<string | undefined> => {
    const [before, old] = [settings, server];
    if (old === undefined || next.where.port === before?.where.port) {
      await stop();
      take(next);
      listen();
      if (server !== undefined || old === undefined) return undefined;
      const reason = problem;
      take(before);
      listen();
      return reason;
    }
    try {
      server = serve(present, next.where);
    } catch (error) {
      return (error as Error).message;
    }
    take(next);
    problem = undefined;
    await old.close();
    return undefined;
  };
  const exchange = async (config: Config): Promise<string | undefined> => {
    let next: WebSettings | undefined;
    try {
      next = webSettings(config, flags);
    } catch (error) {
      return (error as Error).message;
    }
    if (next === undefined) {
      problem = undefined;
      await stop();
    } else if (JSON.stringify(next.where) !== JSON.stringify(settings?.where)) {
      return await move(next);
    }
    take(next);
    return undefined;
  };
  let exchanging: Promise<unknown> = Promise.resolve();
  let again: number | undefined;
  return {
    url,
    problem: () => problem,
    warning: () => settings?.warning,
    keepTrying(onListening): void {
      again = setInterval(() => {
        if (server !== undefined || problem === undefined) return;
        listen();
        if (server !== undefined) onListening(url()!);
      }, AGAIN_MS);
    },
    exchange(config): Promise<string | undefined> {
      const exchanged = exchanging.then(() => exchange(config));
      exchanging = exchanged.catch(() => {});
      return exchanged;
    },
    async close(): Promise<void> {
      await exchanging;
      clearInterval(ticker);
      clearInterval(again);
      clearInterval(beat);
      options.stream.close();
      await server?.close();
    },
  };
}

interface AppParts {
  readonly health: Health;
  readonly rates: Rates<RateName>;
  readonly sessions: Sessions;
  readonly series: Series;
}

function appOf(
  options: WebOptions,
  { where: { address }, token, webserver }: WebSettings,
  { health, rates, series, sessions }: AppParts,
): App {
  const { facts, stream, audit, reload, deadRules = () => [] } = options;
  const { falco_libs } = options.config;
  const metrics = options.metrics();
  const report = () => health.report(Date.now());
  const rightsWith = (of: string | undefined) =>
    new Rights({
      token: of,
      insecure: webserver.insecure,
      mayAct: [0, Deno.uid() ?? 0],
      mayAllFollow: webserver.alerts_for === "anyone",
      sessions,
    });
  return makeApp({
    healthPath: webserver.k8s_healthz_endpoint,
    health: report,
    versions: () => versions(options.plugins?.()),
    hosts: [address, ...webserver.allowed_hosts],
    rights: rightsWith(token),
    ...(audit === undefined
      ? {}
      : { audit: { ...audit, rights: rightsWith(audit.token ?? token) } }),
    status: () => ({
      ...statusOf({
        facts,
        health: report,
        rates,
        stream: () => stream.stats(),
        deadRules,
        troubles: () => health.troubles(Date.now()),
        bounds: { threads: falco_libs.thread_table_size, descriptors: FDS_MAX },
      }),
      page: { sessions: sessions.stats() },
    }),
    series: (step) => series.answer(step),
    ...options.told,
    ...(metrics === undefined ? {} : { metrics }),
    alerts: stream,
    page: { sessions, ...options.page },
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

/** Without a driver nobody expects to see them, and a tracer sees those of its own processes. */
export function forksOf({ engine }: Config, hostRoot: string): number | undefined {
  const driver = driverOf(engine.kind);
  return driver === undefined || driver === "ptrace" ? undefined : forksSinceBoot(hostRoot);
}
