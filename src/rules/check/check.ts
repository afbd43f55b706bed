// A condition's tree, macros put in, in; a checked tree, its errors and warnings out. Parts that
// rules share are checked once.
import type { Bound, Value } from "../../fields/row/field.ts";
import { type Comparator, comparatorOf, refusalOf } from "../../fields/compare/operators.ts";
import { compareValues, compileTest } from "../../fields/compare/operators_compare.ts";
import { type Literal, parseLiteral } from "../../fields/compare/operators_literal.ts";
import type { Atom, Node, NodeTable, Operand } from "./condition.ts";
import { isEventName } from "./event_types.ts";
import { bytesOf, shownText } from "../../words/raw_text.ts";
import type { MacroInfo } from "../merge/merge.ts";
import { nearest } from "../../words/nearest.ts";
import { eventNames } from "./event_types.ts";
import { type FieldLookup, joinDomains, resolveOperand } from "./operand.ts";
import { TRANSFORMERS } from "../parse/grammar.ts";
import { type Check, type Expr, print, type Term } from "../parse/syntax.ts";

/** Something about a spot of a condition, or of a macro in it. */
export interface Finding {
  readonly message: string;
  /** Where Falco tells it: the start of the check, or of the constants of a warning. */
  readonly at: number;
  /** Where in the check it is. */
  readonly spot: number;
  /** The macro whose text `at` counts in; undefined: the condition's own. */
  readonly macro: MacroInfo | undefined;
  readonly hint?: string;
}

export interface Checked {
  /** `false` where there are errors. */
  readonly node: Node;
  readonly errors: readonly Finding[];
  /** LOAD_COMPILE_CONDITION. */
  readonly warnings: readonly Finding[];
  /** Deprecated fields that it names. */
  readonly deprecated: ReadonlySet<string>;
  /** It compares a field of plugins with the text `<NA>`. */
  readonly unsafe: boolean;
}

export const DEPRECATED_FIELDS: readonly string[] = [
  "evt.dir",
  "evt.latency",
  "evt.latency.s",
  "evt.latency.ns",
  "evt.latency.human",
  "evt.wait_latency",
];

const NOTHING: ReadonlySet<string> = new Set();

/** Checks the conditions of one source. */
export class Checker {
  readonly #lookup: FieldLookup;
  readonly #nodes: NodeTable;
  readonly #origins: ReadonlyMap<Expr, MacroInfo>;
  readonly #asyncNames: ReadonlySet<string>;
  readonly #known = new Map<Expr, Checked>();

  constructor(
    lookup: FieldLookup,
    nodes: NodeTable,
    origins: ReadonlyMap<Expr, MacroInfo>,
    asyncNames: ReadonlySet<string>,
  ) {
    this.#lookup = lookup;
    this.#nodes = nodes;
    this.#origins = origins;
    this.#asyncNames = asyncNames;
  }

  check(expr: Expr): Checked {
    return this.#check(expr, undefined);
  }

