// Replays captures and audit logs, and holds saker's alerts against those that the real Falco gave.
import { type ComparedAlert, readAlerts } from "./comparison/alert_stream.ts";
import { auditLogsIn, auditWaysOf, compareAudit } from "./comparison/audit_comparison.ts";
import { comparePairs, type Difference, type Totals } from "./comparison/differences.ts";
import { alertsInProcess, alertsOfBinary, type Mode } from "./comparison/saker_alerts.ts";
import { summary } from "./tally.ts";

const MODES: readonly Mode[] = ["first", "all", "every", "fields"];
/** All ways of the audit logs are one mode here. */
const AUDIT = "audit";

/** Falco's alerts were cut at so many. */
const FIELDS_LIMIT = 20_000;
/** Share of the alerts that must be equal. */
const REQUIRED: Record<Mode, number> = { first: 1, all: 1, every: 1, fields: 0.995 };

interface Options {
  captures: string;
  audit: string;
  rules: string;
  binary: string | undefined;
  only: string[];
  modes: (Mode | typeof AUDIT)[];
  field: string | undefined;
  examples: number;
}

const USAGE = `Usage: scripts/compare [options]
  --captures DIR   where the captures and Falco's alerts are (default: ../shared/captures)
  --rules DIR      where the official rules files are (default: ../shared/rules)
  --audit DIR      where audit logs and Falco's alerts are (default: ../shared/audit)
  --binary FILE    run this saker instead of the modules
  --only NAME      captures and logs whose name begins so (may be repeated)
  --mode MODE      first, all, every or fields of captures, or audit (may be repeated; default:
                   all of them)
  --field NAME     show differences of this field only
  --verbose        show ten examples of each difference, not two
`;

function readOptions(args: readonly string[]): Options {
  const options: Options = {
    captures: "../shared/captures",
    audit: "../shared/audit",
    rules: "../shared/rules",
    binary: undefined,
    only: [],
    modes: [],
    field: undefined,
    examples: 2,
  };
  for (let at = 0; at < args.length; at++) {
    const value = () => args[++at] ?? fail(`${args[at - 1]} needs a value`);
    switch (args[at]) {
      case "--captures":
        options.captures = value();
        break;
      case "--audit":
        options.audit = value();
        break;
      case "--rules":
        options.rules = value();
        break;
      case "--binary":
        options.binary = value();
        break;
      case "--only":
        options.only.push(value());
        break;
      case "--mode": {
        const mode = value() as Mode;
        const known = [...MODES, AUDIT] as const;
        if (!known.includes(mode)) fail(`Unknown mode "${mode}": it is one of ${known.join(", ")}`);
        options.modes.push(mode);
        break;
      }
      case "--field":
        options.field = value();
        break;
      case "--verbose":
        options.examples = 10;
        break;
      case "--help":
        write(USAGE);
        return Deno.exit(0);
      default:
        fail(`Unknown option "${args[at]}"`);
    }
  }
  if (options.modes.length === 0) options.modes = [...MODES, AUDIT];
  return options;
}

function fail(message: string): never {
  write(`${message}\n${USAGE}`);
  Deno.exit(2);
}

const encoder = new TextEncoder();

