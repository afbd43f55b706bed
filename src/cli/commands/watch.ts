// Watching this host: the live driver, the web server, alerts until somebody ends it.
import { type Config, driverOf } from "../../config/schema.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import { CANARY_RULE } from "../../engine/contract/canary.ts";
import { LossJournal } from "../../engine/contract/loss_journal.ts";
import type { RulesTold } from "../../engine/thread/engine_thread.ts";
import type { RuntimesTold } from "../../engine/contract/messages.ts";
import { clusterReport } from "../../metrics/cluster_families.ts";
import { runtimeReport } from "../../metrics/runtime_families.ts";
import { reachable } from "../../engine/host/named_file.ts";
import { collectGarbage, HeapWatch } from "../../engine/thread/garbage.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import type { Contents } from "../../rollout/contents.ts";
import { flagsAgainstLinks } from "../../files/planted.ts";
import { reasonOf } from "../../files/reason.ts";
import { actOnce, Canary } from "../start/canary.ts";
import { clusterOf } from "../start/cluster_start.ts";
import { ConfigTelling } from "../start/config_telling.ts";
import { engineStart, liveStart, rulesStart } from "../start/engine_start.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import { PluginWatches } from "../start/plugin_watch.ts";
import { infosOf, inProcessLines, loadedLines } from "../start/loaded_plugins.ts";
import { loadPlugins } from "../start/plugins_start.ts";
import { rulesOfAll } from "../start/rules_of_all.ts";
import { AuditWatch } from "../start/audit_watch.ts";
import { type Sources, sourcesOf, watching } from "../start/sources.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import { type Log, logTo } from "../log.ts";
import type { LiveOutputs } from "../start/live_outputs.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import { AlertStream } from "../../server/stream/alert_stream.ts";
import { rulesAnswer } from "../../server/told/rules.ts";
import { formatOf } from "../start/make_outputs.ts";
import { LiveMetrics } from "../start/live_metrics.ts";
import { provideDriver } from "../start/provide_driver.ts";
import { driverName, Numbers } from "../start/numbers.ts";
import type { OwnAlert } from "../start/own_alerts.ts";
import type { ReloadState } from "../start/reloads.ts";
import { keptRights, thisView } from "../start/privileges.ts";
import { Surrounding } from "../start/around.ts";
import { Presences } from "../start/presence.ts";
import { Proposing } from "../start/proposing.ts";
import { RulesTelling } from "../start/rules_telling.ts";
import type { Rollout } from "../start/rollout.ts";
import { runSession } from "../start/session.ts";
import type { Terminal } from "../terminal.ts";
import type { Tracing } from "../start/tracing.ts";
import { SAKER_VERSION } from "../start/versions.ts";
import { startService } from "../start/service.ts";
import { forksOf, startWeb } from "../start/web.ts";

/** After this long the start is over, and what it left can be collected. */
const SETTLED_MS = 1_000;
const HEAP_MS = 10_000;

const NOT_YET: ReloadOutcome = { reloaded: false, error: "saker has only begun to start" };

