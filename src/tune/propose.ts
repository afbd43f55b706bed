// Alerts and rules in, exceptions out that a person may take: the door of this room. Alerts of a
// rule are put together by who acted, as far as whoever acts cannot choose it; what they acted on
// narrows the exception. Each is written in the rules' language, loaded behind the rules, and its
// condition is asked of every alert: what it silences is measured, not believed.
import { EVENTS } from "../events/table.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { type Actor, actorOf, type Pin, textOf } from "./actor.ts";
import { adviceFor } from "./advice.ts";
import type { AlertValue, PrintedAlert } from "./alert.ts";
import { countOf, evidenceOf } from "./evidence.ts";
import { canStand, exceptionYaml } from "./exception_text.ts";
import { NARROWING_FIELDS, OBJECT_FIELDS, type Part, partOf } from "./objects.ts";
import { openness } from "./open.ts";
import { isOurs } from "./pickers.ts";
import { isBelow, placeOf } from "./places.ts";
import { isGeneral } from "./programs.ts";
import type { Lacking, Proposal, ProposeOptions, Refusal, Tuning } from "./proposal.ts";
import { proposalText } from "./proposal_text.ts";
import { temptingOf } from "./tempting.ts";
import { excuses, loadAtHand, type RulesAtHand, stillFires, tryAll } from "./trial.ts";

/** Alerts of one rule by one actor on one kind of object. */
interface Cluster {
  readonly rule: CheckedRule;
  readonly actor: Actor;
  /** Object fields that its alerts have. */
  readonly objects: readonly string[];
  readonly members: number[];
}

interface Draft {
  readonly cluster: Cluster;
  readonly level: "safe" | "care";
  readonly name: string;
  readonly parts: readonly Part[];
  readonly warnings: readonly string[];
  readonly yaml: string;
}

const PROPOSALS_MAX = 50;

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
    const silenced = loud.filter((one) => ofRule(alerts[one]!) && excuses(node, alerts[one]!));
    if (silenced.length === 0) {
      refuse("an exception for it was tried, and its alerts still came");
      continue;
    }
    const ofIt = silenced.map((one) => alerts[one]!);
    const { open, told } = openness(node, ofIt[0]!);
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
  const left = loud.filter((at) => !silencedBySafe.has(at)).map((at) => alerts[at]!);
  return {
    proposals: kept,
    refusals: refusals.sort((one, two) => two.alerts - one.alerts),
    lacking,
    advice: adviceFor(left, byName),
    alerts: countOf(alerts),
    quietAlready,
    unknownRules,
    few: countOf([...few].map((at) => alerts[at]!)),
    remaining: countOf(left) + [...unknownRules.values()].reduce((sum, count) => sum + count, 0),
  };
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
    ]);
    const known = clusters.get(key);
    if (known !== undefined) known.members.push(at);
    else clusters.set(key, { rule: rules.get(alert.rule)!, actor, objects, members: [at] });
  }
  return [...clusters.values()];
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

/** Graver ones are no noise that a machine may judge. */
const ERROR = 3;

