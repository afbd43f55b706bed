// Alerts and rules in, exceptions out that a person may take: the door of this room. Alerts of a
// rule are put together by who acted, as far as whoever acts cannot choose it; what they acted on
// narrows the exception. Each is written in the rules' language, loaded behind the rules, and its
// condition is asked of every alert: what it silences is measured, not believed.
import { EVENTS } from "../events/table.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { actorOf } from "./actor.ts";
import { adviceFor } from "./advice.ts";
import type { PrintedAlert } from "./alert.ts";
import { type Cluster, type Draft, draftOf } from "./draft.ts";
import { countOf, evidenceOf } from "./evidence.ts";
import { NARROWING_FIELDS, OBJECT_FIELDS, type Part } from "./objects.ts";
import { NEVER_OPEN, openness } from "./open.ts";
import { isOurs } from "./pickers.ts";
import type { Lacking, Proposal, ProposeOptions, Refusal, Tuning } from "./proposal.ts";
import { proposalText } from "./proposal_text.ts";
import { temptingOf } from "./tempting.ts";
import { excuses, loadAtHand, type RulesAtHand, stillFires, tryAll } from "./trial.ts";

const PROPOSALS_MAX = 50;
/** Exceptions that are tried, those for the most alerts first. */
const DRAFTS_MAX = 200;

/** Proposes exceptions for these alerts; never throws on what they hold. The rules must load. */
export function propose(
  given: readonly PrintedAlert[],
  rules: RulesAtHand,
  options: ProposeOptions = {},
): Tuning {
  const loaded = loadAtHand(rules);
  const alerts = given.map(withHost);
  const byName = new Map(loaded.rules.map((rule) => [rule.name, rule]));
  const unknownRules = new Map<string, number>();
  let quietAlready = 0;
  const loud: number[] = [];
  for (const [at, alert] of alerts.entries()) {
    const rule = byName.get(alert.rule);
    if (rule === undefined) {
      unknownRules.set(alert.rule, (unknownRules.get(alert.rule) ?? 0) + alert.count);
    } else if (stillFires(rule.node, alert)) loud.push(at);
    else quietAlready += alert.count;
  }
  const loudOf = Map.groupBy(loud, (at) => alerts[at]!.rule);
  const clusters = clustersOf(alerts, loud, byName, options);
  const { drafts, refusals, lacking } = draftAll(alerts, clusters, options);
  const tried = tryAll(rules, loaded, drafts.map(({ yaml }) => yaml));
  const proposals: Proposal[] = [];
  const few = new Set<number>();
  const keep = (options.keep ?? []).map(withHost);
  for (const [at, draft] of drafts.entries()) {
    const { excuses: node, error } = tried[at]!;
    const { rule, actor } = draft.cluster;
    const refuse = (why: string) =>
      refusals.push({
        rule: rule.name,
        subject: actor.subject,
        alerts: countOf(draft.cluster.members.map((one) => alerts[one]!)),
        tempting: [],
        why: [why],
      });
    if (node === undefined) {
      refuse(`an exception for it cannot be written: ${error}`);
      continue;
    }
    const ofRule = (alert: PrintedAlert) => alert.rule === rule.name;
    const kept = keep.find((alert) => ofRule(alert) && excuses(node, alert));
    if (kept !== undefined) {
      refuse(`its exception would silence ${kept.origin}, which is to be kept`);
      continue;
    }
    const objection = options.objection?.(rule.name, node);
    if (objection !== undefined) {
      refuse(`its exception would silence what a case says must fire: ${objection}`);
      continue;
    }
    const silenced = loudOf.get(rule.name)!.filter((one) =>
      mayExcuse(draft.parts, alerts[one]!) && excuses(node, alerts[one]!)
    );
    if (silenced.length === 0) {
      refuse("an exception for it was tried, and its alerts still came");
      continue;
    }
    const ofIt = silenced.map((one) => alerts[one]!);
    const { open, told } = openness(node, ofIt[0]!);
    const opened = open.find((words) => NEVER_OPEN.includes(words));
    if (draft.level === "safe" && opened !== undefined) {
      refuse(`its exception would excuse ${opened}`);
      continue;
    }
    const made = {
      rule: rule.name,
      ...{ level: draft.level, name: draft.name, parts: draft.parts, yaml: draft.yaml },
      silenced: countOf(ofIt),
      alerts: silenced,
      evidence: evidenceOf(ofIt),
      ...{ warnings: draft.warnings, open, told },
      forFalco: !draft.parts.some(({ field }) => isOurs(field)),
    };
    if (made.silenced >= (options.alertsMin ?? 2)) {
      proposals.push({ ...made, text: proposalText(made) });
    } else for (const one of silenced) few.add(one);
  }
  proposals.sort(byWorth);
  const kept = proposals.slice(0, options.proposalsMax ?? PROPOSALS_MAX);
  for (const one of kept.flatMap(({ alerts: ofIt }) => ofIt)) few.delete(one);
  const silencedBySafe = new Set(
    kept.filter(({ level }) => level === "safe").flatMap(({ alerts: ofIt }) => ofIt),
  );
  const silencedByCare = new Set(
    kept.filter(({ level }) => level === "care").flatMap(({ alerts: ofIt }) => ofIt)
      .filter((at) => !silencedBySafe.has(at)),
  );
  const left = loud.filter((at) => !silencedBySafe.has(at)).map((at) => alerts[at]!);
  return {
    proposals: kept,
    refusals: refusals.sort((one, two) => two.alerts - one.alerts),
    lacking,
    advice: adviceFor(left, byName),
    alerts: countOf(alerts),
    quietAlready,
    unknownRules,
    withCare: countOf([...silencedByCare].map((at) => alerts[at]!)),
    few: countOf([...few].map((at) => alerts[at]!)),
    remaining: countOf(left) + [...unknownRules.values()].reduce((sum, count) => sum + count, 0),
  };
}

