// One run of the engine from start to end: alerts to the outputs, signals, and the summary. Live
// watching and replay are both sessions.
import { atMost } from "../../alerts/delivery/pause.ts";
import type { Outputs } from "../../alerts/outputs.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { Counter, type Counters } from "../../engine/contract/counters.ts";
import { type EnginePart, startEngines } from "../../engine/thread/engines.ts";
import type { RulesTold } from "../../engine/thread/engine_thread.ts";
import type { EngineStart, PluginTold, RuntimesTold } from "../../engine/contract/messages.ts";
import type { BusyWindow } from "../../engine/contract/busiest.ts";
import type { LossEntry } from "../../engine/contract/loss_journal.ts";
import type { TalliesTold } from "../../engine/contract/tallies.ts";
import { tellAge } from "./alert_age.ts";
import type { Flags } from "../flags.ts";
import type { LoadedConfig } from "./load_config.ts";
import type { ReloadOutcome } from "../../server/reload.ts";
import { logTo } from "../log.ts";
import { GrpcKeeper } from "./grpc.ts";
import { LiveOutputs } from "./live_outputs.ts";
import { capacityOf, makeOutputs } from "./make_outputs.ts";
import type { HostTeller } from "./nats.ts";
import { type OwnAlert, ownAlert } from "./own_alerts.ts";
import { type FilesInForce, Reloads, type ReloadState } from "./reloads.ts";
import type { RolledOut } from "./rollout.ts";
import { type EndSignal, handleSignals } from "./signals.ts";
import type { Service } from "./service.ts";
import { sumOf } from "./sum.ts";
import { dropLines, type Judged, summary, verboseLines } from "./summary.ts";
import type { Terminal } from "../terminal.ts";

export interface SessionOptions {
  readonly loaded: LoadedConfig;
  readonly start: EngineStart;
  readonly counters: Counters;
  readonly terminal: Terminal;
  /** A replay waits for its outputs, so that it loses no alert; a live run never does. */
  readonly patient: boolean;
  /** What is read anew on SIGHUP; absent where nothing can change under way. */
  readonly reload?: Flags;
  /** Files and directories whose change is as good as a SIGHUP, by the configuration in force. */
  readonly watched?: (loaded: LoadedConfig) => readonly string[];
  /** The outputs stand; what is told goes to them as an alert. */
  readonly onOutputs?: (outputs: LiveOutputs, tell: (alert: OwnAlert) => void) => void;
  /** How to read everything anew, as often as somebody asks; never rejects. */
  readonly onReload?: (reload: (who?: string) => Promise<ReloadOutcome>) => void;
  /** Rules from elsewhere. */
  readonly rollout?: RolledOut | undefined;
  readonly onReady: () => void;
  /** Where numbers by rule are, before `onReady` and whenever the rules were exchanged. */
  readonly onTallies?: (tallies: TalliesTold) => void;
  /** Which processes had most events lately. */
  readonly onBusy?: (window: BusyWindow) => void;
  /** When which events were lost. */
  readonly onLost?: (entry: LossEntry) => void;
  /** How plugins stand that are asked of the first thread's events, about once a second. */
  readonly onPlugins?: (plugins: readonly PluginTold[]) => void;
  /** How the container runtimes stand, about once a second. */
  readonly onRuntimes?: (runtimes: RuntimesTold) => void;
  /** Tell more at the end. */
  readonly verbose?: boolean;
  /** Who is told what the run is about. */
  readonly service?: Service;
  /** What there is to say of the rules in force, at the start and with new ones: those that cannot
   * match, programs that the kernel refused. */
  readonly onRules?: (told: RulesTold) => void;
  /** What holds now, at the start and after each reload, taken or refused. */
  readonly onReloadState?: (state: ReloadState, files?: FilesInForce) => void;
  /** Another configuration holds from now on. */
  readonly onConfig?: (loaded: LoadedConfig) => void;
  /** Other sources are judged besides, each by a thread of its own: audit events, plugins'. */
  readonly parts?: readonly EnginePart[];
  /** System calls are not looked at: once all other sources have ended, so does the run. */
  readonly idleFirst?: boolean;
  /** Takes out what is no alert for the outputs. */
  readonly sift?: (alerts: readonly Alert[]) => readonly Alert[];
  /** The engine has ended, the outputs go on: by itself, or by this error. */
  readonly onEnding?: (error: string | undefined) => void;
  /** The outputs have ended too; what is left is the summary. */
  readonly onEnd?: () => void;
  /** What this host tells of itself. */
  readonly teller?: HostTeller;
  /** What is told at a good end; by default what Falco tells. */
  readonly summary?: () => string;
  /** See SignalActions. */
  readonly taken?: (signal: EndSignal) => boolean;
  /** The exit code of a run that ended by an error; by default 1. */
  readonly failed?: (error: string) => number;
}

