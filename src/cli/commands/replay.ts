// `saker replay F…` and engine.kind=replay: captures, or audit logs of Kubernetes, through the
// rules, every alert written, then the end. A progress line on a terminal.
import { type AuditSettings, auditSettings } from "../../config/audit_plugin.ts";
import { Counters } from "../../engine/contract/counters.ts";
import type { AuditStart, CaptureStart } from "../../engine/contract/messages.ts";
import { auditStart, engineStart, rulesStart } from "../start/engine_start.ts";
import { reasonOf } from "../../files/reason.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import type { LiveOutputs } from "../start/live_outputs.ts";
import { startProgress } from "../progress.ts";
import type { ReplayMetrics, ReplayRun } from "../start/replay_metrics.ts";
import { runSession } from "../start/session.ts";
import { PluginWatches } from "../start/plugin_watch.ts";
import {
  infosOf,
  loadedLines,
  type LoadedPlugin,
  type LoadedPlugins,
  pluginSources,
} from "../start/loaded_plugins.ts";
import { loadPlugins } from "../start/plugins_start.ts";
import { logTo } from "../log.ts";
import type { Terminal } from "../terminal.ts";

export function replay(
  files: readonly string[],
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const loaded = loadConfig(flags, terminal);
  const logs = files.filter(isAuditLog);
  if (logs.length === 0) return replayWith(files, flags, loaded, terminal);
  if (logs.length < files.length) {
    const other = files.find((file) => !logs.includes(file))!;
    throw new Error(`Cannot replay captures and audit logs together: ${logs[0]} and ${other}`);
  }
  return replayAudit(files, auditSettings(loaded.config), flags, loaded, terminal);
}

/** A capture says what it is in its first bytes; a log by its name, or by what it begins with. */
function isAuditLog(file: string): boolean {
  if (/\.jsonl?(\.gz)?$/.test(file)) return true;
  return file !== "-" && beginsLikeJson(file);
}

function beginsLikeJson(file: string): boolean {
  try {
    if (!Deno.statSync(file).isFile) return false;
    using opened = Deno.openSync(file);
    const bytes = new Uint8Array(16);
    const read = opened.readSync(bytes) ?? 0;
    const text = String.fromCharCode(...bytes.subarray(0, read)).trimStart();
    return text.startsWith("{") || text.startsWith("[");
  } catch {
    return false;
  }
}

/** The logs' events through the rules of their source. */
export function replayAudit(
  files: readonly string[],
  settings: AuditSettings,
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  for (const file of files) if (file !== "-") checkLog(file);
  return run({ ...auditStart(settings), files }, flags, loaded, terminal);
}

/** Throws where there is nothing to read; a pipe may be waited for. */
function checkLog(file: string): void {
  try {
    Deno.statSync(file);
  } catch (error) {
    throw new Error(`Cannot read the audit log ${file}: ${reasonOf(error)}`);
  }
}

export function replayWith(
  files: readonly string[],
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  for (const file of files) if (file !== "-") checkReadable(file);
  return run({ kind: "capture", files }, flags, loaded, terminal);
}

async function run(
  source: CaptureStart | AuditStart,
  flags: Flags,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  const { config } = loaded;
  const counters = new Counters();
  const plugins = await loadPlugins(config);
  const rules = { ...rulesStart(config, flags, infosOf(plugins)), live: false };
  const hostname = terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname();
  const log = logTo(() => config, terminal);
  for (const line of loadedLines(plugins)) log.info(line);
  const watches = new PluginWatches(plugins, capturedSources(source, plugins), {
    ...{ config, flags, rules, hostname },
    warn: log.warning,
    info: log.info,
    onTallies: () => {},
    ...(source.kind === "capture" ? { files: source.files } : {}),
  });
  const start = {
    ...engineStart(config, flags, { counters, rules, source, hostname }),
    extractors: watches.extractors(source.kind === "capture" ? "syscall" : "k8s_audit"),
  };
  let outputs: LiveOutputs | undefined;
  const metrics = await metricsOf(loaded, { counters, start, outputs: () => outputs }, terminal);
  const progress = startProgress(counters, terminal);
  try {
    return await runSession({
      loaded,
      start,
      counters,
      terminal,
      patient: true,
      verbose: flags.verbose === true,
      onOutputs: (made) => outputs = made,
      onTallies: (told) => metrics?.onTallies(told),
      parts: watches.parts,
      onReady: () => metrics?.begin((alerts) => outputs?.send(alerts)),
      onEnd: () => progress.stop(),
    });
  } finally {
    metrics?.close();
    progress.stop();
  }
}

/** Sources of plugins whose events captures may hold; standard input is read once alone. */
function capturedSources(
  source: CaptureStart | AuditStart,
  plugins: LoadedPlugins,
): ReadonlyMap<string, LoadedPlugin> {
  if (source.kind !== "capture" || source.files.includes("-")) return new Map();
  return pluginSources(plugins).opened;
}

/** What tells metrics is loaded where somebody wants them. */
async function metricsOf(
  loaded: LoadedConfig,
  run: ReplayRun,
  terminal: Terminal,
): Promise<ReplayMetrics | undefined> {
  if (!loaded.config.metrics.enabled) return undefined;
  const { replayMetrics } = await import("../start/replay_metrics.ts");
  return replayMetrics(loaded, run, terminal);
}

/** A pipe may be waited for: a signal ends that. */
export function checkReadable(file: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(file);
  } catch (error) {
    throw new Error(`Cannot read the capture ${file}: ${reasonOf(error)}`);
  }
  const kind = info.isDirectory
    ? "a directory"
    : info.isSocket
    ? "a socket"
    : info.isBlockDevice || (info.isCharDevice && file !== "/dev/stdin")
    ? "a device"
    : undefined;
  if (kind === undefined) return;
  throw new Error(
    `Cannot read the capture ${file}: it is ${kind}; expected a file, a pipe, or - for standard ` +
      "input",
  );
}
