// The guards of all event codes, from the checked rules: for each code, what must hold of an event
// for any rule to match it.
import { EVENTS } from "../events/table.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import {
  type Clause,
  clausesOf,
  EVERY_THREAD,
  GROUPS_MAX,
  holdsAlways,
  MadeClauses,
  type Needed,
} from "./clauses.ts";
import { isOpen, textsOf } from "./event_texts.ts";
import type { Formula } from "./formula.ts";
import { Needs, type OfSockets } from "./need.ts";
import { type Aside, effectOf } from "./state_effects.ts";
import type { ThreadParts } from "./thread_parts.ts";
import { type Guard, Verdict } from "./table.ts";

/** Who tells what else there is to know of events. */
export interface Beyond extends OfSockets {
  /** What holds of threads; nobody: undefined. */
  readonly threads?: ThreadParts;
  /** What holds of what an execution makes of its thread. */
  readonly executions?: ThreadParts;
  /** What else makes an open one that is needed. */
  readonly later?: readonly Formula[];
  /** Events are those of a capture. */
  readonly captured?: boolean;
  /** What nothing is about that rules ask or show, nor will be: the rules of a replay stay. */
  readonly ignored?: readonly Aside[];
}

/** The guards by event code, for rules of the source "syscall". */
export function deriveGuards(rules: readonly CheckedRule[], beyond: Beyond = {}): Guard[] {
  const byCode: CheckedRule[][] = EVENTS.map(() => []);
  for (const rule of rules) {
    for (const code of wantedCodes(rule, "syscall")) byCode[code]!.push(rule);
  }
  const made = madeForAll();
  return EVENTS.map(({ code }) => guardOf(code, { rules: byCode[code]!, made }, beyond));
}

/** Calls without an event of their own, or whose own the probe does not fill, come as generic
 * events: which call it was, no guard asks. Live, those come that are asked for; a capture has all,
 * of use only to rules that are tried on them. */
const GENERIC = /^GENERIC_/;

/** Ids of events of executions. */
export const EXECUTION = /^SYSCALL_EXECVE(_19|AT)_X$/;

const OF_ANYBODY = { threads: EVERY_THREAD, parents: EVERY_THREAD };

/** Who tells of the threads of events of a code. */
export function partsOf(code: number, beyond: Beyond): ThreadParts | undefined {
  return EXECUTION.test(EVENTS[code]!.id) ? beyond.executions : beyond.threads;
}

/** The rules that are tried on events of a code, and what was made for other codes. */
interface OfCode {
  readonly rules: readonly CheckedRule[];
  readonly made: MadeForAll;
}

function guardOf(code: number, { rules, made }: OfCode, beyond: Beyond): Guard {
  const { later = [], captured = false, ignored = [] } = beyond;
  const texts = textsOf(code) ?? [];
  const effect = effectOf(code, ignored);
  if (GENERIC.test(EVENTS[code]!.id) && (!captured || rules.length > 0)) {
    return { verdict: Verdict.Keep, clauses: [], texts, effect };
  }
  const parts = partsOf(code, beyond);
  const needs = new Needs(code, beyond);
  const needed: Needed[] = (isOpen(code) ? later : []).map((formula) => ({
    formula,
    ...OF_ANYBODY,
  }));
  // A program that begins: what runs in its parent, the sieve knows of threads anyway.
  const ofParents = parts === beyond.executions ? beyond.threads : undefined;
  for (const rule of rules) {
    const formula = needs.of(rule.node);
    if (formula.kind === "false") continue;
    const threads = parts?.bitOf(rule.node) ?? EVERY_THREAD;
    const parents = ofParents?.bitOfParent(rule.node) ?? EVERY_THREAD;
    if (threads === 0n || parents === 0n) continue;
    needed.push({ formula, threads, parents });
    if (formula.kind === "true" && (threads & parents) === EVERY_THREAD) break;
  }
  const clauses = clausesOf(needed, made(code));
  return {
    verdict: verdictOf(clauses),
    clauses: holdsAlways(clauses) ? [] : clauses,
    texts,
    effect,
  };
}

function verdictOf(clauses: readonly Clause[]): Verdict {
  if (clauses.length === 0) return Verdict.Drop;
  return holdsAlways(clauses) ? Verdict.Keep : Verdict.Ask;
}

/** Whether a rule opens the sieve for all events of a code. */
export function opens(rule: CheckedRule, code: number, known: OfSockets = {}): boolean {
  return holdsAlways(
    clausesOf(
      [{ formula: new Needs(code, known).of(rule.node), ...OF_ANYBODY }],
      madeForAll()(code),
    ),
  );
}

/** By code; patterns of different names may hold of different names of an event. */
type MadeForAll = (code: number) => MadeClauses;

function madeForAll(): MadeForAll {
  const ofOneName = new MadeClauses(GROUPS_MAX);
  const ofOthers = new MadeClauses(1);
  return (code) => textsOf(code)?.length === 1 ? ofOneName : ofOthers;
}
