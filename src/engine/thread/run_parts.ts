// What runs of the engine have in common, whatever their source: what a run is, and how it ends.
import type { AuditPiece } from "../../audit/contract.ts";
import { CaptureWriteError } from "../../events/scap/output.ts";
import type {
  EngineEnd,
  EngineSettings,
  FromEngine,
  NoticeLevel,
  RulesStart,
} from "../contract/messages.ts";
import type { Alert } from "../contract/alert.ts";
import { packAlerts, RecordNumbers } from "../contract/packed_alerts.ts";
import { driverErrorLine } from "../host/driver_error.ts";
import type { Engine } from "../loop/loop.ts";

export interface Run {
  /** Runs on; undefined where the main thread has a message that must be read first. */
  resume(): EngineEnd | undefined;
  /** Exchanges rules and settings, or keeps the old ones where the new ones are not sound. */
  reload(rules: RulesStart, settings: EngineSettings): void;
  /** Takes audit events, where the run judges those. */
  offer?(number: number, piece: AuditPiece): void;
  close(): void;
}

export type Post = (message: FromEngine) => void;

/** Posts alerts with what all alerts of a rule have in common once. */
export function packingTo(post: Post): (alerts: readonly Alert[]) => void {
  const records = new RecordNumbers();
  return (alerts) => post({ kind: "alerts", alerts: packAlerts(alerts, records) });
}

export function levelOf(line: string): NoticeLevel {
  return line.startsWith("Warning: ") ? "warning" : "info";
}

/** Runs on until the source ends, somebody asks for the engine, or it fails. */
export function resumeEngine(engine: Engine): EngineEnd | undefined {
  let error: string | undefined;
  try {
    const outcome = engine.run();
    if (outcome === "message") return undefined;
    if (outcome === "lossy") error = "events were lost, and syscall_event_drops says exit";
    engine.closeTap();
  } catch (failure) {
    error = isQuiet(failure) ? undefined : driverErrorLine(failure);
    closeQuietly(engine);
  }
  return { error, alertsByRule: engine.alertsByRule() };
}

/** Calls `act` where `ms` have passed since it last did. */
export function everyNow(ms: number, act: () => void): (nowMs: number) => void {
  let nextMs = 0;
  return (nowMs) => {
    if (nowMs < nextMs) return;
    nextMs = nowMs + ms;
    act();
  };
}

/** The reader of a recording on standard output has gone: nobody's mistake. */
function isQuiet(failure: unknown): boolean {
  return failure instanceof CaptureWriteError && failure.readerGone;
}

/** What was written before a failure stays sound; why there is no more of it was told. */
function closeQuietly(engine: Engine): void {
  try {
    engine.closeTap();
  } catch {
    // The first failure is the one to tell.
  }
}

/** What `make` makes, made when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
