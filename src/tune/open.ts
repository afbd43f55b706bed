// What an exception leaves open: the alert is told anew as an intruder would have it, by another
// program, another user, of another file, and the exception is asked of each. What it excuses then
// is what nobody is told of any more.
import type { AlertValue, PrintedAlert } from "./alert.ts";
import type { Node } from "../rules/check/condition.ts";
import { type Facts, factsOf } from "./facts.ts";
import { excusesFacts } from "./trial.ts";

export interface Openness {
  /** Variants that the exception excuses, in words. */
  readonly open: readonly string[];
  /** Variants that are still told. */
  readonly told: readonly string[];
}

interface Variant {
  readonly words: string;
  /** Fields that it is about: where the alert tells none of them, nothing is known. */
  readonly fields: RegExp;
  readonly value: (old: AlertValue, field: string) => AlertValue;
}

/** Variants that no exception excuses which is in force, whatever else it leaves open. */
export const NEVER_OPEN: readonly string[] = [
  "another program, under the same name and with the same arguments",
  "the same in another image of that name",
  "the same by a program that was put into the container",
  "the same request by another user",
];

const OTHER = "/tmp/.x/intruder";

/** Another value of the same kind. */
function another(old: AlertValue): AlertValue {
  if (typeof old === "number") return old === 4242 ? 4243 : 4242;
  if (typeof old === "bigint") return old + 1n;
  if (typeof old === "boolean") return !old;
  return typeof old === "string" && old.startsWith("/") ? OTHER : "intruder";
}

function beside(old: AlertValue): AlertValue {
  if (typeof old !== "string" || !old.startsWith("/")) return another(old);
  return `${old.slice(0, old.lastIndexOf("/"))}/intruder`;
}

const VARIANTS: readonly Variant[] = [
  {
    words: "another program, under the same name and with the same arguments",
    fields: /^proc\.(exepath|exepath\.other)$/,
    value: () => OTHER,
  },
  {
    words: "the same program with other arguments",
    fields: /^proc\.(name|exe|cmdline|args|exeline)$/,
    value: another,
  },
  {
    words: "the same program started by another one",
    fields: /^proc\.(pexepath|pexe|pname|pcmdline|a(name|exe|exepath|cmdline)\b|birth\.)/,
    value: another,
  },
  { words: "the same as another user", fields: /^user\.(uid|name)$/, value: another },
  {
    words: "the same on another file beside it",
    fields: /^(fd\.name|fs\.path\.(name|source|target))(\.other)?$/,
    value: beside,
  },
  {
    words: "the same on a file elsewhere",
    fields: /^(fd\.name|fs\.path\.(name|source|target))(\.other)?$/,
    value: another,
  },
  { words: "the same with another peer", fields: /^fd\.(sip|rip|rport|sport)$/, value: another },
  { words: "the same in a container", fields: /^container\.id$/, value: () => "d00dfeedcafe" },
  {
    words: "the same in another image of that name",
    fields: /^container\.image\.digest$/,
    value: another,
  },
  {
    words: "the same in another image",
    fields: /^container\.image\.(repository|digest|id)$|^container\.image$/,
    value: another,
  },
  {
    words: "the same by a program that was put into the container",
    fields: /^proc\.is_exe_(upper|lower)_layer$/,
    value: (_, field) => field === "proc.is_exe_upper_layer",
  },
  { words: "the same request by another user", fields: /^ka\.user\.name$/, value: another },
  {
    words: "the same request in another namespace",
    fields: /^ka\.target\.namespace$/,
    value: another,
  },
  {
    words: "the same request for an object of another name",
    fields: /^ka\.target\.name$/,
    value: another,
  },
];

/** What of the variants of an alert that it excuses, an exception excuses as well. */
export function openness(node: Node, alert: PrintedAlert): Openness {
  const open: string[] = [];
  const told: string[] = [];
  const facts = factsOf(alert)[0]!;
  for (const { words, fields, value } of VARIANTS) {
    const changed = variant(facts, fields, value);
    if (changed === undefined) continue;
    const answered = excusesFacts(node, changed);
    if (answered === true) open.push(words);
    else if (answered === false) told.push(words);
  }
  return { open, told };
}

function variant(facts: Facts, fields: RegExp, value: Variant["value"]): Facts | undefined {
  const changed = new Map(facts);
  let any = false;
  const ofHost = facts.get("container.id") === "host";
  for (const [field, old] of facts) {
    if (old === null || old === "" || !fields.test(field)) continue;
    // The host has no image, and in a container it is the image that says where.
    if (/^container\.|_layer$/.test(field) && ofHost !== (field === "container.id")) continue;
    any = true;
    changed.set(field, value(old, field));
    if (field === "fd.name") {
      for (const part of ["fd.directory", "fd.filename"]) changed.delete(part);
    }
  }
  return any ? changed : undefined;
}
