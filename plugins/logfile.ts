/// <reference path="./saker-plugin.d.ts" />
// Follows log files: lines of JSON, of syslog, or of text, as events of the source "log".
//
//   plugins:
//     - {name: logfile, open_params: "/var/log/auth.log,/var/log/app.json"}
//
// `open_params` names files, divided by commas; `init_config` may say {from: start}.
import { defineFields, defineSource, type SourceEvent } from "saker/plugin";
import { follow } from "./follow.ts";
import { numberOf, textOf, valueAt } from "./pointer.ts";
import { parseSyslog, type SyslogLine } from "./syslog.ts";

export const plugin = {
  name: "logfile",
  version: "0.1.0",
  description: "Lines of log files: JSON, syslog (RFC 5424, RFC 3164), text",
  contact: "https://falco.org/docs/",
};

const LINE_BYTES_MAX = 131_072;
const SEVERITIES = "emergency alert critical error warning notice informational debug".split(" ");
const FACILITIES = ("kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit " +
  "alert clock local0 local1 local2 local3 local4 local5 local6 local7").split(" ");

export const permissions = (_config: unknown, params: string) => ({ read: pathsOf(params) });

export const source = defineSource({
  name: "log",
  id: 997,
  events(params, signal, config) {
    const paths = pathsOf(params);
    if (paths.length === 0) throw new Error("open_params: expected files, divided by commas");
    for (const path of paths) {
      if (!path.startsWith("/")) throw new Error(`open_params: expected a whole path, not ${path}`);
    }
    const from = config?.from ?? "end";
    if (from !== "start" && from !== "end") {
      throw new Error(`init_config: from: expected start or end, found ${JSON.stringify(from)}`);
    }
    return follow(paths, {
      lineBytesMax: LINE_BYTES_MAX,
      fromStart: from === "start",
      // deno-lint-ignore no-console
      warn: (line) => console.warn(line),
    }, signal);
  },
  text: (event) => event.json?.line ?? "",
});

function pathsOf(params: string): string[] {
  return params.split(",").map((path) => path.trim()).filter((path) => path !== "");
}

interface Line {
  readonly line: string;
  readonly json?: unknown;
  readonly syslog?: SyslogLine;
}

const read = new WeakMap<SourceEvent, Line>();

/** A line is taken apart once for all fields. */
function lineOf(event: SourceEvent): Line {
  const known = read.get(event);
  if (known !== undefined) return known;
  const line = String(event.json?.line ?? "");
  const made = { line, ...partsOf(line, new Date(Number(event.time / 1_000_000n))) };
  read.set(event, made);
  return made;
}

function partsOf(line: string, now: Date): Omit<Line, "line"> {
  const json = jsonOf(line);
  if (json !== undefined) return { json };
  const syslog = parseSyslog(line, now);
  if (syslog === undefined) return {};
  const inside = jsonOf(syslog.message);
  return { syslog, ...(inside === undefined ? {} : { json: inside }) };
}

/** Objects alone: a number by itself is no line of JSON. */
function jsonOf(text: string): unknown {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first of the names that a line of JSON has. */
function anyOf(event: SourceEvent, ...names: readonly string[]): string | undefined {
  const { json } = lineOf(event);
  for (const name of names) {
    const value = textOf(valueAt(json, name));
    if (value !== undefined) return value;
  }
  return undefined;
}

function syslogOf(event: SourceEvent): SyslogLine | undefined {
  return lineOf(event).syslog;
}

function timeOf(event: SourceEvent): Date | undefined {
  const own = syslogOf(event)?.time;
  if (own !== undefined) return own;
  const text = anyOf(event, "time", "timestamp", "@timestamp", "ts");
  if (text === undefined) return undefined;
  const number = Number(text);
  // Seconds, or milliseconds, since the epoch.
  const date = new Date(Number.isNaN(number) ? text : number < 1e11 ? number * 1000 : number);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function levelOf(event: SourceEvent): string | undefined {
  const severity = syslogOf(event)?.severity;
  return severity === undefined
    ? anyOf(event, "level", "severity", "lvl", "log.level")?.toLowerCase()
    : SEVERITIES[severity];
}

export const fields = defineFields({
  "log.line": { type: "string", desc: "The whole line", value: (event) => lineOf(event).line },
  "log.file": {
    type: "string",
    desc: "The file that it stands in",
    value: (event) => textOf(event.json?.file),
  },
  "log.format": {
    type: "string",
    desc: "What the line is: json, rfc5424, rfc3164 or text",
    value: (event) => {
      const { syslog, json } = lineOf(event);
      return syslog?.format ?? (json === undefined ? "text" : "json");
    },
  },
  "log.message": {
    type: "string",
    desc: "What it says: of syslog behind its header, of JSON msg or message, else the line",
    addOutput: true,
    value: (event) =>
      syslogOf(event)?.message ?? anyOf(event, "msg", "message", "MESSAGE") ?? lineOf(event).line,
  },
  "log.level": {
    type: "string",
    desc: "Of syslog the severity as a word (emergency … debug), of JSON level or severity",
    value: levelOf,
  },
  "log.severity": {
    type: "uint64",
    desc: "The severity of syslog, 0 to 7",
    value: (event) => syslogOf(event)?.severity,
  },
  "log.facility": {
    type: "string",
    desc: "The facility of syslog as a word: auth, daemon, local0",
    value: (event) => FACILITIES[syslogOf(event)?.facility ?? -1],
  },
  "log.time": { type: "abstime", desc: "The time that the line says", value: timeOf },
  "log.host": {
    type: "string",
    desc: "The host that syslog says, or JSON: host, hostname",
    value: (event) => syslogOf(event)?.host ?? anyOf(event, "host", "hostname"),
  },
  "log.program": {
    type: "string",
    desc: "The program that syslog says, or JSON: program, app, logger",
    value: (event) => syslogOf(event)?.program ?? anyOf(event, "program", "app", "logger"),
  },
  "log.pid": {
    type: "uint64",
    desc: "The process id that syslog says, or JSON: pid",
    value: (event) => syslogOf(event)?.pid ?? numberOf(valueAt(lineOf(event).json, "pid")),
  },
  "log.msgid": {
    type: "string",
    desc: "The message's id of RFC 5424",
    value: (event) => syslogOf(event)?.messageId,
  },
  "log.data": {
    type: "string",
    desc: "Structured data of RFC 5424: log.data[id/name]",
    arg: "key",
    value: (event, key) => textOf(valueAt(syslogOf(event)?.data, key)),
  },
  "log.value": {
    type: "string",
    desc: "A value of a line of JSON by its JSON pointer: log.value[/user/name]",
    arg: "key",
    value: (event, key) => textOf(valueAt(lineOf(event).json, key)),
  },
  "log.number": {
    type: "uint64",
    desc: "The same as a whole number from 0 on: log.number[/status] >= 500",
    arg: "key",
    value: (event, key) => numberOf(valueAt(lineOf(event).json, key)),
  },
});
