// One exception for the alerts of a cluster: what its actor is pinned by, whose they are, and what
// they acted on. In: a cluster. Out: the exception's parts and text, and what to mind.
import type { CheckedRule } from "../rules/check/resolve.ts";
import { PRIORITY_NAMES } from "../rules/priority.ts";
import { type Actor, type Pin, textOf } from "./actor.ts";
import type { AlertValue, PrintedAlert } from "./alert.ts";
import { canStand, exceptionYaml } from "./exception_text.ts";
import { fieldsOf } from "./facts.ts";
import { type Part, partOf } from "./objects.ts";
import { isOurs } from "./pickers.ts";
import { isBelow, placeOf } from "./places.ts";
import { isGeneral } from "./programs.ts";
import type { ProposeOptions } from "./proposal.ts";

/** Alerts of one rule by one actor on one kind of object. */
export interface Cluster {
  readonly rule: CheckedRule;
  readonly actor: Actor;
  /** Object fields that its alerts have. */
  readonly objects: readonly string[];
  readonly members: number[];
}

export interface Draft {
  readonly cluster: Cluster;
  readonly level: "safe" | "care";
  readonly name: string;
  readonly parts: readonly Part[];
  readonly warnings: readonly string[];
  readonly yaml: string;
}

/** Fields of what a call acts on. */
const ACTED_ON = /^(fd\.(name|directory|filename|[crsl]?(ip|port|net)|[crsl]proto)|fs\.path\.\w+)$/;

/** Graver ones are no noise that a machine may judge. */
const ERROR = 3;

/** The exception for a cluster's alerts, or why there can be none; its name goes to `used`. */
export function draftOf(
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
  const several = parts.filter(({ values, comp }) => values.length > 1 || comp === "glob");
  if (several.length > 1) {
    warnings.push(
      `${several.map(({ field }) => field).join(" and ")} have several values: each goes with ` +
        "each, also where no alert told of the two together",
    );
  }
  const asked = [...fieldsOf(rule.node)].filter((field) => ACTED_ON.test(field));
  if (cluster.objects.length === 0 && asked.length > 0) {
    level = "care";
    warnings.push(
      `whatever was acted on, it holds: the rule asks for ${asked.join(", ")}, and the alerts do ` +
        "not tell fd.name, fs.path.name, fd.sip or fd.sport in a form that can be named",
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