export async function watch(
  flags: Flags,
  given: LoadedConfig,
  terminal: Terminal,
  tracing?: Tracing,
): Promise<number> {
  const hostname = terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname();
  // What a person traces for once is judged by what the person gave.
  const rollout = tracing !== undefined
    ? undefined
    : await rolloutOf(given.config, hostname, logTo(() => given.config, terminal));
  // What there is to say of the host's own files has been said.
  const quiet = { ...terminal, error: () => {}, syslog: () => {} };
  const loaded = rollout?.beginConfig((afar) => loadConfig(flags, quiet, given.notices, afar)) ??
    given;
  const plugins = await loadPlugins(loaded.config);
  const make = (bundle?: Contents) => rulesStart(loaded.config, flags, infosOf(plugins), bundle);
  const rules = rollout === undefined ? make() : rollout.beginRules(make);
  const sources = sourcesOf(flags, loaded.config, rules.files, plugins);
  const config = sources.syscalls ? loaded.config : withoutSyscalls(loaded.config);
  const log = logTo(() => config, terminal);
  for (const line of [...checkWatch(sources, loaded.config), ...sources.warnings]) {
    log.warning(`Warning: ${line}`);
  }
  for (const line of [...loadedLines(plugins), ...inProcessLines(plugins)]) log.info(line);
  const strays = catchStrays((failure) => log.warning(`Warning: a mistake in saker: ${failure}`));
  const counters = new Counters();
  const hostRoot = terminal.environment("HOST_ROOT") ?? "";
  await provideDriver(config, terminal, log.info);
  const rights = keptRights(config, thisView());
  const cluster = config.engine.kind === "nodriver" ? undefined : clusterOf(config, terminal, log);
  const begun = engineStart(config, flags, {
    counters,
    rules,
    source: sources.raw !== undefined
      ? { kind: "raw", plugin: sources.raw.setting, hostRoot }
      : config.engine.kind === "nodriver"
      ? { kind: "nothing" }
      : {
        ...liveStart(config, navigator.hardwareConcurrency, hostRoot, cluster),
        // A tracer needs what it was started with: its thread makes the command.
        ...(typeof rights === "string" || tracing !== undefined ? {} : { rights }),
        ...(tracing === undefined ? {} : { trace: tracing.start }),
      },
    hostname,
  });
  const onTallies = (source: string, told: TalliesTold) => numbers.onOtherTallies(source, told);
  const common = {
    config,
    flags,
    rules,
    hostname: begun.machine.hostname,
    warn: log.warning,
    info: log.info,
  };
  const pluginWatches = new PluginWatches(plugins, sources.plugins, { ...common, onTallies });
  const hasCalls = begun.source.kind !== "nothing";
  const start = { ...begun, extractors: pluginWatches.extractors("syscall", hasCalls) };
  if (flags.pidfile !== undefined && !writePid(flags.pidfile, terminal)) return 255;

  const audit = sources.audit === undefined ? undefined : new AuditWatch({
    ...common,
    settings: sources.audit,
    onTallies: (told) => onTallies("k8s_audit", told),
    extractors: pluginWatches.extractors("k8s_audit"),
    onPlugins: pluginWatches.onPlugins("k8s_audit"),
  });
  const parts = [...(audit === undefined ? [] : [audit.part]), ...pluginWatches.parts];
  let outputs: LiveOutputs | undefined;
  let heapTimer: number | undefined;
  let tell = (_alert: OwnAlert): void => {};
  let reloads: ReloadState | undefined;
  let reload = (_who?: string): Promise<ReloadOutcome> => Promise.resolve(NOT_YET);
  let told: RulesTold = { warnings: [], dead: [], refused: [] };
  let runtimes: RuntimesTold | undefined;
  const losses = new LossJournal();
  const stream = new AlertStream({ format: formatOf(config, true) });
  const numbers: Numbers = new Numbers({
    driver: driverName(config),
    counters,
    hostRoot,
    hostname: start.machine.hostname,
    environment: terminal.environment,
    outputs: () => outputs?.stats() ?? [],
    stream: () => stream.stats(),
    asked: {
      runtimes: () => runtimes && runtimeReport(counters, runtimes),
      cluster: () => runtimes && clusterReport(runtimes),
      ...(rollout === undefined ? {} : { rollout: () => rollout.report() }),
      ...(audit === undefined ? {} : { audit: () => audit.intake() }),
      ...(pluginWatches.isAny ? { plugins: () => pluginWatches.facts() } : {}),
    },
  });
  const { facts } = numbers;
  const presences = new Presences({
    facts,
    counters: [counters, ...parts.map((part) => part.counters)],
    engine: driverOf(config.engine.kind) ?? "nodriver",
    rules: () => rulesOfAll(counters, parts),
    check: () => outputs?.check(),
    warn: log.warning,
  });
  const canary = flags.canary === undefined ? undefined : new Canary({
    everyMs: flags.canary,
    counters,
    clock: () => Date.now(),
    token: () => crypto.randomUUID(),
    act: actOnce,
  });
  const telling = { rules: new RulesTelling(), config: new ConfigTelling(loaded) };
  const proposing = new Proposing({ seesFiles: hostRoot === "" });
  const surrounding = new Surrounding(start);
  const metrics = new LiveMetrics({ config, facts, warn: log.warning });
  /** Parts that stay as they were although the configuration says otherwise. */
  let unchanged: readonly string[] = [];
  const web = startWeb({
    config,
    flags,
    counters,
    hostRoot,
    isAttended: terminal.errorIsTerminal,
    outputs: () => outputs?.stats() ?? [],
    troubles: () => [
      ...[canary?.trouble()].filter((line) => line !== undefined),
      ...rollout?.troubles() ?? [],
      ...presences.troubles(),
      ...troubleOf(reloads),
      ...unchanged,
      ...audit?.troubles() ?? [],
      ...pluginWatches.troubles(),
      ...(outputs?.stats() ?? []).filter(({ state }) => state !== "ok" && state !== "failing")
        .map(({ name, reason }) => `${name}: ${reason}`),
    ],
    strays: strays.count,
    deadRules: () => told.dead,
    refusedPrograms: () => told.refused,
    losses: () => losses.report(),
    reload: () => reload(),
    facts,
    stream,
    told: {
      rules: async () =>
        rulesAnswer({
          told: await telling.rules.ask(),
          tallies: facts.tallies(),
          dead: told.dead,
          reload: facts.reload(),
          hidden: new Set([CANARY_RULE]),
        }),
      config: () => telling.config.answer(told.warnings),
    },
    page: {
      propose: (key, lines) => proposing.ask(key, lines),
      around: (asked) => surrounding.ask(asked),
    },
    plugins: () => pluginWatches.versions(),
    ...(audit?.route === undefined ? {} : { audit: audit.route }),
    metrics: () => metrics.text,
  });
  const tellWarning = (warning: string | undefined) => {
    if (warning === undefined) return;
    log.warning(`Warning: ${warning}`);
    tell({ subject: "web server without a token", message: warning });
  };
  const service = startService({
    environment: terminal.environment,
    pid: Deno.pid,
    sight: { counters, countForks: () => forksOf(config, hostRoot) },
    warn: log.warning,
  });
  try {
    const code = await runSession({
      loaded,
      service,
      ...(tracing === undefined ? { teller: presences } : {
        taken: (signal) => tracing.taken(counters, signal),
        failed: tracing.failed,
        ...(flags.verbose === true ? {} : { summary: () => "" }),
      }),
      start,
      counters,
      terminal,
      patient: false,
      verbose: flags.verbose === true,
      watched: (now) => watchedPaths(flags, now),
      reload: flags,
      rollout,
      onOutputs(made, tellAlert): void {
        outputs = made;
        tell = tellAlert;
        made.subscribe((alerts) => stream.take(alerts));
        made.subscribe((alerts) => presences.count(alerts));
      },
      onReload: (act) => reload = act,
      onReloadState(state, files): void {
        reloads = state;
        numbers.onReloadState(state, files);
        presences.changed();
        telling.config.onReloadState(state, files, Date.now());
        if (files === undefined) return;
        telling.rules.take(files.start);
        proposing.take(files.start);
      },
      async onConfig(next): Promise<void> {
        const [urlBefore, warningBefore] = [web.url(), web.warning()];
        stream.reformat(formatOf(next.config, true));
        const refusals = [
          ["metrics", metrics.exchange(next.config)],
          ["webserver", await web.exchange(next.config)],
        ].filter(([, reason]) => reason !== undefined);
        unchanged = refusals.map(([key, reason]) => `${key}: stays as it was: ${reason}`);
        for (const line of unchanged) {
          log.warning(`Warning: ${line}`);
          tell({ subject: "configuration not in force", message: line });
        }
        const url = web.url();
        if (url !== undefined && url !== urlBefore) log.info(`Health is at ${url}`);
        const warning = web.warning();
        if (warning !== warningBefore) tellWarning(warning);
      },
      parts,
      idleFirst: !sources.syscalls,
      onPlugins: pluginWatches.onPlugins("syscall"),
      ...(canary === undefined ? {} : { sift: (alerts) => canary.sift(alerts) }),
      onTallies: (told) => numbers.onTallies(told),
      onBusy: (window) => numbers.busiest.add(window, Date.now()),
      onRules: (rules) => told = rules,
      onLost(entry): void {
        losses.add(entry);
        presences.lost(Date.now());
      },
      onEnding: presences.stopped,
      onRuntimes: (told) => runtimes = told,
      onReady(): void {
        // Since the process began, not since this function did.
        const ms = Math.round(performance.now());
        const url = web.url();
        log.info(
          `saker ${SAKER_VERSION} ${watching(config, sources)}: ${
            rulesOfAll(counters, parts)
          } rules, ` +
            `${counters.get(Counter.ProgramsWanted) - counters.get(Counter.ProgramsDetached)} ` +
            "programs" +
            `${url === undefined ? "" : `, health at ${url}`}; ready in ${ms} ms`,
        );
        const problem = web.problem();
        if (problem !== undefined) {
          log.warning(`Warning: ${problem}; saker watches without it and tries again`);
          tell({ subject: "no web server", message: `It is tried again: ${problem}` });
        }
        tellWarning(web.warning());
        presences.ready();
        canary?.begin();
        const { changed } = presences;
        rollout?.follow((who) => reload(who), { log, tell: (alert) => tell(alert), changed });
        metrics.begin((alerts) => outputs?.send(alerts));
        service.ready(`Watches with ${rulesOfAll(counters, parts)} rules`);
        audit?.begin();
        web.keepTrying((at) => log.info(`Health is at ${at}`));
        setTimeout(collectGarbage, SETTLED_MS);
        const heap = new HeapWatch();
        heapTimer = setInterval(() => heap.look(), HEAP_MS);
      },
    });
    return tracing?.exitCode(counters, code) ?? code;
  } finally {
    service.close();
    await presences.ended();
    rollout?.close();
    canary?.close();
    clearInterval(heapTimer);
    metrics.close();
    await audit?.close();
    await web.close();
  }
}

