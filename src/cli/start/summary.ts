// What is told at the end of a run: Falco's lines, and what was lost on the way.
import { Counter, type CounterPlace, type Counters } from "../../engine/contract/counters.ts";
import type { EngineEnd } from "../../engine/contract/messages.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import { visibleLine } from "../../words/visible.ts";

export interface Judged {
  /** Undefined where system calls were not looked at. */
  readonly syscalls: Counters | undefined;
  /** Undefined where audit events were not. */
  readonly audit: Counters | undefined;
  /** Of each plugin's source. */
  readonly plugins: readonly (readonly [source: string, counters: Counters])[];
}

export function summary(end: EngineEnd, judged: Judged, outputDropped: number): string {
  const fired = end.alertsByRule.filter(([, , alerts]) => alerts > 0);
  const bySeverity = new Map<number, number>();
  for (const [, priority, alerts] of fired) {
    bySeverity.set(priority, (bySeverity.get(priority) ?? 0) + alerts);
  }
  const total = fired.reduce((sum, [, , alerts]) => sum + alerts, 0);
  const all = [judged.syscalls, judged.audit, ...judged.plugins.map(([, counters]) => counters)]
    .filter((counters) => counters !== undefined);
  const get = (place: CounterPlace) => all.reduce((sum, counters) => sum + counters.get(place), 0);
  const lines = [
    `Events detected: ${total}`,
    "Rule counts by severity:",
    ...[...bySeverity].sort(([one], [other]) => one - other)
      .map(([priority, alerts]) => `   ${severity(priority)}: ${alerts}`),
    "Triggered rules by rule name:",
    ...fired.map(([rule, , alerts]) => `   ${visibleLine(rule)}: ${alerts}`),
    ...(judged.syscalls === undefined ? [] : syscallLines(judged.syscalls)),
    ...(judged.audit === undefined ? [] : [auditLine(judged.audit)]),
    ...judged.plugins.map(([source, counters]) => sourceLine(`Events of ${source}`, counters)),
  ];
  const refused = [Counter.ThreadsRefused, Counter.FdsRefused, Counter.ArgumentsForgotten].map(get);
  if (refused.some((count) => count > 0)) {
    lines.push(
      `Not kept, since the tables were full: ${refused[0]} threads, ${refused[1]} descriptors, ` +
        `arguments of ${refused[2]} threads`,
    );
  }
  const dropped = get(Counter.AlertsDropped) + outputDropped;
  if (dropped > 0) lines.push(`Alerts that an output could not take: ${dropped}`);
  const lacking = get(Counter.CaptureEventsLost);
  if (lacking > 0) {
    lines.push(`Events that captures lack, since their disk did not keep up: ${lacking}`);
  }
  const failed = get(Counter.CapturesFailed);
  if (failed > 0) lines.push(`Captures that could not be written, or not whole: ${failed}`);
  return `${lines.join("\n")}\n`;
}

function syscallLines(counters: Counters): string[] {
  const get = (place: CounterPlace) => counters.get(place);
  return [
    ...dropLines(counters),
    `System call events: ${get(Counter.Events)}; lost: ${get(Counter.LostCritical)} critical, ` +
    `${get(Counter.LostBulk)} bulk; malformed: ${get(Counter.Malformed)}, ` +
    `not judged: ${get(Counter.Mistakes)}`,
  ];
}

function auditLine(counters: Counters): string {
  return sourceLine("Audit events", counters);
}

function sourceLine(what: string, counters: Counters): string {
  return `${what}: ${counters.get(Counter.Events)}; malformed: ` +
    `${counters.get(Counter.Malformed)}, not judged: ${counters.get(Counter.Mistakes)}`;
}

/** What `-v` tells of a run besides, in Falco's lines. */
export function verboseLines(counters: Counters, seconds: number): string[] {
  const events = counters.get(Counter.Events);
  const lost = counters.get(Counter.LostCritical) + counters.get(Counter.LostBulk);
  return [
    `Driver Events:${events + lost}`,
    `Driver Drops:${lost}`,
    `Elapsed time: ${seconds.toFixed(3)}, Captured Events: ${events}, ` +
    `${(events / Math.max(seconds, 0.001)).toFixed(2)} eps`,
  ];
}

/** Falco's lines of losses over the threshold of `syscall_event_drops`. */
export function dropLines(counters: Counters): string[] {
  return [
    "Syscall event drop monitoring:",
    `   - event drop detected: ${counters.get(Counter.DropsDetected)} occurrences`,
    `   - num times actions taken: ${counters.get(Counter.DropsActedOn)}`,
  ];
}

function severity(priority: number): string {
  const name = PRIORITY_NAMES[priority]!.toUpperCase();
  return name === "INFORMATIONAL" ? "INFO" : name;
}