function draftOf(
  cluster: Cluster,
  alerts: readonly PrintedAlert[],
  used: Set<string>,
  level: "safe" | "care",
  options: ProposeOptions,
): Draft | { readonly why: string } {
  const { rule, actor } = cluster;
  const parts: Part[] = actor.pins.map((pin) => pinned(pin, alerts));
  const warnings = [...actor.why];
  if (rule.priority <= ERROR) {
    level = "care";
    warnings.push(
      `the rule has the priority ${
        PRIORITY_NAMES[rule.priority]
      }: be sure that these alerts tell ` +
        "of no intruder already",
    );
  }
  const user = userPart(alerts);
  if (user !== undefined) parts.push(user);
  else if (rule.source === "syscall") {
    // In a user namespace of one's own, a file of one's own can be mounted over any program.
    level = "care";
    warnings.push(
      alerts.some(({ fields }) => !fields.has("user.uid"))
        ? "it holds for every user, since the alerts do not tell user.uid: a user can mount a " +
          "program of their own over this one, where only they see it"
        : `it holds for every user, since more than ${USERS_MAX} of them were told of: a user ` +
          "can mount a program of their own over this one, where only they see it",
    );
  }
  if (alerts.some(({ assumesHost }) => assumesHost === true) && onHost(parts)) {
    warnings.push(
      "the alerts do not tell container.id: if they were of a container, it silences nothing",
    );
  }
  const parent = parentPart(alerts, parts, options.falcoOnly === true);
  if (parent !== undefined) parts.splice(actor.pins.length, 0, parent);
  const users = (user?.values ?? []).filter((uid) => uid !== 0);
  if (users.length > 0) {
    warnings.push(
      `whoever acts as user ${users.join(" or ")} can have the program do it, with a library of ` +
        "theirs (LD_PRELOAD) or a debugger",
    );
  }
  for (const field of cluster.objects) {
    const values = alerts.flatMap(({ fields }) =>
      [fields.get(field), fields.get(`${field}.other`)].filter((value): value is AlertValue =>
        value !== undefined && value !== null
      )
    );
    const part = partOf(field, values);
    if (part !== undefined) {
      parts.push(part);
      continue;
    }
    level = "care";
    warnings.push(
      `it asks for no ${field}: there are ${new Set(values).size} of them, and no part of their ` +
        "paths would cover them that nobody else may write to",
    );
  }
  if (parts.some(({ values }) => !values.every(canStand))) {
    return { why: "it has a value that cannot be checked by looking (control characters, marks)" };
  }
  if (options.falcoOnly === true && parts.some(({ field }) => isOurs(field))) {
    return { why: "an exception for it would need fields that Falco does not have" };
  }
  const server = parts.find(({ field }) => field === "proc.exepath");
  if (server !== undefined) warnings.push(...placeWarnings(String(server.values[0])));
  const name = nameFor(actor.subject, used);
  const yaml = exceptionYaml({ rule: rule.name, name, parts });
  return { cluster, level, name, parts, warnings, yaml };
}

/** A program has two names where its caller took another way to it. */
function pinned({ field, value }: Pin, alerts: readonly PrintedAlert[]): Part {
  const others = alerts.flatMap(({ fields }) => {
    const other = fields.get(`${field}.other`);
    return other === undefined || other === null ? [] : [other];
  });
  const values = [...new Set([value, ...others])];
  return { field, comp: values.length === 1 ? "=" : "in", values };
}

/** Users that one exception names. */
const USERS_MAX = 3;

function userPart(alerts: readonly PrintedAlert[]): Part | undefined {
  const uids = new Set(alerts.map(({ fields }) => fields.get("user.uid") ?? undefined));
  if (uids.size > USERS_MAX || uids.has(undefined)) return undefined;
  const known = [...uids].flatMap((uid) => uid === undefined ? [] : [uid]);
  return { field: "user.uid", comp: known.length === 1 ? "=" : "in", values: known };
}

/** The first is Falco's as well. */
const PARENTS = ["proc.pexepath", "proc.birth.exepath[1]"];

/** Who started it makes an exception narrower where that is always the same program, and one that
 * does not do what its caller says. */
function parentPart(
  alerts: readonly PrintedAlert[],
  parts: readonly Part[],
  falcoOnly: boolean,
): Part | undefined {
  for (const field of falcoOnly ? ["proc.pexepath"] : PARENTS) {
    if (parts.some((part) => PARENTS.includes(part.field))) return undefined;
    const values = new Set(alerts.map((alert) => textOf(alert, field)));
    const [value] = values;
    if (values.size !== 1 || value === undefined || isGeneral(value)) continue;
    if (!["system", "local"].includes(placeOf(value))) return undefined;
    return { field, comp: "=", values: [value] };
  }
  return undefined;
}

function onHost(parts: readonly Part[]): boolean {
  return parts.some(({ field, values }) => field === "container.id" && values[0] === "host");
}

function placeWarnings(program: string): string[] {
  if (!["/opt", "/usr/local", "/etc"].some((place) => isBelow(program, place))) return [];
  return [`${program} must be writable by root alone, and its directories too: namei -l tells`];
}

/** A name of the exception that its rule does not have yet. */
function nameFor(subject: string, used: Set<string>): string {
  const base = subject.slice(subject.lastIndexOf("/") + 1).toLowerCase()
    .replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40) || "alerts";
  let name = `tuned_${base}`;
  for (let next = 2; used.has(name); next++) name = `tuned_${base}_${next}`;
  used.add(name);
  return name;
}
