// One run of the engine from start to end: alerts to the outputs, signals, and the summary. Live
// watching and replay are both sessions.
import type { Outputs } from "../../alerts/outputs.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import {
  type EngineThread,
  type RulesTold,
  startEngineThread,
} from "../../engine/thread/engine_thread.ts";
import type { DeadRule, EngineStart } from "../../engine/contract/messages.ts";
import type { Flags } from "../flags.ts";
import type { LoadedConfig } from "./load_config.ts";
import { type Log, logTo } from "../log.ts";
import { makeOutputs } from "./make_outputs.ts";
import { notYet } from "../not_yet.ts";
import { type OwnAlert, ownAlert } from "./own_alerts.ts";
import { rulesAnew } from "./rules_anew.ts";
import { handleSignals } from "./signals.ts";
import { summary } from "./summary.ts";
import type { Terminal } from "../terminal.ts";

export interface SessionOptions {
  readonly loaded: LoadedConfig;
  readonly start: EngineStart;
  readonly counters: Counters;
  readonly terminal: Terminal;
  /** A replay waits for its outputs, so that it loses no alert; a live run never does. */
  readonly patient: boolean;
  /** Where the rules are read from anew on SIGHUP; absent where they cannot change under way. */
  readonly reload?: Flags;
  /** Files and directories whose change is as good as a SIGHUP. */
  readonly watched?: readonly string[];
  /** The outputs stand; what is told goes to them as an alert. */
  readonly onOutputs?: (outputs: Outputs, tell: (alert: OwnAlert) => void) => void;
  readonly onReady: () => void;
  /** Rules in force that cannot match, at the start and with new ones. */
  readonly onDeadRules?: (dead: readonly DeadRule[]) => void;
  /** New rules were refused, for the reason, or taken. */
  readonly onReloaded?: (refusal: string | undefined) => void;
  /** The engine has ended; what is left is the summary. */
  readonly onEnd?: () => void;
  /** What is told at a good end; by default what Falco tells. */
  readonly summary?: () => string;
}

/** Runs the engine until it ends or a signal ends it; returns the exit code. */
export async function runSession(options: SessionOptions): Promise<number> {
  const { loaded, start, counters, terminal, patient } = options;
  terminal.detach();
  const log = logTo(loaded.config, terminal);
  let readerGone = false;
  let isEnding = false;
  const { output_timeout } = loaded.config;
  const { outputs, missing } = makeOutputs(loaded, {
    terminal,
    onClosed(): void {
      readerGone = true;
      counters.stop();
    },
    mayBeNone: start.record !== undefined,
    patient,
  });
  const tell = (alert: OwnAlert) => {
    outputs.send([ownAlert(alert, { hostname: start.machine.hostname, nowMs: Date.now() })]);
  };
  for (const line of [...missing, ...notYet(loaded.config)]) log.warning(`Warning: ${line}`);
  if (start.captures !== undefined) {
    const { mode, pathPrefix } = start.captures;
    log.info(`Capture is enabled in mode '${mode}'. Capturing events to ${pathPrefix}`);
  }
  outputs.check();
  options.onOutputs?.(outputs, tell);

  const reloads = new Reloads({ ...options, log, tell });
  const thread = startEngineThread(start, counters, {
    async onAlerts(alerts: readonly Alert[]): Promise<void> {
      outputs.send(alerts);
      if (patient) await outputs.drained(output_timeout);
    },
    onReady({ warnings, dead }): void {
      for (const warning of warnings) log.warning(warning);
      options.onDeadRules?.(dead);
      options.onReady();
    },
    onReloaded: (outcome) => reloads.answered(outcome),
    onNotice: log.info,
  });

  const signals = handleSignals({
    end(): void {
      isEnding = true;
      thread.stop(patient ? STOP_REPLAY : STOP_LIVE);
    },
    ...(options.reload === undefined ? {} : { readAnew: () => reloads.readAnew(thread) }),
    reopen: () => outputs.reopen(),
    watched: options.watched ?? [],
    warn: log.warning,
  });
  const end = await thread.ended;
  // Nobody who asked for the end waits for a reader that does not read.
  const flushMs = patient && !isEnding ? FLUSH_PATIENT_MS : Math.min(output_timeout, FLUSH_MAX_MS);
  await outputs.close(flushMs, output_timeout);
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
const FLUSH_MAX_MS = 5_000;

/**
 * An engine that is asked to end and does not is cut off: a live one may still be loading its
 * probe, a replay may wait for a pipe that gives nothing, which shows in that it does not move.
 */
const STOP_LIVE = { timeoutMs: 6_000, stuckMs: 3_000 };
const STOP_REPLAY = { timeoutMs: 2_000, stuckMs: 300 };

interface ReloadsOptions extends SessionOptions {
  readonly log: Log;
  readonly tell: (alert: OwnAlert) => void;
}

/** New rules on their way from files to the engine. */
class Reloads {
  readonly #options: ReloadsOptions;
  /** Files that had something in them. */
  #filled: readonly string[];
  #asked: readonly string[] = [];

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#filled = filledOf(options.start);
  }

  /** Never rejects. */
  async readAnew(thread: EngineThread): Promise<void> {
    const { reload, counters, terminal } = this.#options;
    const answer = await rulesAnew({ flags: reload!, filled: this.#filled });
    terminal.error(answer.told);
    if (counters.stopping) return;
    if ("error" in answer) return this.#refused(answer.error);
    this.#asked = filledOf({ rules: answer.rules });
    thread.reload(answer.rules);
  }

  answered(outcome: RulesTold | { readonly error: string }): void {
    const { log, counters, onReloaded, onDeadRules } = this.#options;
    if ("error" in outcome) return this.#refused(outcome.error);
    this.#filled = this.#asked;
    for (const warning of outcome.warnings) log.warning(warning);
    onDeadRules?.(outcome.dead);
    log.info(`Reloaded: ${counters.get(Counter.Rules)} rules.`);
    onReloaded?.(undefined);
  }

  #refused(error: string): void {
    const { log, tell, onReloaded } = this.#options;
    log.warning(`${error}\nThe new rules are refused, the old ones stay.`);
    tell({ subject: "new rules refused", message: `The old ones stay: ${error}` });
    onReloaded?.(error);
  }
}

function filledOf({ rules }: Pick<EngineStart, "rules">): string[] {
  return rules.files.filter(({ text }) => text.trim() !== "").map(({ name }) => name);
}
