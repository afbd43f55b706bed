// The options of the command line as the commands see them, and how Falco's flags are read.
import { type Command, InvalidArgumentError } from "commander";
import { type Listen, parseListen } from "../config/address.ts";
import { parseInterval } from "../config/interval.ts";

export interface Flags {
  readonly config?: string;
  readonly rules: readonly string[];
  readonly option: readonly string[];
  readonly validate: readonly string[];
  readonly listen?: Listen;
  /** Stop after so many seconds of event time. */
  readonly seconds?: number;
  /** How often saker tries whether it sees, in milliseconds. */
  readonly canary?: number;
  readonly unbuffered?: boolean;
  readonly pidfile?: string;
  readonly print?: string;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly version?: boolean;
  readonly support?: boolean;
  readonly pageSize?: boolean;
  readonly configSchema?: boolean;
  readonly ruleSchema?: boolean;
  /** `true` for all sources. */
  readonly list?: string | true;
  readonly namesOnly?: boolean;
  readonly format?: ListFormat;
  readonly markdown?: boolean;
  readonly listEvents?: boolean;
  readonly listPlugins?: boolean;
  readonly pluginInfo?: string;
  readonly ignoredEvents?: boolean;
  readonly describeAll?: boolean;
  readonly describe?: string;
  readonly enableSource: readonly string[];
  readonly disableSource: readonly string[];
}

export type ListFormat = "text" | "markdown" | "json";

/** Adds what holds for every command. */
export function addFlags(program: Command): void {
  program
    .option("-c, --config <file>", "configuration file (falco.yaml); none is read without it")
    .option(
      "-r, --rules <path>",
      "rules file or directory instead of the built-in rules (repeatable)",
      append,
    )
    .option("-o, --option <key=value>", "set a key of the configuration (repeatable)", append)
    .option("-M, --seconds <n>", "stop after n seconds of event time (0: never)", seconds)
    .option("--listen <address:port>", "where the web server listens (127.0.0.1:8765)", listen)
    .option("--canary <interval>", "now and then try whether saker sees, such as 60s", interval)
    .option("--enable-source <source>", "watch only these event sources (repeatable)", append)
    .option("--disable-source <source>", "leave out an event source (repeatable)", append)
    .option("-P, --pidfile <file>", "write the process id to a file")
    .option("-v, --verbose", "tell more on standard error")
    .option("-U, --unbuffered", "write each alert at once (saker always does)")
    .option("-p, --print <format>", "deprecated: append this to the output of every rule")
    .optionsGroup("To check or list something and exit, instead of watching:")
    .option("--dry-run", "do everything but watch: load configuration and rules")
    .option("-V, --validate <path>", "check rules files or directories (repeatable)", append)
    .option("-L, --describe-all", "describe all rules")
    .option("-l, --describe <rule>", "describe one rule")
    .option("--list [source]", "list the fields that rules can use")
    .option("-N, --names-only", "with --list: only the names")
    .option("--list-events", "list the events that rules can match")
    .option("-i, --ignored-events", "list the system calls that are not recorded")
    .option("--format <text|markdown|json>", "with --list and --list-events", listFormat)
    .option("--markdown", "deprecated: same as --format markdown")
    .option("--list-plugins", "list the configured plugins")
    .option("--plugin-info <name>", "describe a plugin")
    .option("--config-schema", "print the JSON schema of the configuration")
    .option("--rule-schema", "print the JSON schema of rules files")
    .option("--support", "print what a report of a problem needs")
    .option("--page-size", "print the page size of this machine")
    .option("--version", "print the version");
}

/** The options that were given; those that can be repeated are lists, empty where absent. */
export function readFlags(program: Command): Flags {
  const { seconds, ...given } = program.opts<Partial<Flags>>();
  return {
    rules: [],
    option: [],
    validate: [],
    enableSource: [],
    disableSource: [],
    ...given,
    ...(seconds === undefined || seconds === 0 ? {} : { seconds }),
  };
}

function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function listen(value: string): Listen {
  const parsed = parseListen(value);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError("expected ADDRESS:PORT such as 127.0.0.1:8765 or localhost:8765");
}

/** 0 means no limit, as in Falco. */
function seconds(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("expected a whole number of seconds");
}

/** Canaries are processes: not more of them than a host has anyway. */
const CANARY_MIN_MS = 1_000;

function interval(value: string): number {
  const ms = parseInterval(value);
  if (ms !== undefined && ms >= CANARY_MIN_MS) return ms;
  throw new InvalidArgumentError("expected a time of at least one second such as 60s or 5m");
}

function listFormat(value: string): ListFormat {
  const folded = value.toLowerCase();
  if (folded === "text" || folded === "markdown" || folded === "json") return folded;
  throw new InvalidArgumentError(
    `Invalid format '${value}'. Valid values are: text, markdown, json`,
  );
}
