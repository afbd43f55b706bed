// `saker tune ALERTS…`: alerts in, exceptions out as YAML that a person reads, proven on those
// alerts, on captures, on what must still fire and on the cases kept beside the rules. A summary
// goes to standard error.
import { loadOptions, loadSound } from "../../engine/compile_rules.ts";
import { reasonOf } from "../../files/reason.ts";
import type { PrintedAlert } from "../../tune/alert.ts";
import type { Tuning } from "../../tune/proposal.ts";
import { propose } from "../../tune/propose.ts";
import { tuningText } from "../../tune/proposal_text.ts";
import type { RulesAtHand } from "../../tune/trial.ts";
import type { Paths } from "../../rules/tools/scenario_run.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Flags } from "../flags.ts";
import { rulesStart } from "../start/engine_start.ts";
import { loadConfig } from "../start/load_config.ts";
import { listedPlugins } from "../start/plugins_start.ts";
import { type AskFlags, checkedUrl } from "../start/ask_flags.ts";
import type { Terminal } from "../terminal.ts";
import { ALERTS_MAX, gather, type Gathered, isCapture } from "./tune_alerts.ts";
import { alertsOfCapture, proveOnCapture } from "./tune_captures.ts";
import { KeptCases } from "./tune_cases.ts";
import { lookAt } from "../start/program_look.ts";

export interface TuneFlags extends AskFlags {
  readonly keep?: readonly string[];
  readonly capture?: readonly string[];
  readonly output?: string;
  readonly min?: number;
  readonly falco?: boolean;
}

/** Returns the exit code; what is wrong with the request is thrown as one line. */
export async function tune(
  sources: readonly string[],
  options: TuneFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const { config } = loadConfig(flags, terminal);
  const start = { ...rulesStart(config, flags, await listedPlugins(config)), live: false };
  loadSound(start);
  const rules: RulesAtHand = { files: start.files, load: loadOptions(start) };
  const { paths } = config.engine;
  const ofCapture = (path: string) => alertsOfCapture(path, rules, paths);
  const isUrl = (source: string) => /^https?:\/\//i.test(source);
  const files = sources.filter((source) => !isUrl(source));
  const urls = [...sources.filter(isUrl), ...options.url === undefined ? [] : [options.url]];
  // As saker alerts and saker top: the one that runs here.
  if (sources.length === 0 && urls.length === 0) urls.push("");
  const held = await heldBy(urls, options, flags, terminal);
  const read = gather(files, ofCapture);
  const given = { ...read, alerts: [...held, ...read.alerts].slice(0, ALERTS_MAX) };
  const keep = gather(options.keep ?? [], ofCapture);
  if (given.alerts.length === 0) {
    const none = `${[...files, ...urls].filter((one) => one !== "").join(", ") || "saker"}: ` +
      "there are no alerts";
    if (files.length > 0) throw new Error(`${none}; expected JSON lines of alerts, or captures`);
    terminal.error(`${none}\n`);
    return 0;
  }
  const cases = new KeptCases(rules);
  const tuning = propose(given.alerts, rules, {
    keep: keep.alerts,
    falcoOnly: options.falco === true,
    objection: (rule, excuses) => cases.brokenBy(rule, excuses),
    ...isOfThisHost(given.alerts) ? { look: lookAt } : {},
    ...options.min === undefined ? {} : { alertsMin: options.min },
  });
  const proof = [
    ...onAlerts(tuning, given, keep),
    ...onCases(tuning, cases, paths),
    ...onCaptures(tuning, rules, { files, options, paths }),
  ];
  write(tuningText(tuning, proof), options.output, terminal);
  terminal.error(summary(tuning, given));
  return 0;
}

