// What is odd about rules that load: those that can never match, that another rule hides, that are
// tried on every event, exceptions that never apply, conditions that cost much. Each with its
// reason; none is an error.
import type { Atom, Node, NodeTable } from "../check/condition.ts";
import { codeCount, codesOf } from "../check/event_types.ts";
import type { Place, WarningCode } from "../diagnostic.ts";
import type { Loaded } from "../load.ts";
import { decidedByCode } from "../match/event_code.ts";
import { satisfiable } from "./lint_logic.ts";
import type { CheckedRule } from "../check/resolve.ts";
import { Simplifier } from "../match/simplify.ts";

export type LintKind =
  | "never-matches"
  | "shadowed"
  | "no-event-types"
  | "dead-exception"
  | "costly"
  | "lost-text"
  | "dead-live"
  | "blank-output";

export interface LintFinding {
  readonly kind: LintKind;
  /** Undefined where it is about a file. */
  readonly rule: string | undefined;
  readonly reason: string;
  readonly place: Place;
}

/** Looks at the enabled rules, in the order in which they are tried. */
export function lint(loaded: Loaded): LintFinding[] {
  const findings = toldByLoading(loaded);
  const { nodes } = loaded.resolved;
  for (const [index, rule] of loaded.enabled.entries()) {
    const find = (kind: LintKind, reason: string) =>
      findings.push({ kind, rule: rule.name, reason, place: rule.info.place });
    const never = neverMatches(rule, nodes);
    if (never !== undefined) find("never-matches", never);
    else {
      const hiding = loaded.enabled.slice(0, index).find((earlier) => hides(earlier, rule));
      if (hiding !== undefined) {
        find(
          "shadowed",
          `whatever it matches, "${hiding.name}" matches first: ` +
            "with rule_matching first it never fires",
        );
      }
    }
    if (rule.source === "syscall" && codeCount(rule.events) > EVENTS_MANY) {
      find(
        "no-event-types",
        `it is tried on ${codeCount(rule.events)} of the event codes: name its evt.type`,
      );
    }
    for (const reason of [...doubledExceptions(rule), ...idleExceptions(rule, nodes)]) {
      find("dead-exception", reason);
    }
    for (const reason of costs(rule)) find("costly", reason);
  }
  return findings;
}

/** What Falco does not tell: text that is not read, rules on calls that the probe does not fill. */
function toldByLoading({ results }: Loaded): LintFinding[] {
  return results.flatMap(({ warnings }) =>
    warnings.flatMap(({ code, message: reason, place }): LintFinding[] => {
      const kind = OWN_WARNINGS[code as WarningCode];
      const rule = place.locations.find(({ itemType }) => itemType === "rule")?.itemName;
      return kind === undefined ? [] : [{ kind, rule, reason, place }];
    })
  );
}

const OWN_WARNINGS: { readonly [Code in WarningCode]?: LintKind } = {
  LOAD_DUPLICATE_KEY: "lost-text",
  LOAD_UNREAD_DOCUMENTS: "lost-text",
  LOAD_UNCLOSED_QUOTE: "lost-text",
  LOAD_UNFILLED_CALL: "dead-live",
  LOAD_UNFILLED_OUTPUT: "blank-output",
};

/** As many codes as Falco warns of. */
const EVENTS_MANY = 100;

function neverMatches(rule: CheckedRule, nodes: NodeTable): string | undefined {
  if (rule.node.kind === "false") return "its condition is never true";
  const codes = codesOf(rule.events);
  if (rule.source === "syscall" && codes.length === 0) {
    return "its checks of evt.type and evt.num exclude every event";
  }
  const contradiction = satisfiable(rule.node);
  if (contradiction !== undefined) return contradiction;
  if (rule.source !== "syscall" || codes.length > CODES_TRIED) return undefined;
  const simplifier = new Simplifier(nodes);
  const possible = codes.some((code) => {
    simplifier.begin(decidedByCode(code));
    return simplifier.simplify(rule.node).kind !== "false";
  });
  return possible ? undefined : "none of the event types that it names can meet its condition";
}

