// An alert as one line: Falco's JSON for machines, a line of text for people. Keys are sorted,
// integers are written whole however large; control characters, marks that turn the direction of
// reading, separators of lines and invalid UTF-8 never get through as they are.
import type { Alert } from "../../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import type { Value } from "../../fields/row/field.ts";
import { visibleText } from "../../words/visible.ts";
import { clockTime, isoTime, isoTimeUtc } from "./time.ts";

export interface FormatOptions {
  readonly json: boolean;
  /** `time_format_iso_8601`: also the key under which the time stands in output_fields. */
  readonly isoTime: boolean;
  readonly outputProperty: boolean;
  readonly messageProperty: boolean;
  readonly outputFieldsProperty: boolean;
  readonly tagsProperty: boolean;
  /** Colour by priority; for text on a terminal only. */
  readonly colour: boolean;
}

/** JSON with all that an alert has. */
export const WHOLE_JSON: FormatOptions = {
  json: true,
  isoTime: false,
  outputProperty: true,
  messageProperty: true,
  outputFieldsProperty: true,
  tagsProperty: true,
  colour: false,
};

/** One alert without the newline at its end. */
export function formatAlert(alert: Alert, options: FormatOptions): string {
  if (options.json) return formatJson(alert, options);
  const line = escaped(textLine(alert, options, true));
  if (!options.colour) return line;
  return coloured(line, alert.priority);
}

/** In the colour of a priority. */
export function coloured(text: string, priority: number): string {
  return `${COLOURS[priority] ?? ""}${text}${RESET}`;
}

/** Falco's JSON object with saker's own `degraded`, `id` and `seq` among its sorted keys. */
export function formatJson(alert: Alert, options: FormatOptions): string {
  const { repeats } = alert;
  const parts = [
    ...(alert.containerUntold === true ? ['"container_metadata":"missing"'] : []),
    ...(repeats === undefined ? [] : [`"count":${repeats.count}`]),
    `"degraded":${alert.degraded}`,
    ...(repeats === undefined ? [] : [`"first":"${isoTimeUtc(repeats.first)}"`]),
    `"hostname":${quoted(alert.hostname)}`,
    `"id":${quoted(alertId(alert))}`,
    ...(repeats === undefined ? [] : [`"last":"${isoTimeUtc(repeats.last)}"`]),
  ];
  if (options.messageProperty) parts.push(`"message":${quoted(alert.message)}`);
  const internal = isInternal(alert);
  if (options.outputProperty || internal) {
    parts.push(`"output":${quoted(outputOf(alert, options))}`);
  }
  if (options.outputFieldsProperty || internal) {
    parts.push(`"output_fields":${fieldsJson(alert, options)}`);
  }
  parts.push(
    `"priority":"${PRIORITY_NAMES[alert.priority]}"`,
    `"rule":${quoted(alert.rule)}`,
    `"seq":${alert.sequence}`,
    `"source":${quoted(alert.source)}`,
  );
  if (options.tagsProperty && alert.tags !== undefined) {
    parts.push(`"tags":[${alert.tags.map(quoted).join(",")}]`);
  }
  parts.push(`"time":"${isoTimeUtc(alert.time)}"`);
  return `{${parts.join(",")}}`;
}

/** Names one alert of one host: the same replay gives the same ids. */
export function alertId(alert: Alert): string {
  return `${alert.time.toString(16).padStart(16, "0")}-${alert.sequence}`;
}

/** Internal alerts, which have no tags, tell their fields in the text, as Falco's do. */
function isInternal(alert: Alert): boolean {
  return alert.tags === undefined;
}

function outputOf(alert: Alert, options: FormatOptions): string {
  return isInternal(alert) ? alert.message : textLine(alert, options, false);
}

function textLine(alert: Alert, options: FormatOptions, withFields: boolean): string {
  const internal = isInternal(alert);
  const time = options.isoTime && !internal ? isoTime(alert.time) : clockTime(alert.time);
  const line = `${time}: ${PRIORITY_NAMES[alert.priority]} ${alert.message}${repeated(alert)}`;
  if (!internal || !withFields || alert.outputFields.length === 0) return line;
  const fields = sortedFields(alert.outputFields);
  return `${line} (${fields.map(([name, value]) => `${name}=${valueJson(value)}`).join(" ")})`;
}

function repeated({ repeats, containerUntold }: Alert): string {
  if (repeats === undefined) return containerUntold === true ? UNTOLD : "";
  const { count, first, last } = repeats;
  return ` (${count} such alerts from ${isoTimeUtc(first)} to ${isoTimeUtc(last)})`;
}

const UNTOLD = " (no runtime told of its container in time)";

/** The fields of an alert; the prefix of Falco's output names the time, so that is a field of every
 * alert of a rule. */
export function fieldsOf(
  alert: Alert,
  { isoTime }: Pick<FormatOptions, "isoTime">,
  time: Value,
): readonly (readonly [string, Value])[] {
  if (isInternal(alert)) return alert.outputFields;
  return [...alert.outputFields, [isoTime ? "evt.time.iso8601" : "evt.time", time]];
}

function fieldsJson(alert: Alert, options: FormatOptions): string {
  const fields = fieldsOf(alert, options, alert.time);
  const rows = sortedFields(fields).map(([name, value]) => `${quoted(name)}:${valueJson(value)}`);
  return `{${rows.join(",")}}`;
}

function sortedFields(
  fields: readonly (readonly [string, Value])[],
): readonly (readonly [string, Value])[] {
  const byName = new Map(fields.map((field) => [field[0], field]));
  return [...byName.values()].sort(([one], [other]) => one < other ? -1 : one > other ? 1 : 0);
}

/** A field's value in JSON; what an event does not have is `null`. */
export function valueJson(value: Value): string {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "string":
      return quoted(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return value instanceof Uint8Array
        ? quoted(decoder.decode(value))
        : `[${value.map(valueJson).join(",")}]`;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Nothing of it is escaped in JSON or unsafe to show. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  // The escapes are JSON's: who reads the value finds the marks, who is shown the line does not.
  return visibleText(JSON.stringify(text.isWellFormed() ? text : text.toWellFormed()));
}

/** Falco passes a line of text through JSON's escaping, without the quotes around it. */
function escaped(text: string): string {
  return quoted(text).slice(1, -1);
}

const RESET = "\x1b[0m";

/** By priority: red for what must be looked at now, yellow, cyan, and dim for the rest. */
const COLOURS = [
  "\x1b[1;97;41m",
  "\x1b[1;31m",
  "\x1b[1;31m",
  "\x1b[31m",
  "\x1b[33m",
  "\x1b[36m",
  "",
  "\x1b[2m",
];
