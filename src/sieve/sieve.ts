// What a source needs to sieve for a set of rules: the table, and what the tables must hold.
import { codeOf, EVENTS } from "../events/table.ts";
import type { Node } from "../rules/check/condition.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { FD_PARAM } from "../state/events/event_traits.ts";
import { deriveGuards, EXECUTION, partsOf } from "./derive.ts";
import { EndSets } from "./ends.ts";
import { laterNames, needsEveryOpen } from "./later_use.ts";
import { type Aside, Effect, effectOf } from "./state_effects.ts";
import { tableBytes, threadWords, Verdict } from "./table.ts";
import { OF_EXECUTIONS, ThreadParts } from "./thread_parts.ts";

export interface RulesSieve {
  /** As probe-rs/src/sieve/table.rs reads it. */
  readonly table: Uint8Array;
  /** By event code: a bit for each parameter that is a descriptor; bit 31 where all descriptors of
   * the process may be looked at. */
  readonly descriptors: Uint32Array;
  /** Every event that makes or changes a descriptor is needed. */
  readonly keepsDescriptors: boolean;
  /** By event code, of which threads events are whose rules look at other threads than their own,
   * its ancestors and those that lead them; as `clauseThreads`. */
  readonly lookers: Uint32Array;
  /** Sets of addresses and ports (ends.ts). */
  readonly ends: Uint32Array;
  /** Names of descriptors are asked for as the caller gave them, after they were opened. */
  readonly asksRaw: boolean;
  /** Whether a rule can match an execution may depend on its environment. */
  readonly asksEnv: boolean;
  /** Nothing that rules ask or show is about descriptors. */
  readonly ignoresDescriptors: boolean;
  /** Rules look at descriptors that no event of theirs names. */
  readonly looksAtAll: boolean;
  /** Every event is needed. */
  readonly isOpen: boolean;
  /** By event code and clause, of which threads it is: as `threadWords` makes it. */
  readonly clauseThreads: Uint32Array;
  /** The same of the parents of processes that execute a program. */
  readonly clauseParents: Uint32Array;
  /** What has to be told of threads; nothing where nobody will tell. */
  readonly threads: ThreadParts;
  readonly executions: ThreadParts;
}

const LOOKS_AT_ALL = 0x8000_0000;
/** Fields of other descriptors than those that the event names. */
const ALL_DESCRIPTORS = /^(fd\.types|proc\.(fdopencount|fdusage|ppid\.duration|std\w+\.\w+))/;
/** Those of them for which the kernel's sieve keeps every open: it keeps those of standard streams
 * in any case. */
const COUNTED = /^(fd\.types|proc\.(fdopencount|fdusage|ppid\.duration))/;
/** Fields of which none looks at another thread than the event's, its ancestors, and those that
 * lead its session or a group of its. */
const OF_ONE = /^(evt|fd|fdlist|fs|proc|thread|user|group|container|syscall)\./;
/** It shows descriptors in an order that depends on all that was opened and closed before. */
const IN_ORDER = "fd.types";
/** What shows a descriptor's name as the caller gave it. */
const RAW = /^fd\.nameraw/;
/** Fields of threads, users, containers and the event itself, none of which ever takes a look at
 * a descriptor or a directory. */
const APART = new RegExp(
  "^(evt\\.(num|type|cpu|res|rawres|failed|time|rawtime|datetime)(\\.\\w+)*|syscall\\.type|" +
    "proc\\.[ap]?(name|exe|cmdline|pid)(\\[\\d+\\])?|" +
    "proc\\.(args|exeline|env|vpid|pvpid|tty|sid)|" +
    "(user|group|container)\\.\\w+(\\.\\w+)*|thread\\.v?tid)$",
);
const ASIDE: readonly Aside[] = ["memory", "limits"];
/** The fields of each. */
const SHOWN_BY: Readonly<Record<Aside, RegExp>> = {
  memory: /^(proc|thread)\.vm(size|rss|swap)/,
  limits: /^proc\.fd(limit|usage)/,
};
/** Fields whose value depends on which events were looked at before. */
const ALL_EVENTS = /^evt\.deltatime/;

/** The sieve over captures, of the rules of the source "syscall"; it is told of threads. */
export function sieveOf(rules: readonly CheckedRule[]): RulesSieve {
  const descriptors = Uint32Array.from(DESCRIPTOR_PARAMS);
  let keepsDescriptors = false;
  let looksAtAll = false;
  let asksRaw = false;
  let ignoresDescriptors = true;
  const ignored = new Set(ASIDE);
  for (const rule of rules) {
    if (seesAllEvents(rule) !== undefined) return openSieve(descriptors);
    const fields = fieldsOf(rule);
    if (fields.includes(IN_ORDER)) keepsDescriptors = true;
    if (!fields.every((field) => APART.test(field))) ignoresDescriptors = false;
    for (const aside of ASIDE) {
      if (fields.some((field) => SHOWN_BY[aside].test(field))) ignored.delete(aside);
    }
    if (fields.some((field) => RAW.test(field)) && !onlyOpens(rule)) asksRaw = true;
    if (!fields.some((field) => ALL_DESCRIPTORS.test(field))) continue;
    looksAtAll = true;
    for (const code of wantedCodes(rule, "syscall")) descriptors[code]! |= LOOKS_AT_ALL;
  }
  const threads = new ThreadParts(undefined, [], EXECUTIONS);
  const executions = new ThreadParts(OF_EXECUTIONS, EXECUTIONS);
  const sets = new EndSets();
  const told = { threads, executions, protocols: true, ends: sets };
  const beyond = { ...told, captured: true, ignored: [...ignored] };
  const guards = deriveGuards(rules, beyond);
  const table = tableBytes(guards);
  const ends = sets.words();
  const clauseThreads = threadWords(guards, "threads");
  const clauseParents = threadWords(guards, "parents");
  const flags = { keepsDescriptors, asksRaw, ignoresDescriptors, looksAtAll, isOpen: false };
  executions.decides = guards[EXECVE]!.verdict !== Verdict.Keep;
  const lookers = lookersOf(rules, (code, rule) => partsOf(code, beyond)!.bitOf(rule.node));
  const asksEnv = executions.asks("proc.env");
  const lists = { table, descriptors, lookers, ends, clauseThreads, clauseParents };
  return { ...lists, ...flags, asksEnv, threads, executions };
}