/** Rules that name many types are left alone: the question is about those that name few. */
const CODES_TRIED = 64;

/** Whether all that `later` matches is matched by `earlier` before it. */
function hides(earlier: CheckedRule, later: CheckedRule): boolean {
  if (earlier.source !== later.source) return false;
  if ((earlier.events & later.events) !== later.events) return false;
  return implies(later.node, earlier.node);
}

/** Whether one condition holds wherever the other does, as far as equal parts show. */
function implies(from: Node, to: Node): boolean {
  if (from === to || to.kind === "true") return true;
  const given = new Set(from.kind === "and" ? from.children : [from]);
  const wanted = to.kind === "and" ? to.children : [to];
  return wanted.every((part) =>
    given.has(part) || (part.kind === "or" && part.children.some((choice) => given.has(choice)))
  );
}

function doubledExceptions(rule: CheckedRule): string[] {
  const reasons: string[] = [];
  const seen = new Map<string, string>();
  for (const { name, values, fields, comps } of rule.info.parts.exceptions) {
    if (values.length === 0) continue;
    const shape = JSON.stringify([fields, comps]);
    for (const value of values) {
      const key = `${shape}${JSON.stringify(value)}`;
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        reasons.push(
          `exception ${name}: ${JSON.stringify(value)} is in exception ${earlier} already`,
        );
      }
      seen.set(key, name);
    }
  }
  return reasons;
}

/** Values of exceptions that the rest of the condition excludes already. */
function idleExceptions(rule: CheckedRule, nodes: NodeTable): string[] {
  const count = rule.info.parts.exceptions.filter(({ values }) => values.length > 0).length;
  if (count === 0 || rule.node.kind !== "and") return [];
  const parts = rule.node.children;
  const given = parts.slice(0, parts.length - count);
  const reasons: string[] = [];
  // Exceptions stand behind the condition, each as one part that is denied.
  for (const part of parts.slice(parts.length - count)) {
    if (part.kind !== "not") continue;
    for (const choice of part.child.kind === "or" ? part.child.children : [part.child]) {
      const reason = satisfiable(nodes.and([...given, choice]));
      if (reason !== undefined) reasons.push(`an exception never applies: ${reason}`);
    }
  }
  return reasons;
}

/** Conditions of many texts that no table answers are slow on values that were never seen. */
const SEARCHES_MANY = 40;

function costs(rule: CheckedRule): string[] {
  const reasons: string[] = [];
  const searches = new Map<string, number>();
  const visit = (node: Node, seen: Set<Node>): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "not") visit(node.child, seen);
    else if (node.kind === "and" || node.kind === "or") {
      node.children.forEach((child) => visit(child, seen));
    } else if (node.kind === "atom") {
      count(node.atom, searches, reasons);
    }
  };
  visit(rule.node, new Set());
  for (const [field, number] of searches) {
    if (number < SEARCHES_MANY) continue;
    reasons.push(`${field} is searched ${number} times: put what is common into one check`);
  }
  return [...new Set(reasons)];
}

function count(atom: Atom, searches: Map<string, number>, reasons: string[]): void {
  const { operator } = atom.comparator;
  const field = atom.left.text;
  if (operator === "regex" && atom.domain === "event") {
    reasons.push(`${atom.text}: a regex on a value of the event itself runs on every such event`);
  }
  if (/^(proc\.env|proc\.aenv|evt\.args|evt\.info)$/.test(field)) {
    reasons.push(`${field} joins all its parts into one text each time: name the one that matters`);
  }
  if (/^fd\.\w?ip\.name$/.test(field)) reasons.push(`${field} asks for domain names`);
  if (/contains|glob|regex/.test(operator)) searches.set(field, (searches.get(field) ?? 0) + 1);
}
