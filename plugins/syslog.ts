// A line of syslog → its parts: RFC 5424, and what RFC 3164 describes, as it is sent and as
// daemons write it to files (without a priority, with either kind of time).

export interface SyslogLine {
  readonly format: "rfc5424" | "rfc3164";
  readonly facility?: number;
  readonly severity?: number;
  readonly time?: Date;
  readonly host?: string;
  readonly program?: string;
  readonly pid?: number;
  readonly messageId?: string;
  /** Structured data, by id and then by name. */
  readonly data?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly message: string;
}

const NEW = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) ([^]*)$/;
const OLD = new RegExp(
  "^(?:<(\\d{1,3})>)?" +
    "(?:([A-Z][a-z]{2}) ([ \\d]\\d) (\\d\\d):(\\d\\d):(\\d\\d)|(\\d{4}-\\d\\d-\\d\\dT\\S+)) " +
    "(\\S+) ([^]*)$",
);
const TAG = /^([^\s:[\]]{1,128})(?:\[(\d{1,10})\])?: ?([^]*)$/;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Undefined: it is no line of syslog. `now` gives the year that RFC 3164 leaves out. */
export function parseSyslog(line: string, now: Date): SyslogLine | undefined {
  return parseNew(line) ?? parseOld(line, now);
}

function parseNew(line: string): SyslogLine | undefined {
  const match = NEW.exec(line);
  if (match === null || Number(match[1]) > 191) return undefined;
  const [, priority, time, host, program, pid, messageId, rest] = match;
  const { data, message } = structured(rest!);
  return {
    format: "rfc5424",
    ...priorityOf(priority),
    ...some("time", dateOf(time!)),
    ...some("host", given(host!)),
    ...some("program", given(program!)),
    ...some("pid", /^\d{1,10}$/.test(pid!) ? Number(pid) : undefined),
    ...some("messageId", given(messageId!)),
    ...some("data", data),
    message,
  };
}

function parseOld(line: string, now: Date): SyslogLine | undefined {
  const match = OLD.exec(line);
  if (match === null || Number(match[1] ?? 0) > 191) return undefined;
  const [, priority, month, day, hour, minute, second, iso, host, rest] = match;
  const clock = [hour, minute, second].map(Number) as [number, number, number];
  const time = iso === undefined
    ? yearlessDate(MONTHS.indexOf(month!), Number(day), clock, now)
    : dateOf(iso);
  if (time === undefined) return undefined;
  const tag = TAG.exec(rest!);
  return {
    format: "rfc3164",
    ...(priority === undefined ? {} : priorityOf(priority)),
    time,
    host: host!,
    ...(tag === null ? {} : { program: tag[1]! }),
    ...(tag?.[2] === undefined ? {} : { pid: Number(tag[2]) }),
    message: tag === null ? rest! : tag[3]!,
  };
}

/** Local time, as daemons write it: of this year, or of the last where that is yet to come. */
function yearlessDate(
  month: number,
  day: number,
  clock: readonly [number, number, number],
  now: Date,
): Date | undefined {
  if (month < 0) return undefined;
  const date = new Date(now.getFullYear(), month, day, ...clock);
  const DAY_MS = 86_400_000;
  if (date.getTime() > now.getTime() + DAY_MS) date.setFullYear(now.getFullYear() - 1);
  return date;
}

function priorityOf(text: string | undefined): { facility: number; severity: number } {
  const priority = Number(text);
  return { facility: priority >> 3, severity: priority & 7 };
}

/** `[id name="value" …][id …] message`, or `- message`. */
function structured(
  rest: string,
): { data: Record<string, Record<string, string>> | undefined; message: string } {
  if (rest === "-" || rest.startsWith("- ")) {
    return { data: undefined, message: bare(rest.slice(2)) };
  }
  const data: Record<string, Record<string, string>> = {};
  let at = 0;
  while (rest[at] === "[") {
    const element = /\[([^\s\]="]{1,32})((?: [^\s\]="]{1,32}="(?:[^"\\\]]|\\.)*")*)\]/y;
    element.lastIndex = at;
    const match = element.exec(rest);
    if (match === null) break;
    const values: Record<string, string> = {};
    for (const [, name, value] of match[2]!.matchAll(/ ([^\s="]+)="((?:[^"\\\]]|\\.)*)"/g)) {
      values[name!] = value!.replaceAll(/\\(["\\\]])/g, "$1");
    }
    data[match[1]!] = values;
    at = element.lastIndex;
  }
  return { data, message: bare(rest.slice(at).replace(/^ /, "")) };
}

/** A message may begin with a byte order mark, which says that it is UTF-8. */
function bare(message: string): string {
  return message.replace(/^\ufeff/, "");
}

function given(text: string): string | undefined {
  return text === "-" ? undefined : text;
}

function dateOf(text: string): Date | undefined {
  const date = new Date(text);
  return text === "-" || Number.isNaN(date.getTime()) ? undefined : date;
}

function some<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [key in K]?: V };
}
