// Terms of a condition or an output made into operands: fields looked up, transformers typed.
import type { Bound, Domain, Value } from "../../fields/row/field.ts";
import { applyTransformer, type ValueType } from "../../fields/compare/transformers.ts";
import type { Operand, Read } from "./condition.ts";
import { parse } from "../parse/parse.ts";
import { type Argument, printArgument, type Term } from "../parse/syntax.ts";

/** What rules of one source can name. */
export interface FieldLookup {
  resolve(
    text: string,
  ): { readonly bound: Bound } | {
    readonly error: string;
    readonly suggestion?: string | undefined;
  };
}

export type ResolvedOperand = { readonly operand: Operand } | OperandError;

export interface OperandError {
  readonly error: string;
  readonly hint?: string;
  readonly at: number;
}

/** The operand of a term, or what is wrong with it. */
export function resolveOperand(term: Term, lookup: FieldLookup): ResolvedOperand {
  const built = build(term, lookup);
  return "error" in built ? built : { operand: built };
}

/** Whether a text can stand to the left of an operator: a field, or transformers over fields. */
export function isLeftSide(text: string, lookup: FieldLookup): boolean {
  if (!text.includes("(")) return "bound" in lookup.resolve(text);
  const parsed = parse(`${text} exists`);
  return "tree" in parsed && parsed.tree.kind === "check" &&
    "operand" in resolveOperand(parsed.tree.left, lookup);
}

function build(argument: Argument, lookup: FieldLookup): Operand | OperandError {
  switch (argument.kind) {
    case "field":
      return buildField(argument.name, argument.argument, argument.at, lookup);
    case "value":
      return constant(argument.text, printArgument(argument));
    case "list":
      return combine(argument.items, lookup, printArgument(argument), (items) => ({
        result: { type: "CHARBUF", isList: true },
        apply: (values) => values.includes(undefined) ? undefined : values.flat() as Value[],
        error: items.some((item) => item.subject.anyOf) ? "ancestors are no list" : undefined,
      }), argument.at);
    case "transform": {
      // `val(field)` only says that it is a field.
      if (argument.name === "val") {
        if (argument.argument === undefined) return build(argument.args[0]!, lookup);
        return {
          error: "filter error: transformer 'val' does not support field arguments",
          at: argument.at,
        };
      }
      const make = (args: readonly Operand[]) => {
        const refused = args.find(({ bound, subject }) =>
          bound !== undefined && (subject.anyOf || bound.field.flags.has("no_transformer"))
        );
        if (refused) {
          return { error: `field '${refused.bound!.text}' does not support transformers` };
        }
        const types = args.map(typeOf);
        return applyTransformer(argument.name, types, args[0]!.text, argument.argument);
      };
      return combine(argument.args, lookup, printArgument(argument), make, argument.at);
    }
  }
}

function buildField(
  name: string,
  argument: string | undefined,
  at: number,
  lookup: FieldLookup,
): Operand | OperandError {
  const text = argument === undefined ? name : `${name}[${argument}]`;
  const found = lookup.resolve(text);
  if ("error" in found) {
    const unknown = found.error.startsWith("unknown field");
    return {
      error: unknown
        ? `filter_check called with nonexistent field ${text}`
        : `filter error: ${found.error}`,
      ...(found.suggestion && { hint: `did you mean ${found.suggestion}?` }),
      at,
    };
  }
  const { bound } = found;
  return {
    text,
    subject: {
      type: bound.type,
      isList: bound.isList,
      bothEnds: bound.field.flags.has("both_ends"),
      anyOf: bound.anyOf,
      field: bound.field.name,
    },
    domain: bound.domain,
    bound,
    fields: [bound],
    read: (values) => values(bound),
  };
}

function typeOf({ subject }: Operand): ValueType {
  return { type: subject.type, isList: subject.isList };
}

function constant(value: string, text: string): Operand {
  return {
    text,
    subject: { type: "CHARBUF", isList: false, bothEnds: false, anyOf: false, field: "" },
    domain: "thread",
    bound: undefined,
    fields: [],
    read: () => value,
  };
}

interface Combination {
  readonly result?: ValueType;
  readonly apply?: (values: readonly Value[]) => Value;
  readonly error?: string | undefined;
}

function combine(
  args: readonly Argument[],
  lookup: FieldLookup,
  text: string,
  make: (args: readonly Operand[]) => Combination,
  at: number,
): Operand | OperandError {
  const operands: Operand[] = [];
  for (const arg of args) {
    const built = build(arg, lookup);
    if ("error" in built) return built;
    operands.push(built);
  }
  const made = make(operands);
  if (made.error !== undefined) return { error: made.error, at };
  const apply = made.apply!;
  return {
    text,
    subject: { ...made.result!, bothEnds: false, anyOf: false, field: "" },
    domain: joinDomains(operands.map((operand) => operand.domain)),
    bound: undefined,
    fields: operands.flatMap((operand) => operand.fields),
    read: (values: Read) => apply(operands.map((operand) => operand.read(values))),
  };
}

/** What depends on several things holds as long as all of them do. */
export function joinDomains(domains: readonly Domain[]): Domain {
  const first = domains[0] ?? "thread";
  return domains.every((domain) => domain === first) ? first : "event";
}