/** Whether the values that the exception names are the alert's: most alerts are not asked more. */
function mayExcuse(parts: readonly Part[], { fields }: PrintedAlert): boolean {
  return parts.every(({ field, comp, values }) => {
    const value = fields.get(field);
    return (comp !== "=" && comp !== "in") ||
      (value !== undefined && values.some((one) => String(one) === String(value)));
  });
}

/** Where an alert does not tell whether it is of a container, the host's is assumed: the exception
 * asks for it, and silences nothing where that is wrong. */
function withHost(alert: PrintedAlert): PrintedAlert {
  const { source, fields } = alert;
  const isTold = fields.has("container.id") || fields.has("container.image.repository");
  if (source !== "syscall" || isTold) return alert;
  return {
    ...alert,
    assumesHost: true,
    fields: new Map([...fields, ["container.id", "host"]]),
  };
}

/** Safe ones first, then by what they silence against what they leave open. */
function byWorth(one: Proposal, two: Proposal): number {
  if (one.level !== two.level) return one.level === "safe" ? -1 : 1;
  const worth = ({ silenced, open }: Proposal) => silenced / (1 + open.length);
  return worth(two) - worth(one) || (one.name < two.name ? -1 : 1);
}

const TOLD_OR_NOT = ["user.uid", "proc.pexepath"];