function write(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** What differs, counted by field, with a few examples of each. */
class Tally {
  readonly #counts = new Map<string, number>();
  readonly #examples = new Map<string, string[]>();
  readonly #options: Options;
  readonly #capture: string;

  constructor(options: Options, capture: string) {
    this.#options = options;
    this.#capture = capture;
  }

  add(difference: Difference): void {
    if (difference.kind === "missing") {
      return this.#note("(missing)", describe(difference.expected));
    }
    if (difference.kind === "extra") return this.#note("(extra)", describe(difference.actual));
    const { expected, actual } = difference;
    for (const part of difference.parts) {
      this.#note(
        part,
        `${describe(expected)}\n      falco ${shown(partOf(expected, part))}\n` +
          `      saker ${shown(partOf(actual, part))}`,
      );
    }
  }

  print(): void {
    const rows = [...this.#counts].sort(([, one], [, other]) => other - one);
    for (const [part, count] of rows) {
      if (this.#options.field !== undefined && part !== this.#options.field) continue;
      write(`  ${String(count).padStart(7)}  ${part}\n`);
      for (const example of this.#examples.get(part) ?? []) write(`    ${example}\n`);
    }
  }

  #note(part: string, example: string): void {
    const count = (this.#counts.get(part) ?? 0) + 1;
    this.#counts.set(part, count);
    if (count > this.#options.examples) return;
    const list = this.#examples.get(part) ?? [];
    list.push(`${this.#capture} ${example}`);
    this.#examples.set(part, list);
  }
}

function partOf(alert: ComparedAlert, part: string): unknown {
  switch (part) {
    case "(priority)":
      return alert.priority;
    case "(source)":
      return alert.source;
    case "(tags)":
      return alert.tags;
    case "(output)":
      return alert.output;
    default:
      return alert.fields.get(part);
  }
}

function describe(alert: ComparedAlert): string {
  const { fields } = alert;
  const event = fields.get("evt.type");
  return `${alert.time} ${alert.rule}${event ? `, ${fields.get("evt.num") ?? ""} ${event}` : ""}`;
}

function shown(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  const text = JSON.stringify(value, (_, item) => typeof item === "bigint" ? String(item) : item);
  return text === undefined ? "(absent)" : text.slice(0, 400);
}

async function compareOne(
  options: Options,
  name: string,
  mode: Mode,
): Promise<{ totals: Totals; tally: Tally }> {
  const tally = new Tally(options, name);
  const capture = `${options.captures}/${name}.scap`;
  const expected = readAlerts(`${options.captures}/${name}.${mode}.jsonl.gz`);
  const actual = options.binary === undefined
    ? alertsInProcess(capture, mode, options)
    : alertsOfBinary(options.binary, capture, mode, options);
  const totals = await comparePairs(expected, actual, {
    limit: mode === "fields" ? FIELDS_LIMIT : Infinity,
    onDifference: (difference) => tally.add(difference),
  });
  await actual.return?.(undefined);
  return { totals, tally };
}

/** Names of a directory that `--only` wants. */
function wanted({ only }: Options, names: readonly string[]): string[] {
  return names.filter((name) => only.length === 0 || only.some((one) => name.startsWith(one)));
}

async function compareCaptures(options: Options): Promise<boolean[]> {
  const names = wanted(
    options,
    [...Deno.readDirSync(options.captures)].map((entry) => entry.name)
      .filter((name) => name.endsWith(".scap")).map((name) => name.slice(0, -5)).sort(),
  );
  const outcomes: boolean[] = [];
  for (const mode of options.modes) {
    if (mode === AUDIT) continue;
    for (const name of names) {
      const { totals, tally } = await compareOne(options, name, mode);
      const all = Math.max(totals.expected, totals.actual);
      const share = all === 0 ? 1 : totals.equal / all;
      const ok = share >= REQUIRED[mode];
      outcomes.push(ok);
      const controls = totals.controls === 0
        ? ""
        : `, ${totals.controls} of them with control characters, which Falco 0.44.1 hides`;
      write(
        `${ok ? "ok  " : "FAIL"} ${mode.padEnd(6)} ${name.padEnd(26)} falco ${totals.expected} ` +
          `saker ${totals.actual} equal ${totals.equal} (${
            (share * 100).toFixed(2)
          } %)${controls}\n`,
      );
      tally.print();
    }
  }
  return outcomes;
}

/** Audit logs: all is equal, but for what has a name. */
async function compareAuditLogs(options: Options): Promise<boolean[]> {
  const outcomes: boolean[] = [];
  for (const log of wanted(options, auditLogsIn(options.audit))) {
    const place = { directory: options.audit, log };
    for (const way of auditWaysOf(place)) {
      const tally = new Tally(options, log);
      const { totals, excepted, differences } = await compareAudit(
        place,
        way,
        options.binary,
        (difference) => tally.add(difference),
      );
      outcomes.push(differences === 0);
      const named = [...excepted].map(([name, alerts]) => `, ${alerts} differ: ${name}`).join("");
      write(
        `${differences === 0 ? "ok  " : "FAIL"} audit  ${`${log} ${way}`.padEnd(26)} falco ` +
          `${totals.expected} saker ${totals.actual} equal ${totals.equal}${named}\n`,
      );
      tally.print();
    }
  }
  return outcomes;
}

async function main(): Promise<number> {
  const options = readOptions(Deno.args);
  const outcomes = await compareCaptures(options);
  if (options.modes.includes(AUDIT)) outcomes.push(...await compareAuditLogs(options));
  if (outcomes.length === 0) fail("there is no such capture or log");
  const passed = outcomes.filter((ok) => ok).length;
  write(`${summary({ passed, failed: outcomes.length - passed, skipped: 0 })}\n`);
  return passed === outcomes.length ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
