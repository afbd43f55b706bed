// Numbers of what brings Kubernetes audit events in: the webhook and the followed files. They stand
// in /healthz as they are, and become series here.
import type { Family, Sample } from "./exposition.ts";
import type { SourceNumbers } from "./source_numbers.ts";

/** Why a request was refused. `unwanted`: another method or content type; `hostile`: what cannot be
 * read at all, or holds no audit event. */
export type HookRefusal = "unauthorized" | "unwanted" | "hostile" | "too_large" | "slow" | "busy";

export interface HookNumbers {
  readonly requests: number;
  /** Answered with 200. */
  readonly taken: number;
  readonly events: number;
  readonly bytes: number;
  readonly refused: Readonly<Record<HookRefusal, number>>;
  /** Documents and items that were no audit event. */
  readonly malformed: number;
  /** Clients that went away before their answer. */
  readonly broken: number;
  /** Bodies that are read or judged. */
  readonly waiting: number;
  /** What was wrong with the last body that was no audit event. */
  readonly reason?: string;
}

export interface FileNumbers {
  readonly files: number;
  readonly events: number;
  readonly malformed: number;
  /** Lines beyond the bound. */
  readonly too_long: number;
  readonly shortened: number;
  readonly rotated: number;
  /** Files of the directory beyond what may be open. */
  readonly refused: number;
  readonly reason?: string;
}

/** What became of audit events, whatever brought them in. */
export interface JudgedNumbers extends SourceNumbers {
  /** Pieces that wait to be judged, their bytes, and those that there was no room for. */
  readonly waiting: number;
  readonly waiting_bytes: number;
  readonly busy: number;
}

/** Absent parts are not asked for. */
export interface AuditIntake {
  readonly judged?: JudgedNumbers;
  readonly webhook?: HookNumbers;
  readonly files?: FileNumbers;
}

export function auditFamilies({ judged, webhook, files }: AuditIntake): Family[] {
  return [
    ...(judged === undefined ? [] : judgedFamilies(judged)),
    ...(webhook === undefined ? [] : hookFamilies(webhook)),
    ...(files === undefined ? [] : fileFamilies(files)),
  ];
}

function judgedFamilies(judged: JudgedNumbers): Family[] {
  const counter = (name: string, value: number, help: string) => one(name, "counter", value, help);
  return [
    one("rules", "gauge", judged.rules, "Rules on audit events."),
    counter("events_total", judged.events, "Audit events that were held against the rules."),
    counter("malformed_total", judged.malformed, "What was given as audit events and is none."),
    counter("alerts_total", judged.alerts, "Alerts on audit events."),
    counter("alerts_dropped_total", judged.alerts_dropped, "Alerts that nobody could take."),
    counter("mistakes_total", judged.mistakes, "Events that judging failed on."),
    one("queue_pieces", "gauge", judged.waiting, "Pieces that wait to be judged."),
    one("queue_bytes", "gauge", judged.waiting_bytes, "Bytes that wait to be judged."),
    counter("queue_busy_total", judged.busy, "Pieces that there was no room for."),
  ];
}

function hookFamilies(hook: HookNumbers): Family[] {
  return [
    one("webhook_requests_total", "counter", hook.requests, "Requests to the audit webhook."),
    one("webhook_events_total", "counter", hook.events, "Events that it brought in."),
    one("webhook_bytes_total", "counter", hook.bytes, "Bytes of bodies that were judged."),
    one("webhook_malformed_total", "counter", hook.malformed, "What in them was no audit event."),
    one("webhook_broken_total", "counter", hook.broken, "Clients that went before their answer."),
    one("webhook_bodies", "gauge", hook.waiting, "Bodies that are read or judged."),
    family(
      "webhook_refused_total",
      "counter",
      "Requests that were refused.",
      Object.entries(hook.refused).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
  ];
}

function fileFamilies(files: FileNumbers): Family[] {
  return [
    one("files", "gauge", files.files, "Audit logs that are followed."),
    one("files_events_total", "counter", files.events, "Events that they brought in."),
    one("files_malformed_total", "counter", files.malformed, "What in them was no audit event."),
    one("files_rotated_total", "counter", files.rotated, "Files that gave way to another one."),
    one("files_shortened_total", "counter", files.shortened, "Files that were begun anew."),
    one("files_lines_refused_total", "counter", files.too_long, "Lines beyond the bound."),
    one("files_refused", "gauge", files.refused, "Files beyond what may be open."),
  ];
}

function one(name: string, kind: Family["kind"], value: number, help: string): Family {
  return family(name, kind, help, [{ labels: {}, value }]);
}

function family(name: string, kind: Family["kind"], help: string, samples: Sample[]): Family {
  return { name: `saker_audit_${name}`, kind, help, samples };
}