/** What running sakers hold; throws an error of one line where one does not answer. */
async function heldBy(
  urls: readonly string[],
  options: TuneFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<PrintedAlert[]> {
  if (urls.length === 0) return [];
  const { runningSaker } = await import("../start/running_saker.ts");
  const { heldAlerts } = await import("./tune_asked.ts");
  const alerts: PrintedAlert[] = [];
  for (const url of urls) {
    const at = url === "" ? {} : { url: checkedUrl(url) };
    const client = runningSaker(flags, { ...options, ...at }, terminal);
    try {
      alerts.push(...await heldAlerts(client));
    } catch (error) {
      throw new Error(`Cannot read the alerts of ${client.url}: ${reasonOf(error)}`);
    } finally {
      client.close();
    }
  }
  return alerts;
}

/** Files are looked at where the alerts are of this host alone. */
function isOfThisHost(alerts: readonly PrintedAlert[]): boolean {
  const here = Deno.hostname();
  return alerts.every(({ hostname }) => hostname === here);
}

function safeYaml({ proposals }: Tuning): string {
  return proposals.filter(({ level }) => level === "safe").map(({ yaml }) => yaml).join("\n");
}

function onAlerts(tuning: Tuning, given: Gathered, keep: Gathered): string[] {
  const { alerts, remaining, quietAlready, proposals } = tuning;
  const safe = proposals.filter(({ level }) => level === "safe").length;
  const silenced = alerts - remaining - quietAlready;
  return [
    `Of ${alerts} alerts given, the ${safe} in force below silence ${silenced}; ${remaining} ` +
    `remain${quietAlready > 0 ? `, and ${quietAlready} would not be told anyway` : ""}. ` +
    "Tried by loading them behind the rules and asking their conditions of each alert.",
    ...keep.alerts.length === 0
      ? []
      : [`None of the ${keep.alerts.length} alerts to be kept is silenced.`],
    ...given.beyond === 0
      ? []
      : [`${given.beyond} alerts beyond the first ${ALERTS_MAX} were not looked at.`],
  ];
}

function onCases(tuning: Tuning, cases: KeptCases, paths: Paths): string[] {
  const { held, files, broken } = cases.prove(safeYaml(tuning), paths);
  if (files === 0) return ["There are no cases beside the rules (*_test.yaml)."];
  if (broken.length > 0) {
    throw new Error(
      `with all exceptions together the case ${broken[0]} would fail: a higher --min has fewer`,
    );
  }
  return [`With them, ${held} cases in ${files} files beside the rules hold as before.`];
}

interface Tried {
  readonly files: readonly string[];
  readonly options: TuneFlags;
  readonly paths: Paths;
}

function onCaptures(tuning: Tuning, rules: RulesAtHand, tried: Tried): string[] {
  const yaml = safeYaml(tuning);
  if (yaml === "") return [];
  const { files, options: { capture = [], keep = [] }, paths } = tried;
  const named = new Set(tuning.proposals.map(({ rule }) => rule));
  const captures = (from: readonly string[]) => from.filter((one) => one !== "-" && isCapture(one));
  const given = [...captures(files), ...captures(capture)];
  const told = given.map((path) => {
    const { before, after, lost, gained } = proveOnCapture(path, rules, yaml, paths);
    const strange = [...lost.keys()].find((rule) => !named.has(rule));
    if (strange !== undefined) throw new Error(`${path}: "${strange}" is silenced unasked`);
    const counts = (of: ReadonlyMap<string, number>) =>
      [...of].map(([rule, count]) => `${count} of "${rule}"`).join(", ");
    return `Replayed ${path}: ${before} alerts before, ${after} with them` +
      `${lost.size > 0 ? `; silenced are ${counts(lost)}, and of no other rule` : ""}` +
      `${gained.size > 0 ? `; instead come ${counts(gained)}` : ""}.`;
  });
  for (const path of captures(keep)) {
    const { before, lost } = proveOnCapture(path, rules, yaml, paths);
    const [rule] = lost.keys();
    if (rule !== undefined) throw new Error(`${path}: an alert of "${rule}" is silenced`);
    told.push(`Replayed ${path}, to be kept: all ${before} alerts still come.`);
  }
  return told;
}

function write(text: string, path: string | undefined, terminal: Terminal): void {
  if (path === undefined) return terminal.out(text);
  try {
    Deno.writeTextFileSync(terminal.nameOf(path), text);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}

function summary(tuning: Tuning, { strange }: Gathered): string {
  const { proposals, lacking, alerts, remaining, quietAlready, unknownRules } = tuning;
  const { few, withCare } = tuning;
  const safe = proposals.filter(({ level }) => level === "safe");
  const care = proposals.length - safe.length;
  const lines = [
    `${alerts} alerts: ${alerts - remaining - quietAlready} silenced by ${safe.length} ` +
    `exceptions, ${remaining} remain`,
  ];
  if (quietAlready > 0) lines.push(`${quietAlready} the rules would not tell any more as it is`);
  for (const { rule, name, silenced, parts } of safe.slice(0, SHOWN_MAX)) {
    const fields = parts.map(({ field }) => field).join(", ");
    lines.push(`  ${silenced} of "${rule}": ${name} (${fields})`);
  }
  if (safe.length > SHOWN_MAX) lines.push(`  … and ${safe.length - SHOWN_MAX} more`);
  if (care > 0) {
    lines.push(`${care} more, for ${withCare}, stand commented out: each needs a look first`);
  }
  const unknown = [...unknownRules.values()].reduce((sum, count) => sum + count, 0);
  const none = remaining - withCare - few - unknown;
  if (none > 0) lines.push(`${none} have none: an intruder could make it hold, or it is untold`);
  const untold = lacking.reduce((sum, one) => sum + one.alerts, 0);
  if (untold > 0) {
    lines.push(`${untold} of them tell too little: the end of the YAML says what to add`);
  }
  if (few > 0) lines.push(`${few} came but once or so: --min 1 has exceptions for them, too`);
  for (const [rule, count] of [...unknownRules].slice(0, SHOWN_MAX)) {
    lines.push(`${count} are of "${visibleLine(rule)}", which is not among the rules (-r)`);
  }
  if (strange > 0) lines.push(`${strange} lines are no alerts with output_fields`);
  return `${lines.join("\n")}\n`;
}

/** Lines of one kind. */
const SHOWN_MAX = 10;