  #check(expr: Expr, outer: MacroInfo | undefined): Checked {
    const origin = this.#origins.get(expr);
    if (origin === undefined) return this.#compute(expr, outer);
    const known = this.#known.get(expr);
    if (known !== undefined) return known;
    const checked = this.#compute(expr, origin);
    this.#known.set(expr, checked);
    return checked;
  }

  #compute(expr: Expr, macro: MacroInfo | undefined): Checked {
    switch (expr.kind) {
      case "and":
      case "or": {
        const children = expr.children.map((child) => this.#check(child, macro));
        const nodes = children.map(({ node }) => node);
        return merged(
          children,
          expr.kind === "and" ? this.#nodes.and(nodes) : this.#nodes.or(nodes),
        );
      }
      case "not": {
        const child = this.#check(expr.child, macro);
        return { ...child, node: this.#nodes.not(child.node) };
      }
      case "macro":
        // Told where macros are put in.
        return this.#refused([]);
      case "check":
        return this.#checkAtom(expr, macro);
    }
  }

  #refused(errors: readonly Finding[], check?: Check): Checked {
    return {
      node: this.#nodes.false,
      errors,
      warnings: [],
      // Falco looks for these before it looks for the fields.
      deprecated: check === undefined ? NOTHING : deprecatedOf(check.left),
      unsafe: check !== undefined && isUnsafe(check),
    };
  }

  #checkAtom(check: Check, macro: MacroInfo | undefined): Checked {
    const left = resolveOperand(check.left, this.#lookup);
    if ("error" in left) {
      const { error: message, hint, at: spot } = left;
      return this.#refused([{ message, at: check.at, spot, macro, ...(hint && { hint }) }], check);
    }
    const { operand } = left;
    const errors: Finding[] = [];
    const warnings: Finding[] = [];
    const refuse = (message: string, spot = check.at, hint?: string) => {
      errors.push({ message, at: check.at, spot, macro, ...(hint && { hint }) });
    };
    const comparator = comparatorOf(check.operator);
    const refusal = refusalOf(comparator, operand.subject.type, operand.subject.isList);
    if (refusal !== undefined) {
      refuse(
        `filter error: ${refusal}`,
        check.at,
        `'${operand.text}' has type ${operand.subject.type}`,
      );
      return this.#refused(errors, check);
    }
    const sides = this.#rightSide(
      check,
      comparator,
      operand,
      refuse,
      (message, at) => warnings.push({ message, at, spot: at, macro }),
    );
    if (sides === undefined) return this.#refused(errors, check);
    const { texts, literals, right } = sides;
    const test = right === undefined ? constantTest(comparator, operand, literals) : {
      test: (one: Value, other: Value) =>
        other !== undefined && compareValues(comparator, operand.subject, one, other),
    };
    if ("error" in test) {
      refuse(test.error, check.right?.at ?? check.at);
      return this.#refused(errors, check);
    }
    const deprecated = new Set(
      [...operand.fields, ...right?.fields ?? []].map(({ field }) => field.name)
        .filter((name) => DEPRECATED_FIELDS.includes(name)),
    );
    const text = print(check);
    const node = this.#nodes.atom(text, (id): Atom => ({
      id,
      text,
      comparator,
      left: operand,
      constants: texts,
      literals,
      right,
      domain: right === undefined ? operand.domain : joinDomains([operand.domain, right.domain]),
      test: test.test,
    }));
    return { node, errors, warnings, deprecated, unsafe: isUnsafe(check) };
  }

  #rightSide(
    check: Check,
    comparator: Comparator,
    left: Operand,
    refuse: (message: string, at?: number, hint?: string) => void,
    warn: (message: string, at: number) => void,
  ): { texts: string[]; literals: Literal[]; right: Operand | undefined } | undefined {
    const side = check.right;
    if (side === undefined) return { texts: [], literals: [], right: undefined };
    if (side.kind === "field" || side.kind === "transform") {
      const found = resolveOperand(side, this.#lookup);
      if ("error" in found) {
        refuse(found.error, found.at, found.hint);
        return undefined;
      }
      const refusal = refuseRight(comparator, left, found.operand);
      if (refusal === undefined) return { texts: [], literals: [], right: found.operand };
      refuse(refusal, side.at);
      return undefined;
    }
    const texts = side.kind === "values" ? [...side.texts] : [side.text];
    const literals: Literal[] = [];
    let sound = true;
    for (const text of texts) {
      this.#warnOfValue(text, comparator, side.at, warn);
      const literal = this.#literal(text, comparator, left, side.at, refuse);
      if (literal === undefined) sound = false;
      else literals.push(literal);
    }
    return sound ? { texts: texts.map(shownText), literals, right: undefined } : undefined;
  }

  #literal(
    text: string,
    { operator }: Comparator,
    left: Operand,
    at: number,
    refuse: (message: string, at?: number, hint?: string) => void,
  ): Literal | undefined {
    if (text.includes("\0")) {
      refuse("filter error: filter value cannot contain a NUL byte (\\x00)", at);
      return undefined;
    }
    const parsed = parseLiteral(text, left.subject.type, operator, bytesOf(text));
    if ("error" in parsed) {
      refuse(parsed.error, at, `'${left.text}' has type ${left.subject.type}`);
      return undefined;
    }
    if (left.subject.field === "evt.type" && !isEventName(text, this.#asyncNames)) {
      const near = nearest(text, eventNames());
      refuse(`unknown event type ${text}`, at, near && `did you mean ${near}?`);
      return undefined;
    }
    return parsed.value;
  }

  #warnOfValue(
    text: string,
    { operator }: Comparator,
    at: number,
    warn: (message: string, at: number) => void,
  ): void {
    if (operator === "regex" && isPlainRegex(text)) {
      warn(
        `regex check with '${text}' may be optimized with simpler operators such as '=', ` +
          "'contains', 'startswith', 'endswith'",
        at,
      );
    }
    const bare = text.replace(/\s/g, "");
    // Most values have no dot between letters and so are no field.
    if (/^[a-z]+\.[a-z]/.test(bare) && "bound" in this.#lookup.resolve(bare)) {
      warn(`'${text}' may be a valid field misused as a const string value`, at);
    }
    if (bare.endsWith(")") && CALL.test(bare)) {
      warn(`'${text}' may be a valid field transformer misused as a const string value`, at);
    }
  }
}