const EXECVE = codeOf("SYSCALL_EXECVE_19_X");
const EXECUTIONS: readonly number[] = EVENTS.flatMap(({ code, id }) =>
  EXECUTION.test(id) ? [code] : []
);

/** By event code, the threads of rules that look at others. */
function lookersOf(
  rules: readonly CheckedRule[],
  threadsOf: (code: number, rule: CheckedRule) => bigint,
): Uint32Array {
  const lookers = new BigUint64Array(EVENTS.length);
  for (const rule of rules) {
    const fields = fieldsOf(rule);
    if (fields.every((field) => OF_ONE.test(field))) continue;
    for (const code of wantedCodes(rule, "syscall")) lookers[code]! |= threadsOf(code, rule);
  }
  return new Uint32Array(lookers.buffer);
}

/** Whether of calls the rule looks at those that open alone, which tell the name themselves. */
function onlyOpens(rule: CheckedRule): boolean {
  return wantedCodes(rule, "syscall").every((code) =>
    OPENS.has(EVENTS[code]!.name) || effectOf(code) === Effect.Meta
  );
}
const OPENS: ReadonlySet<string> = new Set(["open", "openat", "openat2", "creat"]);

/** What the kernel needs to sieve before it writes. */
export interface LiveSieve {
  /** As probe-rs/src/sieve/table.rs reads it; empty: every event is needed. */
  readonly table: Uint8Array;
  /** Every open is needed, whatever the table says. */
  readonly keepsOpens: boolean;
}

/**
 * The sieve of the rules of the source "syscall" where events come from our own probe. What is
 * dropped is gone there, so that opens are kept whose names later events may be asked for.
 */
export function liveSieveOf(rules: readonly CheckedRule[]): LiveSieve {
  if (rules.some((rule) => seesAllEvents(rule) !== undefined)) {
    return { table: new Uint8Array(), keepsOpens: true };
  }
  const keepsOpens = rules.some((rule) =>
    fieldsOf(rule).some((field) => COUNTED.test(field)) || needsEveryOpen(rule)
  );
  const later = keepsOpens ? [] : rules.map(laterNames).filter(({ kind }) => kind !== "false");
  return { table: tableBytes(deriveGuards(rules, { later })), keepsOpens };
}

/** A field of the rule whose value depends on which events were looked at before. */
export function seesAllEvents(rule: CheckedRule): string | undefined {
  return fieldsOf(rule).find((field) => ALL_EVENTS.test(field));
}

/** Keeps every event. */
function openSieve(descriptors: Uint32Array): RulesSieve {
  const guards = deriveGuards([]).map((guard) => ({ ...guard, verdict: Verdict.Keep }));
  return {
    table: tableBytes(guards),
    descriptors,
    lookers: new Uint32Array(2 * EVENTS.length).fill(0xffff_ffff),
    ends: new EndSets().words(),
    keepsDescriptors: true,
    asksRaw: true,
    asksEnv: true,
    ignoresDescriptors: false,
    looksAtAll: true,
    isOpen: true,
    clauseThreads: threadWords(guards, "threads"),
    clauseParents: threadWords(guards, "parents"),
    threads: new ThreadParts(),
    executions: new ThreadParts(OF_EXECUTIONS),
  };
}

/** Every field that a rule's condition and outputs name. */
function fieldsOf({ node, format, extraFields }: CheckedRule): string[] {
  const fields = new Set<string>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "not") visit(node.child);
    else if (node.kind === "and" || node.kind === "or") node.children.forEach(visit);
    else if (node.kind === "atom") {
      const { left, right } = node.atom;
      for (const { text } of [...left.fields, ...right?.fields ?? []]) fields.add(text);
    }
  };
  visit(node);
  for (const output of [format, ...extraFields.map((extra) => extra.format)]) {
    for (const { text } of output.fields) fields.add(text);
  }
  return [...fields];
}

/** By event code, what the sieve over captures has to know of the parameters. */
export const PARAM_COUNTS: Uint8Array = Uint8Array.from(EVENTS, ({ params }) => params.length);
const DESCRIPTOR_PARAMS: Uint32Array = Uint32Array.from(
  EVENTS,
  ({ params }) =>
    params.reduce((bits, { type }, index) => {
      if (type === "FDLIST" || index > 30 && type === "FD") return (bits | LOOKS_AT_ALL) >>> 0;
      return type === "FD" || type === "FD32" ? bits | 1 << index : bits;
    }, 0) >>> 0,
);
export const USED_PARAMS: Int8Array = FD_PARAM;
/** The ids of threads among the parameters; that of prlimit is shown as a mere number. */
export const PID_PARAMS: Uint32Array = Uint32Array.from(
  EVENTS,
  ({ id, params }) =>
    params.reduce((bits, { name, type }, index) => {
      const isPid = type === "PID" || type === "PID32" ||
        id === "SYSCALL_PRLIMIT_X" && name === "pid";
      return isPid && index < 32 ? (bits | 1 << index) >>> 0 : bits;
    }, 0),
);