/** Runs the engine until it ends or a signal ends it; returns the exit code. */
export async function runSession(options: SessionOptions): Promise<number> {
  const { loaded, start, counters, terminal, patient } = options;
  terminal.detach();
  const begunMs = performance.now();
  let { config } = loaded;
  const log = logTo(() => config, terminal);
  let readerGone = false;
  let isEnding = false;
  const onWritten = tellAge(counters.toOutput);
  const grpc = new GrpcKeeper();
  const layout = terminal.outIsTerminal ? await import("../print/laid_out.ts") : undefined;
  const make = (from: LoadedConfig) =>
    makeOutputs(from, {
      grpc,
      teller: options.teller,
      terminal,
      log,
      onClosed(): void {
        readerGone = true;
        counters.stop();
      },
      ...(patient ? {} : { onWritten }),
      fit: layout === undefined ? undefined : (line) => layout.fitLine(line, terminal),
      mayBeNone: start.record !== undefined,
      patient,
    });
  const outputs = new LiveOutputs(make(loaded));
  const tell = (alert: OwnAlert) => {
    outputs.send([ownAlert(alert, { hostname: start.machine.hostname, nowMs: Date.now() })]);
  };
  if (start.captures !== undefined) {
    const { mode, pathPrefix } = start.captures;
    log.info(`Capture is enabled in mode '${mode}'. Capturing events to ${pathPrefix}`);
  }
  outputs.check();
  options.onOutputs?.(outputs, tell);

  const reloads = options.reload === undefined ? undefined : new Reloads({
    ...options,
    rules: start.rules,
    sha256: sumOf(config, start.rules),
    flags: options.reload,
    log,
    tell,
    ...(options.onReloadState === undefined ? {} : { onState: options.onReloadState }),
    onTaken(next, outputsChanged): void {
      const before = { ...loaded, config };
      config = next.config;
      if (outputsChanged) exchangeOutputs(outputs, () => make(next), () => make(before));
      signals.watch(options.watched?.(next) ?? []);
      options.onConfig?.(next);
    },
  });
  const exchangeOutputs = (
    live: LiveOutputs,
    makeNew: () => Outputs,
    makeOld: () => Outputs,
  ) => {
    const made = () => {
      try {
        return makeNew();
      } catch (error) {
        log.warning(`Warning: The outputs stay as they were: ${(error as Error).message}`);
        return makeOld();
      }
    };
    live.exchange(made, Math.min(config.output_timeout, FLUSH_MAX_MS)).then((givenUp) => {
      for (const { output, alerts } of givenUp) {
        log.warning(
          `Warning: ${output}_output: the new configuration does not have it; ${alerts} alerts ` +
            "that still waited there are dropped",
        );
      }
      live.check();
    });
  };
  // What a replay has told of and was not given to the outputs yet.
  let delivered: Promise<void> = Promise.resolve();
  /** No more at a time than may wait for an output, so that none is dropped. */
  const deliver = async (alerts: readonly Alert[]): Promise<void> => {
    const most = capacityOf(config);
    for (let at = 0; at < alerts.length; at += most) {
      outputs.send(alerts.slice(at, at + most));
      if (!isEnding) await outputs.drained(config.output_timeout);
    }
  };
  const thread = startEngines(
    start,
    counters,
    {
      async onAlerts(alerts: readonly Alert[]): Promise<void> {
        if (!patient) return outputs.send(options.sift?.(alerts) ?? alerts);
        delivered = delivered.then(() => deliver(alerts));
        await delivered;
      },
      onReady(told): void {
        for (const warning of told.warnings) log.warning(warning);
        options.onRules?.(told);
        options.onReady();
      },
      onReloaded: (outcome) => reloads?.answered(outcome),
      onNotice: (line, level) => log[level](line),
      ...(options.onTallies === undefined ? {} : { onTallies: options.onTallies }),
      ...(options.onBusy === undefined ? {} : { onBusy: options.onBusy }),
      ...(options.onLost === undefined ? {} : { onLost: options.onLost }),
      ...(options.onRuntimes === undefined ? {} : { onRuntimes: options.onRuntimes }),
      ...(options.onPlugins === undefined ? {} : { onPlugins: options.onPlugins }),
    },
    options.parts,
    { idleFirst: options.idleFirst === true, eachToItsEnd: patient },
  );

  const told = async (reload: Promise<ReloadOutcome>) => {
    options.service?.reloading();
    const outcome = await reload;
    options.service?.reloaded(
      outcome.reloaded ? `Watches with ${outcome.rules} rules` : `Refused: ${outcome.error}`,
    );
    return outcome;
  };
  const signals = handleSignals({
    taken: options.taken,
    end(): void {
      isEnding = true;
      log.info("SIGINT received, exiting...");
      options.service?.stopping();
      thread.stop(patient ? STOP_REPLAY : STOP_LIVE);
    },
    ...(reloads === undefined ? {} : { reload: () => told(reloads.reload(thread)) }),
    reopen(): void {
      log.info("SIGUSR1 received, reopening outputs...");
      outputs.reopen();
    },
    watched: options.watched?.(loaded) ?? [],
    log,
  });
  options.onReload?.((who = "POST /reload") => signals.reload(who));
  const end = await thread.ended;
  options.onEnding?.(end.error);
  // Nobody who asked for the end waits for a reader that does not read.
  const { output_timeout } = config;
  const flushMs = patient && !isEnding ? FLUSH_PATIENT_MS : Math.min(output_timeout, FLUSH_MAX_MS);
  await atMost(flushMs, delivered);
  await outputs.close(flushMs, output_timeout);
  await grpc.end();
  signals.remove();
  options.onEnd?.();

  if (readerGone) return 0;
  if (end.error !== undefined) {
    if (counters.get(Counter.DropsDetected) > 0) {
      terminal.error(`${dropLines(counters).join("\n")}\n`);
    }
    terminal.error(`Error: ${end.error}\n`);
    return options.failed?.(end.error) ?? 1;
  }
  const dropped = outputs.stats().reduce((sum, queue) => sum + queue.dropped + queue.failed, 0);
  if (options.verbose === true) {
    const seconds = (performance.now() - begunMs) / 1000;
    terminal.error(`${verboseLines(counters, seconds).join("\n")}\n`);
  }
  terminal.error(options.summary?.() ?? summary(end, judgedOf(options), dropped));
  return 0;
}

/** Whose numbers are told at the end. */
function judgedOf({ start, counters, parts = [] }: SessionOptions): Judged {
  if (start.source.kind === "audit") return { syscalls: undefined, audit: counters, plugins: [] };
  const audit = parts.find((part) => part.start.source.kind === "audit");
  const plugins = parts.flatMap((part) =>
    part.start.source.kind === "plugin" ? [[part.source ?? "", part.counters] as const] : []
  );
  return { syscalls: counters, audit: audit?.counters, plugins };
}

const FLUSH_PATIENT_MS = 60_000;
const FLUSH_MAX_MS = 5_000;

/**
 * An engine that is asked to end and does not is cut off: a live one may still be loading its
 * probe, a replay may wait for a pipe that gives nothing, which shows in that it does not move.
 */
const STOP_LIVE = { timeoutMs: 6_000, stuckMs: 3_000 };
const STOP_REPLAY = { timeoutMs: 2_000, stuckMs: 300 };
