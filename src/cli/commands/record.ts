// `saker record F`: the live driver, the source of a plugin, or captures into a capture, until a
// limit or a signal ends it. A line on a terminal tells how far it is; at the end one line tells
// what was written.
import type { Config } from "../../config/schema.ts";
import { NO_RULES } from "../../engine/captures/compile_filter.ts";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import type { EngineStart, RecordStart } from "../../engine/contract/messages.ts";
import { SYSCALL_SOURCE } from "../../plugins/compatible.ts";
import { clusterOf } from "../start/cluster_start.ts";
import { engineStart, liveStart, rulesStart } from "../start/engine_start.ts";
import type { Flags } from "../flags.ts";
import { loadConfig, type LoadedConfig } from "../start/load_config.ts";
import { provideDriver } from "../start/provide_driver.ts";
import { checkReadable } from "./replay.ts";
import { runSession } from "../start/session.ts";
import { logTo } from "../log.ts";
import {
  extractorsOf,
  infosOf,
  inProcessLines,
  loadedLines,
  type LoadedPlugin,
  type LoadedPlugins,
  pluginSources,
} from "../start/loaded_plugins.ts";
import { loadPlugins } from "../start/plugins_start.ts";
import { CLEAR_LINE, type Terminal } from "../terminal.ts";

const MIB = 1 << 20;
const REDRAW_MS = 500;

export interface RecordFlags {
  readonly filter?: string;
  readonly events?: number;
  /** MiB. */
  readonly fileSize?: number;
  readonly fileSeconds?: number;
  readonly files?: number;
  readonly compress: number;
  readonly read?: readonly string[];
  readonly alerts?: boolean;
  /** Overwrite what is there. */
  readonly force?: boolean;
}

export async function record(
  file: string,
  wanted: RecordFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  checkFlags(file, wanted, terminal);
  const loaded = quiet(loadConfig(flags, terminal), wanted.alerts === true);
  const { config } = loaded;
  const counters = new Counters();
  const hostRoot = terminal.environment("HOST_ROOT") ?? "";
  const { read } = wanted;
  const log = logTo(() => config, terminal);
  const plugins = await loadPlugins(config);
  const plugin = recordedPlugin(flags, plugins);
  const source = plugin?.info.source ?? SYSCALL_SOURCE;
  const cluster = read === undefined && plugin === undefined
    ? clusterOf(config, terminal, log)
    : undefined;
  for (const line of [...loadedLines(plugins), ...inProcessLines(plugins)]) log.info(line);
  if (plugin === undefined && read === undefined) await provideDriver(config, terminal, log.info);
  const infos = infosOf(plugins);
  const begun = engineStart(config, flags, {
    counters,
    rules: wanted.alerts === true
      ? rulesStart(config, flags, infos)
      : { ...NO_RULES, plugins: infos },
    source: plugin !== undefined
      ? pluginStart(plugin, read)
      : read === undefined
      ? liveStart(config, navigator.hardwareConcurrency, hostRoot, cluster)
      : { kind: "capture", files: read },
    hostname: terminal.environment("FALCO_HOSTNAME") ?? Deno.hostname(),
    record: recordStart(terminal.nameOf(file), wanted),
  });
  const start = { ...begun, extractors: extractorsOf(plugins, source) };
  const startedMs = performance.now();
  const progress = startProgress(() => recordLine(counters, performance.now() - startedMs), {
    terminal,
    isWanted: terminal.errorIsTerminal && wanted.alerts !== true,
  });
  try {
    return await runSession({
      loaded,
      start,
      counters,
      terminal,
      patient: read !== undefined,
      onReady(): void {
        if (config.log_stderr && read === undefined) {
          const what = plugin === undefined ? "" : `the source '${source}' `;
          terminal.error(`saker is recording ${what}to ${file}; ctrl-C ends it\n`);
        }
      },
      onEnd: () => progress.stop(),
      summary: () => `Recorded ${recordLine(counters, performance.now() - startedMs)}\n`,
    });
  } finally {
    progress.stop();
  }
}

/**
 * The plugin whose source is recorded; undefined: system calls are. A capture is of one source:
 * the flags may name no more. Throws where they name none that is there.
 */
