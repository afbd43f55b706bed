// The options of `saker alerts`: arguments come in, AlertsFlags go out.
import { type Command, InvalidArgumentError } from "commander";
import { parseInterval } from "../../config/interval.ts";
import { PRIORITY_WORDS, priorityOf } from "../../words/priorities.ts";
import { readFlags } from "../flags.ts";
import { addAskFlags } from "../start/ask_flags.ts";
import type { Terminal } from "../terminal.ts";
import type { AlertsFlags } from "./alerts.ts";

const EXAMPLES = `
Examples:
  saker alerts                               the last ten, then whatever comes
  saker alerts --priority warning --since 1h
  saker alerts --process nginx --container web
  saker alerts --search passwd --once        what is held of them, then exit
  saker alerts --show 12                     who started whom, why it fired, all fields
  saker alerts --json | jq -r .rule
  saker alerts --url https://host:8765 --token-file token --ca-file ca.pem

Of a filter that is repeated one must hold, of different ones all.
Exit codes: 0 ended by you, or all told; 1 a mistake, or it refuses; 2 no saker answers there.`;

export function addAlerts(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const command = program.command("alerts")
    .description("follow the alerts of the saker that runs here, the last ones first")
    .option("-n, --recent <n>", "begin with the last n that match (10)", recent)
    .option("--since <when>", "begin with those since: 10m, 1h, 22:15, 2026-01-31T22:15", since)
    .option("--priority <priority>", "that priority and more severe ones", priority)
    .option("--rule <name>", "of that rule (repeatable)", append)
    .option("--process <name>", "of a process: name, path or pid (repeatable)", append)
    .option("--container <name>", "of a container: name, id, image or pod (repeatable)", append)
    .option("--search <words>", "with all of these words somewhere", append)
    .option("--show <alert>", "all that is known of one, by its id or #number: why, by whom", place)
    .option("--once", "tell what is held and exit, do not follow")
    .option("--json", "as saker's JSON, one alert a line");
  addAskFlags(command)
    .addHelpText("after", EXAMPLES)
    .action(async (options: AlertsFlags) => {
      const { alerts } = await import("./alerts.ts");
      onEnd(await alerts(options, readFlags(program), terminal));
    });
}

/** As it stands in an alert's line, with its mark or without. */
function place(value: string): string {
  const found = /^#?([0-9a-f]+(?:-\d+)?)$/.exec(value)?.[1];
  if (found !== undefined) return found;
  throw new InvalidArgumentError("expected an alert's id or number, such as 12");
}

function recent(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 10_000) return Number(value);
  throw new InvalidArgumentError("expected a number from 0 to 10000: more are not held");
}

function priority(value: string): string {
  if (priorityOf(value) !== undefined) return value.toLowerCase();
  throw new InvalidArgumentError(`expected one of ${PRIORITY_WORDS.join(", ")}`);
}

function since(value: string): number {
  const at = timeOf(value, Date.now());
  if (at !== undefined) return at;
  throw new InvalidArgumentError(
    "expected a time ago such as 10m or 1h30m, a time of today such as 22:15, or a date and time",
  );
}

/** Of a duration before now, a time of the last 24 hours, or a date in the local time zone. */
export function timeOf(text: string, nowMs: number): number | undefined {
  const agoMs = parseInterval(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock !== null) {
    const [, hours, minutes, seconds = 0] = clock.map(Number);
    const date = new Date(nowMs);
    date.setHours(hours!, minutes!, seconds || 0, 0);
    if (date.getTime() > nowMs) date.setDate(date.getDate() - 1);
    return date.getTime();
  }
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text)) {
    return undefined;
  }
  // Of a date alone the language would take midnight in UTC.
  const at = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T"));
  return Number.isNaN(at) ? undefined : at;
}

function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