function clustersOf(
  alerts: readonly PrintedAlert[],
  loud: readonly number[],
  rules: ReadonlyMap<string, CheckedRule>,
  options: ProposeOptions,
): Cluster[] {
  const clusters = new Map<string, Cluster>();
  const actorOptions = { falcoOnly: options.falcoOnly ?? false, look: options.look };
  for (const at of loud) {
    const alert = alerts[at]!;
    const isExecution = tellsExecutions(rules.get(alert.rule)!);
    const actor = actorOf(alert, { ...actorOptions, isExecution });
    const objects = objectsOf(alert);
    const key = JSON.stringify([
      ...[alert.rule, actor.level, actor.subject, objects, actor.why, actor.lacks],
      actor.pins.map(({ field, value }) => [field, String(value)]),
      // Those that tell less do not make the exception of the others wider.
      ...[alert.assumesHost === true, ...TOLD_OR_NOT.map((field) => alert.fields.has(field))],
    ]);
    const known = clusters.get(key);
    if (known !== undefined) known.members.push(at);
    else clusters.set(key, { rule: rules.get(alert.rule)!, actor, objects, members: [at] });
  }
  const weight = ({ members }: Cluster) => countOf(members.map((at) => alerts[at]!));
  return [...clusters.values()].sort((one, two) => weight(two) - weight(one));
}

/** Asynchronous events run no program; conditions that do not rule them out have them as well. */
const EXECUTIONS: ReadonlySet<string> = new Set(["execve", "execveat", "asyncevent"]);

/** Whether the rule matches nothing but programs that are run. */
function tellsExecutions(rule: CheckedRule): boolean {
  return wantedCodes(rule, rule.source).every((code) => EXECUTIONS.has(EVENTS[code]!.name));
}

/** A connection's two ends change with each: of those its address and port count. */
function objectsOf({ fields }: PrintedAlert): string[] {
  const has = (field: string) => fields.get(field) !== undefined && fields.get(field) !== null;
  const found = OBJECT_FIELDS.filter((field) =>
    has(field) && String(fields.get(field)).startsWith("/")
  );
  // The file of an event and of its descriptor are one.
  const objects = found.filter((field) =>
    field !== "fs.path.name" || !found.includes("fd.name") ||
    fields.get(field) !== fields.get("fd.name")
  );
  return objects.length > 0 ? objects : NARROWING_FIELDS.filter(has);
}

function draftAll(
  alerts: readonly PrintedAlert[],
  clusters: readonly Cluster[],
  options: ProposeOptions,
): { drafts: Draft[]; refusals: Refusal[]; lacking: Lacking[] } {
  const drafts: Draft[] = [];
  const refusals: Refusal[] = [];
  const lacking = new Map<string, { alerts: number; fields: Set<string>; source: string }>();
  const names = new Map<string, Set<string>>();
  for (const cluster of clusters) {
    const { rule, actor, members } = cluster;
    const ofIt = members.map((at) => alerts[at]!);
    const told = { rule: rule.name, subject: actor.subject, alerts: countOf(ofIt) };
    if (actor.level === "untold") {
      const known = lacking.get(rule.name) ?? {
        ...{ alerts: 0, fields: new Set<string>(), source: rule.source },
      };
      known.alerts += told.alerts;
      for (const field of actor.lacks) known.fields.add(field);
      lacking.set(rule.name, known);
    }
    if (actor.level === "untold" || actor.level === "refused") {
      const tempting = temptingOf(ofIt);
      const why = actor.level === "refused"
        ? actor.why
        : [`the alert does not tell ${actor.lacks.join(", ")}`, ...actor.why];
      refusals.push({ ...told, tempting, why });
      continue;
    }
    const used = names.get(rule.name) ??
      new Set(rule.info.parts.exceptions.map(({ name }) => name));
    names.set(rule.name, used);
    if (drafts.length === DRAFTS_MAX) {
      refusals.push({ ...told, tempting: [], why: ["there are more than can be tried at once"] });
      continue;
    }
    const draft = draftOf(cluster, ofIt, used, actor.level, options);
    if ("yaml" in draft) drafts.push(draft);
    else refusals.push({ ...told, tempting: temptingOf(ofIt), why: [draft.why] });
  }
  return {
    drafts,
    refusals,
    lacking: [...lacking].map(([rule, { fields, ...rest }]) => ({
      ...{ rule, ...rest },
      fields: [...fields],
    })),
  };
}
