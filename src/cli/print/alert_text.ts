// An alert as a person reads it on a terminal: its time, priority and rule, and behind or below
// them what its output says, in lines of the terminal's width.
import type { ToldAlert } from "../../client/told_alert.ts";
import { harmless, wrap } from "../../screen/columns.ts";
import { columnsOfLine, type Line, span, type Tone } from "../../screen/line.ts";

const TONES: Readonly<Record<string, Tone>> = {
  Emergency: "bad",
  Alert: "bad",
  Critical: "bad",
  Error: "bad",
  Warning: "odd",
  Notice: "note",
  Debug: "faint",
};

const INDENT = "  ";

/** `todayMs`: alerts of other days show theirs. */
export function alertLines(alert: ToldAlert, columns: number, todayMs: number): Line[] {
  const { priority, rule, degraded, seq } = alert;
  // By which `--show` knows it.
  const number: Line = seq > 0 ? [span(` #${seq}`, "faint")] : [];
  const head: Line = [
    span(`${localTime(alert, todayMs)} `, "faint"),
    span(`${priority} `, TONES[priority] ?? "plain"),
  ];
  const text = harmless(saidBy(alert));
  const told = degraded ? `${text}${text === "" ? "" : " "}(events were lost before it)` : text;
  const whole: Line = [
    ...head,
    span(rule, "strong"),
    ...number,
    span(told === "" ? "" : `  ${told}`),
  ];
  if (columnsOfLine(whole) <= columns) return [whole];
  // A rule's name that does not fit goes on below.
  const [first = "", ...names] = wrap(harmless(rule), columns, {
    indent: INDENT,
    taken: columnsOfLine(head),
  });
  const named: Line[] = [
    [...head, span(first, "strong")],
    ...names.map((line): Line => [span(line, "strong")]),
  ];
  const last = named.at(-1)!;
  const isRoom = columnsOfLine(last) + columnsOfLine(number) <= columns;
  return [
    ...named.slice(0, -1),
    ...(isRoom ? [[...last, ...number]] : [last, [span(INDENT.slice(1)), ...number]]),
    ...wrap(told, columns - INDENT.length).map((line): Line => [span(INDENT + line)]),
  ];
}

/** Outputs mostly begin with what their rule is called, and have the fields in brackets. */
function saidBy({ message, rule }: ToldAlert): string {
  if (!message.startsWith(rule)) return message;
  const rest = message.slice(rule.length).trim();
  return /^\(([^]*)\)$/.exec(rest)?.[1] ?? rest;
}

function localTime({ timeMs, time }: ToldAlert, todayMs: number): string {
  if (timeMs === 0) return time;
  const [date, today] = [new Date(timeMs), new Date(todayMs)];
  if (date.toDateString() === today.toDateString()) return clock(timeMs);
  const day = [date.getMonth() + 1, date.getDate()].map(two).join("-");
  return `${date.getFullYear()}-${day} ${clock(timeMs)}`;
}

/** `23:59:59` in the local time zone. */
export function clock(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
