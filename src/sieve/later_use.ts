// What rules ask of the name of a file when it is used, long after it was opened. In: a checked
// rule. Out: a formula over the names of an open; it holds wherever the rule could match a later
// event under the name that the file was opened by.
//
// Live, what a descriptor is comes with the event that uses it, its present path too. What only the
// open knows is the name that it had then, which matters where the file was renamed since. (Where
// the caller's name was another one from the beginning, the kernel keeps the open in any case, and
// so it does all opens of directories, below which names are told. A call below a file, which
// fails, is not looked at.)
import { codeOf, EVENTS } from "../events/table.ts";
import type { Atom } from "../rules/check/condition.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";
import { wantedCodes } from "../rules/match/compile.ts";
import { FD_PARAM, isOpen } from "./event_texts.ts";
import { and, constant, FALSE, type Formula, or, TRUE } from "./formula.ts";
import { nameFormula } from "./names.ts";
import { FormulaMaker } from "./need.ts";

const OPENAT = codeOf("SYSCALL_OPENAT_2_X");
const CLOSE: ReadonlySet<number> = new Set(
  ["SYSCALL_CLOSE_X", "SYSCALL_CLOSE_RANGE_X"].map(codeOf),
);

/** With an empty name they act on the descriptor that would be the directory; of calls without an
 * event of their own the driver says which they are about. */
const EMPTY_PATHS: ReadonlySet<number> = new Set(
  ["SYSCALL_LINKAT_2_X", "SYSCALL_FCHOWNAT_X", "SYSCALL_NEWFSTATAT_X", "GENERIC_X"].map(codeOf),
);

/** Fields that show the name of a descriptor's file, of any event. */
const NAMES =
  /^(fd\.(container)?(name|nameraw|directory|filename)\b|fdlist|fs\.path|evt\.(args|info|abspath))/;
/** The other name of two, which no descriptor has. */
const TARGETS = /^fs\.path\.target/;
/** Fields of sockets: nothing of a file. */
const OF_SOCKETS = /^fd\.([cslr](ip|net|port)(\.name)?|ip|net|port)$/;
/** Parameters that show a descriptor with its name. */
const ARGUMENT = /^evt\.(?:raw)?arg[.[](\w+)/;

/** What does not ask for a name, and what asks for one in a way that no pattern says: both may
 * hold. They stand in a formula until it is known whether a name is asked for at all. */
const OTHER: Formula = { kind: "name", patterns: [] };
const NAMED: Formula = { kind: "name", patterns: [] };

/** What the rule asks of the names that used files were opened by; FALSE: of none. */
export function laterNames(rule: CheckedRule): Formula {
  const parts = wantedCodes(rule, "syscall").filter(usesFile).map((code) => {
    const formula = new FormulaMaker([code], (atom, negated) => {
      if (!asksName(atom, code)) return ofFile(atom, negated);
      const found = nameFormula(atom, negated, OPENAT) ?? nameFormula(atom, negated, code);
      return found === undefined || found.kind === "true" ? NAMED : found;
    }).of(rule.node);
    return namesIn(formula) ? loosened(formula) : FALSE;
  });
  return or(parts);
}

function namesIn(formula: Formula): boolean {
  if (formula.kind === "and" || formula.kind === "or") return formula.parts.some(namesIn);
  return formula !== OTHER && (formula.kind === "name" || formula.kind === "without");
}

function loosened(formula: Formula): Formula {
  if (formula === OTHER || formula === NAMED) return TRUE;
  if (formula.kind === "and") return and(formula.parts.map(loosened));
  return formula.kind === "or" ? or(formula.parts.map(loosened)) : formula;
}

/**
 * Whether the rule may match a call of which nothing but the table of descriptors tells what it was
 * about: when a close returns, its number leads nowhere.
 */
export function needsEveryOpen(rule: CheckedRule): boolean {
  return wantedCodes(rule, "syscall").some((code) =>
    CLOSE.has(code) && new FormulaMaker([code], ofFile).of(rule.node).kind !== "false"
  );
}

/** Whether an event of this code can be about a file that an earlier event opened. */
function usesFile(code: number): boolean {
  if (code % 2 === 0 || isOpen(code) || CLOSE.has(code)) return false;
  const param = FD_PARAM[code]!;
  // Descriptors of directories are always known by their opens.
  const isDirectory = EVENTS[code]!.params.some(({ dirfd }) => dirfd === param);
  return param >= 0 && !isDirectory || EMPTY_PATHS.has(code);
}

function asksName({ left, right }: Atom, code: number): boolean {
  return [...left.fields, ...right?.fields ?? []].some(({ text }) => showsName(text, code));
}

function showsName(text: string, code: number): boolean {
  if (TARGETS.test(text)) return false;
  if (NAMES.test(text)) return true;
  const argument = ARGUMENT.exec(text)?.[1];
  if (argument === undefined) return false;
  const { params } = EVENTS[code]!;
  const param = params.find(({ name }, index) => name === argument || `${index}` === argument);
  return param !== undefined && /^(FD|FDLIST|FSPATH|FSRELPATH)$/.test(param.type);
}

/** What is known of an event on a file. */
function ofFile({ left, right, test }: Atom, negated: boolean): Formula {
  if (right !== undefined || left.bound === undefined) return OTHER;
  const holds = (value: unknown) => test(value as never, undefined) !== negated;
  switch (left.text) {
    case "fd.type":
      return constant(holds("file"));
    case "fd.typechar":
      return constant(holds("f"));
    default:
      return OF_SOCKETS.test(left.text) ? constant(holds(undefined)) : OTHER;
  }
}
