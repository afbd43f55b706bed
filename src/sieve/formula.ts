// What must hold of an event for a condition to hold, as far as its bytes tell: tests of numbers
// and groups of patterns that a name must match. A formula holds at least wherever the condition
// does; what cannot be decided is "true".

/** A test of a parameter's number; the names are those of probe-rs/src/sieve/guard.rs. */
export interface NumberTest {
  readonly kind: "equal" | "less" | "greater" | "any_bit" | "present" | "among";
  /** Of a socket's ends, which (ends.ts). */
  readonly param: number;
  readonly form: Form;
  readonly value: bigint;
}

export type Form =
  | ("u8" | "u16" | "u32" | "i32" | "i64" | "result" | "descriptor")
  | ("protocol" | "address" | "port" | "socket");

/** Which text of a name a pattern is asked of: joined and folded, or as the caller gave it. */
export type TextKind = "joined" | "raw";

/** A part of a text that a predicate needs. */
export interface Pattern {
  readonly kind: "exact" | "prefix" | "suffix" | "contains";
  readonly text: TextKind;
  /** Printable ASCII, at least one character. */
  readonly literal: string;
}

export type Formula =
  | { readonly kind: "true" | "false" }
  | { readonly kind: "number"; readonly test: NumberTest; readonly inverted: boolean }
  /** One of the patterns holds for a name of the event. */
  | { readonly kind: "name"; readonly patterns: readonly Pattern[] }
  /** None of the patterns holds for the event's name. */
  | { readonly kind: "without"; readonly patterns: readonly Pattern[] }
  /** An atom that the event's thread alone decides, by its place (thread_parts.ts). */
  | { readonly kind: "thread"; readonly place: number; readonly negated: boolean }
  | { readonly kind: "and" | "or"; readonly parts: readonly Formula[] };

export const TRUE: Formula = { kind: "true" };
export const FALSE: Formula = { kind: "false" };

export function constant(value: boolean): Formula {
  return value ? TRUE : FALSE;
}

export function number(test: NumberTest, inverted = false): Formula {
  return { kind: "number", test, inverted };
}

export function and(parts: readonly Formula[]): Formula {
  return join("and", parts, TRUE, FALSE);
}

export function or(parts: readonly Formula[]): Formula {
  return join("or", parts, FALSE, TRUE);
}

function join(
  kind: "and" | "or",
  parts: readonly Formula[],
  unit: Formula,
  zero: Formula,
): Formula {
  const kept: Formula[] = [];
  for (const part of parts) {
    if (part.kind === zero.kind) return zero;
    if (part.kind === unit.kind) continue;
    if (part.kind === kind) kept.push(...part.parts);
    else kept.push(part);
  }
  if (kept.length === 0) return unit;
  return kept.length === 1 ? kept[0]! : { kind, parts: kept };
}

/** A text that equal tests have in common; it begins with `!` where the test is inverted, and
 * nothing else does. */
export function testText({ kind, param, form, value }: NumberTest, inverted: boolean): string {
  return `${inverted ? "!" : ""}${kind}.${param}.${form}.${value}`;
}

/** Numbers of formulas: equal ones have the same. Many event codes have equal ones, each its own
 * objects. */
export class FormulaNumbers {
  readonly #known = new Map<Formula, number>();
  readonly #byText = new Map<string, number>();
  readonly #patterns = new Map<readonly Pattern[], number>();

  of(formula: Formula): number {
    let number = this.#known.get(formula);
    if (number === undefined) {
      const text = this.#textOf(formula);
      number = this.#byText.get(text);
      if (number === undefined) this.#byText.set(text, number = this.#byText.size);
      this.#known.set(formula, number);
    }
    return number;
  }

  #textOf(formula: Formula): string {
    switch (formula.kind) {
      case "true":
      case "false":
        return formula.kind;
      case "thread":
        return `${formula.kind} ${formula.place} ${formula.negated}`;
      case "number":
        return testText(formula.test, formula.inverted);
      case "name":
      case "without":
        return `${formula.kind} ${this.#ofPatterns(formula.patterns)}`;
      case "and":
      case "or":
        return `${formula.kind} ${formula.parts.map((part) => this.of(part)).join()}`;
    }
  }

  /** By the list itself: it is made once for each atom (names.ts). */
  #ofPatterns(patterns: readonly Pattern[]): number {
    let number = this.#patterns.get(patterns);
    if (number === undefined) this.#patterns.set(patterns, number = this.#patterns.size);
    return number;
  }
}
