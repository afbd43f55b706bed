// A message as syslog has it: the short form of the host's own socket, as syslog(3) writes it, and
// RFC 5424 for receivers elsewhere, over streams with its length in front (RFC 6587).
import type { Message } from "../format/message.ts";
import { isoTimeUtc } from "../format/time.ts";

export interface SyslogNames {
  /** Index into FACILITIES. */
  readonly facility: number;
  /** What the messages are told to come from. */
  readonly ident: string;
  readonly pid: number;
}

export const FACILITIES = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "authpriv",
  "ftp",
  "ntp",
  "security",
  "console",
  "solaris-cron",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

const encoder = new TextEncoder();

/** A datagram holds no more, and many receivers less. */
export const DATAGRAM_BYTES_MAX = 60_000;

/** `<12>Jan  2 03:04:05 saker: text`, in local time, whenever the alert was: as Falco's. */
export function localFrame({ text, priority }: Message, names: SyslogNames, now: Date): Uint8Array {
  const [, month, day, , clock] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/.exec(now.toString())!;
  const dayText = String(Number(day)).padStart(2);
  const head = `<${pri(names, priority)}>${month} ${dayText} ${clock} ${names.ident}: `;
  return cut(encoder.encode(head + text), DATAGRAM_BYTES_MAX);
}

/** RFC 5424: `<12>1 2026-01-02T03:04:05.000000Z host saker 42 alert - text`. */
export function remoteFrame(message: Message, names: SyslogNames, bytesMax: number): Uint8Array {
  // Six digits of a second are allowed.
  const time = isoTimeUtc(message.time).replace(/(\.\d{6})\d*/, "$1");
  const host = printable(message.hostname, 255);
  const ident = printable(names.ident, 48);
  const head = `<${pri(names, message.priority)}>1 ${time} ${host} ${ident} ${names.pid} alert - `;
  return cut(encoder.encode(head + message.text), bytesMax);
}

/** With its length in front, so that no byte of a message ends it. */
export function counted(frame: Uint8Array): Uint8Array {
  const length = encoder.encode(`${frame.length} `);
  const bytes = new Uint8Array(length.length + frame.length);
  bytes.set(length);
  bytes.set(frame, length.length);
  return bytes;
}

/** Falco's priorities are the severities of syslog. */
function pri({ facility }: SyslogNames, priority: number): number {
  return facility * 8 + priority;
}

/** Names are of printable ASCII without blanks; one that is nothing is a dash. */
function printable(name: string, max: number): string {
  const text = name.replace(/[^!-~]/g, "_").slice(0, max);
  return text === "" ? "-" : text;
}

/** Not within a character. */
function cut(bytes: Uint8Array, max: number): Uint8Array {
  if (bytes.length <= max) return bytes;
  let end = max;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