function recordedPlugin(
  { enableSource, disableSource }: Flags,
  plugins: LoadedPlugins,
): LoadedPlugin | undefined {
  const { opened } = pluginSources(plugins);
  const known = [SYSCALL_SOURCE, ...opened.keys()];
  if (disableSource.length > 0) {
    throw new Error("A recording is of one source: name it with --enable-source");
  }
  const [source = SYSCALL_SOURCE, other] = [...new Set(enableSource)];
  if (other !== undefined) {
    throw new Error(`A recording is of one source: --enable-source names ${source} and ${other}`);
  }
  if (!known.includes(source)) {
    throw new Error(
      `Cannot record the source '${source}': expected ${known.join(", ")}` +
        (opened.size === 0 ? " (the configuration loads no plugin that gives a source)" : ""),
    );
  }
  return opened.get(source);
}

function pluginStart(
  { setting }: LoadedPlugin,
  files: readonly string[] | undefined,
): EngineStart["source"] {
  return { kind: "plugin", plugin: setting, ...(files === undefined ? {} : { files }) };
}

function checkFlags(file: string, wanted: RecordFlags, terminal: Terminal): void {
  const isRow = wanted.fileSize !== undefined || wanted.fileSeconds !== undefined;
  if (file === "-" && terminal.outIsTerminal) {
    throw new Error("A capture is not for a terminal: send standard output to a file or a pipe");
  }
  if (file === "-" && wanted.alerts === true) {
    throw new Error("Standard output cannot have both the capture and --alerts");
  }
  if (file === "-" && isRow) {
    throw new Error("Standard output is one file: --file-size and --file-seconds need a name");
  }
  if (wanted.files !== undefined && !isRow) {
    throw new Error("--files needs --file-size or --file-seconds");
  }
  for (const one of wanted.read ?? []) if (one !== "-") checkReadable(one);
}

function recordStart(path: string, wanted: RecordFlags): RecordStart {
  const { filter, events, fileSize, fileSeconds, files, compress, force = false } = wanted;
  return {
    path,
    force,
    compression: compress,
    ...(filter === undefined ? {} : { filter }),
    ...(events === undefined ? {} : { events }),
    ...(fileSize === undefined ? {} : { fileBytes: fileSize * MIB }),
    ...(fileSeconds === undefined ? {} : { fileSeconds }),
    ...(files === undefined ? {} : { filesKept: files }),
  };
}

/** Without alerts there are no outputs; what an alert would capture is part of the recording. */
function quiet(loaded: LoadedConfig, alerts: boolean): LoadedConfig {
  const { config } = loaded;
  const off: Partial<Config> = alerts ? {} : {
    stdout_output: { ...config.stdout_output, enabled: false },
    file_output: { ...config.file_output, enabled: false },
    syslog_output: { ...config.syslog_output, enabled: false },
    program_output: { ...config.program_output, enabled: false },
    http_output: { ...config.http_output, enabled: false },
    otlp_output: { ...config.otlp_output, enabled: false },
    nats_output: { ...config.nats_output, enabled: false },
    kafka_output: { ...config.kafka_output, enabled: false },
  };
  const capture = { ...config.capture, enabled: false };
  return { ...loaded, config: { ...config, ...off, capture } };
}

/** Such as `1204332 events, 18.3 MB in 00:42; 0 lost`, and what the disk did not keep up with. */
export function recordLine(counters: Counters, ms: number): string {
  const events = counters.get(Counter.RecordedEvents);
  const megabytes = (counters.get(Counter.RecordedBytes) / 1e6).toFixed(1);
  const lost = counters.get(Counter.LostCritical) + counters.get(Counter.LostBulk);
  const seconds = Math.floor(ms / 1000);
  const clock = [seconds / 60, seconds % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0")
  );
  const unwritten = counters.get(Counter.CaptureEventsLost);
  const slow = unwritten === 0 ? "" : `, ${unwritten} not written: the disk did not keep up`;
  return `${events} events, ${megabytes} MB in ${clock.join(":")}; ${lost} lost${slow}`;
}

function startProgress(
  line: () => string,
  { terminal, isWanted }: { terminal: Terminal; isWanted: boolean },
): { stop(): void } {
  if (!isWanted) return { stop() {} };
  let drawn = false;
  const timer = setInterval(() => {
    drawn = true;
    terminal.draw(CLEAR_LINE + line().slice(0, (terminal.errorColumns() ?? 80) - 1));
  }, REDRAW_MS);
  return {
    stop(): void {
      clearInterval(timer);
      if (drawn) terminal.draw(CLEAR_LINE);
      drawn = false;
    },
  };
}
