// The tree of a condition as written: what `parse` gives, before macros are put in and fields are
// looked up. Plain data; `print` turns it back into text.

export type Expr = Logic | Not | Check | MacroName;

export interface Logic {
  readonly kind: "and" | "or";
  readonly children: readonly Expr[];
  /** Offset in the text, as for all nodes. */
  readonly at: number;
}

export interface Not {
  readonly kind: "not";
  readonly child: Expr;
  readonly at: number;
}

export interface MacroName {
  readonly kind: "macro";
  readonly name: string;
  readonly at: number;
}

export interface Check {
  readonly kind: "check";
  readonly left: Term;
  /** Operator, and its modifier after one blank: `=`, `in`, `startswith oneof`. */
  readonly operator: string;
  /** Absent for `exists`. */
  readonly right: Right | undefined;
  readonly at: number;
}

export type Term = FieldTerm | Transform;

export interface FieldTerm {
  readonly kind: "field";
  readonly name: string;
  readonly argument: string | undefined;
  readonly at: number;
}

export interface Transform {
  readonly kind: "transform";
  /** `val` only on the right side. */
  readonly name: string;
  readonly args: readonly Argument[];
  /** The option of `getopt(…)[c]`. */
  readonly argument: string | undefined;
  readonly at: number;
}

export type Argument = Term | Constant | ArgumentList;

export interface ArgumentList {
  readonly kind: "list";
  readonly items: readonly Argument[];
  readonly at: number;
}

export interface Constant {
  readonly kind: "value";
  readonly text: string;
  readonly at: number;
}

/** `(a, b)`, the constants after `in` and the like. */
export interface Constants {
  readonly kind: "values";
  readonly texts: readonly string[];
  readonly at: number;
}

export type Right = Constant | Constants | Term;

/** The text of a tree in Falco's canonical form (`condition_compiled` of `-L`). */
export function print(expr: Expr): string {
  switch (expr.kind) {
    case "and":
    case "or":
      return `(${expr.children.map(print).join(` ${expr.kind} `)})`;
    case "not":
      return `not ${print(expr.child)}`;
    case "macro":
      return expr.name;
    case "check":
      return expr.right === undefined
        ? `${printArgument(expr.left)} ${expr.operator}`
        : `${printArgument(expr.left)} ${expr.operator} ${printRight(expr.right)}`;
  }
}

export function printArgument(argument: Argument): string {
  switch (argument.kind) {
    case "field":
      return argument.name + printSelector(argument.argument);
    case "transform":
      return `${argument.name}(${argument.args.map(printArgument).join(",")})` +
        printSelector(argument.argument);
    case "list":
      return `(${argument.items.map(printArgument).join(",")})`;
    case "value":
      return escaped(argument.text);
  }
}

function printRight(right: Right): string {
  return right.kind === "values"
    ? `(${right.texts.map(escaped).join(", ")})`
    : printArgument(right);
}

function printSelector(argument: string | undefined): string {
  if (argument === undefined) return "";
  return argument === "" ? '[""]' : `[${escaped(argument)}]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\\": "\\\\",
  '"': '\\"',
};

/** A value as it has to be written to read the same: quoted where it must be. */
export function escaped(text: string): string {
  if (/^[^()"'\s=,\\\b]+$/.test(text)) return text;
  return `"${text.replace(/[\b\f\n\r\t\\"]/g, (char) => ESCAPES[char]!)}"`;
}
