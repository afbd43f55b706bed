// One run of the engine from start to end: alerts to the outputs, signals, the web server, and
// the summary. Live watching and replay are both sessions.
import type { Alert } from "../../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import { type EngineThread, startEngineThread } from "../../engine/thread/engine_thread.ts";
import type { EngineEnd, EngineStart, RulesStart } from "../../engine/contract/messages.ts";
import type { LoadedConfig } from "./load_config.ts";
import { logTo } from "../log.ts";
import { makeOutputs } from "./make_outputs.ts";
import { notYet } from "../not_yet.ts";
import type { Terminal } from "../terminal.ts";
import { watchFiles } from "./watch_files.ts";

export interface SessionOptions {
  readonly loaded: LoadedConfig;
  readonly start: EngineStart;
  readonly counters: Counters;
  readonly terminal: Terminal;
  /** A replay waits for its outputs, so that it loses no alert; a live run never does. */
  readonly patient: boolean;
  /** Reads the rules anew on SIGHUP; absent where they cannot change under way. */
  readonly readRules?: () => RulesStart;
  /** Files and directories whose change is as good as a SIGHUP. */
  readonly watched?: readonly string[];
  readonly onReady: () => void;
  /** The engine has ended; what is left is the summary. */
  readonly onEnd?: () => void;
  /** What is told at a good end; by default what Falco tells. */
  readonly summary?: () => string;
}

/** Runs the engine until it ends or a signal ends it; returns the exit code. */
export async function runSession(options: SessionOptions): Promise<number> {
  const { loaded, start, counters, terminal, patient } = options;
  const log = logTo(loaded.config, terminal);
  let readerGone = false;
  const { outputs, missing } = makeOutputs(loaded, terminal, () => {
    readerGone = true;
    counters.stop();
  }, start.record !== undefined);
  for (const line of [...missing, ...notYet(loaded.config)]) log.warning(`Warning: ${line}`);
  if (start.captures !== undefined) {
    const { mode, pathPrefix } = start.captures;
    log.info(`Capture is enabled in mode '${mode}'. Capturing events to ${pathPrefix}`);
  }

  const thread = startEngineThread(start, counters, {
    async onAlerts(alerts: readonly Alert[]): Promise<void> {
      outputs.send(alerts);
      if (patient) await outputs.drained();
    },
    onReady(warnings): void {
      for (const warning of warnings) log.warning(warning);
      options.onReady();
    },
    onReloaded(outcome): void {
      if ("error" in outcome) {
        log.warning(`${outcome.error}\nThe new rules are refused, the old ones stay.`);
        return;
      }
      for (const warning of outcome.warnings) log.warning(warning);
      log.info(`Reloaded: ${counters.get(Counter.Rules)} rules.`);
    },
    onNotice: log.info,
  });

  const signals = handleSignals(thread, options, () => outputs.reopen());
  const end = await thread.ended;
  await outputs.close(patient ? FLUSH_PATIENT_MS : loaded.config.output_timeout);
  signals.remove();
  options.onEnd?.();

  if (readerGone) return 0;
  if (end.error !== undefined) {
    terminal.error(`Error: ${end.error}\n`);
    return 1;
  }
  const dropped = outputs.stats().reduce((sum, queue) => sum + queue.dropped + queue.failed, 0);
  terminal.error(options.summary?.() ?? summary(end, counters, dropped));
  return 0;
}

const FLUSH_PATIENT_MS = 60_000;

/**
 * An engine that is asked to end and does not within this time is cut off: a live one may still be
 * loading its probe, a replay may wait for a pipe that gives nothing.
 */
const STOP_LIVE_MS = 10_000;
const STOP_REPLAY_MS = 2_000;

function handleSignals(thread: EngineThread, options: SessionOptions, reopen: () => void) {
  const { counters, loaded, terminal, readRules } = options;
  let asked = false;
  const stop = () => {
    // Whoever asks twice does not want to wait for what still has to be written.
    if (asked) Deno.exit(1);
    asked = true;
    thread.stop(options.patient ? STOP_REPLAY_MS : STOP_LIVE_MS);
  };
  const reload = (): void => {
    if (readRules === undefined || counters.stopping) return;
    try {
      thread.reload(readRules());
    } catch (error) {
      const { message } = error as Error;
      logTo(loaded.config, terminal).warning(`${message}\nThe old rules stay.`);
    }
  };
  const handlers: [Deno.Signal, () => void][] = [
    ["SIGINT", stop],
    ["SIGTERM", stop],
    ["SIGHUP", reload],
    ["SIGUSR1", reopen],
  ];
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const files = watchOrWarn(options, reload);
  return {
    remove(): void {
      files.close();
      for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
    },
  };
}

/** Without a watch (the system's limit of them may be reached) SIGHUP remains. */
function watchOrWarn({ watched = [], loaded, terminal }: SessionOptions, reload: () => void) {
  try {
    return watchFiles(watched, reload);
  } catch (error) {
    const reason = (error as Error).message;
    logTo(loaded.config, terminal).warning(
      `Warning: Cannot watch the rules files: ${reason}; after a change send SIGHUP`,
    );
    return { close() {} };
  }
}

/** What Falco prints at its end, and what was lost on the way. */
function summary(end: EngineEnd, counters: Counters, outputDropped: number): string {
  const fired = end.alertsByRule.filter(([, , alerts]) => alerts > 0);
  const bySeverity = new Map<number, number>();
  for (const [, priority, alerts] of fired) {
    bySeverity.set(priority, (bySeverity.get(priority) ?? 0) + alerts);
  }
  const total = fired.reduce((sum, [, , alerts]) => sum + alerts, 0);
  const get = (place: (typeof Counter)[keyof typeof Counter]) => counters.get(place);
  const lines = [
    `Events detected: ${total}`,
    "Rule counts by severity:",
    ...[...bySeverity].sort(([one], [other]) => one - other)
      .map(([priority, alerts]) => `   ${severity(priority)}: ${alerts}`),
    "Triggered rules by rule name:",
    ...fired.map(([rule, , alerts]) => `   ${rule}: ${alerts}`),
    `System call events: ${get(Counter.Events)}; lost: ${get(Counter.LostCritical)} critical, ` +
    `${get(Counter.LostBulk)} bulk; malformed: ${get(Counter.Malformed)}, ` +
    `not judged: ${get(Counter.Mistakes)}`,
  ];
  const dropped = get(Counter.AlertsDropped) + outputDropped;
  if (dropped > 0) lines.push(`Alerts that an output could not take: ${dropped}`);
  return `${lines.join("\n")}\n`;
}

function severity(priority: number): string {
  const name = PRIORITY_NAMES[priority]!.toUpperCase();
  return name === "INFORMATIONAL" ? "INFO" : name;
}