/** It compares a field of plugins with the text `<NA>`. */
function isUnsafe({ left, operator, right }: Check): boolean {
  if (!/^(=|==|!=|in|intersects|pmatch)$/.test(operator)) return false;
  if (right?.kind !== "value" && right?.kind !== "values") return false;
  const texts = right.kind === "values" ? right.texts : [right.text];
  // Of several fields the last one counts, as in Falco.
  return texts.includes("<NA>") && /^(ka|jevt)\./.test(fieldNames(left).at(-1) ?? "");
}

function deprecatedOf(term: Term): ReadonlySet<string> {
  const names = fieldNames(term).filter((name) => DEPRECATED_FIELDS.includes(name));
  return names.length === 0 ? NOTHING : new Set(names);
}

/** Names of the fields of a term, in order; lists in transformers are not looked into. */
function fieldNames(term: Term): string[] {
  if (term.kind === "field") return [term.name];
  return term.args.flatMap((arg) =>
    arg.kind === "field" || arg.kind === "transform" ? fieldNames(arg) : []
  );
}

const CALL = new RegExp(`^(val|${TRANSFORMERS.join("|")})\\(`);

function merged(children: readonly Checked[], node: Node): Checked {
  return {
    node,
    errors: joined(children, ({ errors }) => errors),
    warnings: joined(children, ({ warnings }) => warnings),
    deprecated: children.some(({ deprecated }) => deprecated.size > 0)
      ? new Set(children.flatMap(({ deprecated }) => [...deprecated]))
      : NOTHING,
    unsafe: children.some(({ unsafe }) => unsafe),
  };
}

/** Most conditions have nothing to tell. */
function joined(
  children: readonly Checked[],
  of: (child: Checked) => readonly Finding[],
): readonly Finding[] {
  return children.some((child) => of(child).length > 0) ? children.flatMap(of) : NO_FINDINGS;
}

const NO_FINDINGS: readonly Finding[] = [];

function constantTest(
  comparator: Comparator,
  { subject }: Operand,
  literals: readonly Literal[],
): { test: (value: Value) => boolean } | { error: string } {
  const compiled = compileTest(comparator, subject, literals);
  if ("error" in compiled) return compiled;
  const { test } = compiled;
  return { test: (value) => value !== undefined && test(value) };
}

/** Why the right operand cannot be compared with the left one, in Falco's words. */
function refuseRight(comparator: Comparator, left: Operand, right: Operand): string | undefined {
  const { operator } = comparator;
  if (operator === "pmatch" || operator === "regex") {
    return `operator '${operator.toUpperCase()}' doesn't support right-hand side fields`;
  }
  if (left.subject.type.endsWith("NET")) {
    return "field type 'IPNET' doesn't support right-hand side fields";
  }
  if (refusesRight(left)) return `field '${left.text}' doesn't support right-hand side fields`;
  if (refusesRight(right)) return `field '${right.text}' can't be used as a right-hand side field`;
  const { type, isList } = left.subject;
  if (type === right.subject.type && isList === right.subject.isList) return undefined;
  return `field '${left.text}' has type '${type}'${isList ? " (list)" : ""} while the right-hand ` +
    `side field '${right.text}' has incompatible type '${right.subject.type}'` +
    (right.subject.isList ? " (list)" : "");
}

function refusesRight({ bound }: Operand): boolean {
  const flags: ReadonlySet<string> | undefined = (bound as Bound | undefined)?.field.flags;
  return flags !== undefined && (flags.has("no_rhs") || flags.has("both_ends"));
}

/** A pattern without special characters, but for what other operators say: ends and `.*`. */
function isPlainRegex(pattern: string): boolean {
  const last = pattern.length - 1;
  for (let at = 0; at <= last; at++) {
    const char = pattern[at]!;
    if ((at === 0 && char === "^") || (at === last && char === "$")) continue;
    const edge = (at === 0 && last > 0) || at === last - 1;
    if (edge && char === "." && "+*?".includes(pattern[at + 1]!)) {
      at++;
      continue;
    }
    if (".+*?^$()[]{}|\\".includes(char)) return false;
  }
  return true;
}