/** Its part of the program is read where it is configured alone. */
async function rolloutOf(config: Config, hostname: string, log: Log): Promise<Rollout | undefined> {
  if (config.rollout.source === "" && config.rollout.config_source === "") return undefined;
  const { Rollout } = await import("../start/rollout.ts");
  return await Rollout.of(config, hostname, log);
}

/** What is asked of the system calls' side of a run that has none. */
function withoutSyscalls(config: Config): Config {
  return { ...config, engine: { ...config.engine, kind: "nodriver" } };
}

function troubleOf(reloads: ReloadState | undefined): string[] {
  const { refusal } = reloads ?? {};
  return refusal === undefined ? [] : [`the new rules were refused: ${refusal}`];
}

/** Where the configuration and the rules came from; the built-in rules do not change. */
function watchedPaths(flags: Flags, { config, sources }: LoadedConfig): string[] {
  if (!config.watch_config_files) return [];
  const configured = config.rules_files ?? config.rules_file ?? [];
  return [...sources, ...(flags.rules.length > 0 ? flags.rules : configured)];
}

/** What there is to say of such a watch. */
export function checkWatch({ syscalls, raw }: Sources, config: Config): string[] {
  if (!syscalls || raw !== undefined) return [];
  if (config.engine.kind === "nodriver") {
    return [
      "Enabled event source 'syscall' will be opened with no driver, no event will be produced",
    ];
  }
  return [];
}

function writePid(path: string, terminal: Terminal): boolean {
  try {
    // A FIFO or a device would be waited for.
    if (isOther(path)) throw new Error("it is no regular file");
    flagsAgainstLinks(path);
    const file = reachable(path);
    Deno.writeTextFileSync(file.path, String(Deno.pid));
    file.release();
    return true;
  } catch (error) {
    terminal.error(`Error: Cannot write the pidfile ${path}: ${reasonOf(error)}\n`);
    return false;
  }
}

function isOther(path: string): boolean {
  try {
    return !Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
