// A comparator and what stands on its right in, a test of values out. What a test needs (sets,
// patterns, networks) is made here, once.
import type { ParamType } from "../../events/table.ts";
import { isOfCharacters } from "../../words/raw_text.ts";
import { ipText } from "../text/addresses.ts";
import type { Value } from "../row/field.ts";
import { type Comparator, DEVIATIONS, familyOf, type Operator } from "./operators.ts";
import {
  type Address,
  addressBytes,
  type Literal,
  type Network,
  networkHolds,
} from "./operators_literal.ts";
import { compileRegex } from "./operators_regex.ts";
import { asBytes, compareBytes, compileGlob, compilePaths, foldAscii } from "./operators_text.ts";

/** A test of a value that is there; a missing one fails every comparison. */
export type Test = (value: Value) => boolean;

/** What the left side is. */
export interface Subject {
  readonly type: ParamType;
  readonly isList: boolean;
  /** The value is the list of a connection's ends. */
  readonly bothEnds: boolean;
  /** The value is the list of the ancestors' values. */
  readonly anyOf: boolean;
  /** Name of the field where no transformer changed it; "" otherwise. */
  readonly field: string;
}

export type CompiledTest = { readonly test: Test } | { readonly error: string };

/** The test of `subject` against constants, which were read as its type. */
export function compileTest(
  { operator, modifier }: Comparator,
  subject: Subject,
  literals: readonly Literal[],
): CompiledTest {
  if (operator === "exists") return { test: () => true };
  if (neverMatches(operator, subject)) return { test: () => false };
  const single = modifier === undefined || subject.anyOf
    ? compileSingle(operator, subject, literals)
    : compileModified(operator, modifier, subject, literals);
  if ("error" in single) return single;
  const { test } = single;
  if (subject.anyOf) return { test: (value) => (value as Value[]).some(test) };
  if (subject.bothEnds) return { test: endsTest(test, operator) };
  if (subject.isList) {
    return operator === "in"
      ? { test: (value) => (value as Value[]).every(test) }
      : { test: (value) => (value as Value[]).some(test) };
  }
  return { test };
}

/** Compares two values that events gave, of the same type. */
export function compareValues(
  { operator, modifier }: Comparator,
  subject: Subject,
  left: Value,
  right: Value,
): boolean {
  const values = Array.isArray(right) ? right : [right];
  const literals = values.map((value) => literalOf(value, subject.type));
  const compiled = compileTest({ operator, modifier }, subject, literals);
  return "test" in compiled && compiled.test(left);
}

function literalOf(value: Value, type: ParamType): Literal {
  if (familyOf(type) === "address") {
    return { kind: "address", text: value instanceof Uint8Array ? ipText(value) : value as string };
  }
  return value as Literal;
}

function neverMatches(operator: Operator, { type, bothEnds, anyOf, field }: Subject): boolean {
  if (operator !== "in") return false;
  const family = familyOf(type);
  return (DEVIATIONS.bothEndsAddressIn && bothEnds && family === "address") ||
    (DEVIATIONS.ancestorNumberIn && anyOf && family === "number") ||
    (DEVIATIONS.rawArgumentNumberIn && field.startsWith("evt.rawarg") && family === "number");
}

/** Either end, but both where they must differ; sockets alone have ends. */
function endsTest(test: Test, operator: Operator): Test {
  return operator === "!="
    ? (value) => (value as Value[]).length > 0 && (value as Value[]).every(test)
    : (value) => (value as Value[]).some(test);
}

function compileModified(
  operator: Operator,
  modifier: "oneof" | "anyof" | "allof",
  subject: Subject,
  literals: readonly Literal[],
): CompiledTest {
  if (literals.length === 0) return { test: () => false };
  if (modifier === "anyof" && operator === "=") return compileSingle("in", subject, literals);
  const tests: Test[] = [];
  for (const literal of literals) {
    const compiled = compileSingle(operator, subject, [literal]);
    if ("error" in compiled) return compiled;
    tests.push(compiled.test);
  }
  switch (modifier) {
    case "anyof":
      return { test: (value) => tests.some((test) => test(value)) };
    case "allof":
      return { test: (value) => tests.every((test) => test(value)) };
    case "oneof":
      return { test: (value) => tests.filter((test) => test(value)).length === 1 };
  }
}

/** The test of one element against all constants. */
function compileSingle(
  operator: Operator,
  { type, bothEnds }: Subject,
  literals: readonly Literal[],
): CompiledTest {
  switch (familyOf(type)) {
    case "number":
      return { test: numberTest(operator, literals as (number | bigint)[]) };
    case "boolean":
      return { test: booleanTest(operator, literals as boolean[]) };
    case "string":
      return stringTest(operator, literals as string[]);
    case "buffer":
      return { test: bufferTest(operator, literals as Uint8Array[]) };
    case "address":
      return { test: addressTest(operator, literals as Address[]) };
    case "network": {
      const first = DEVIATIONS.bothEndsNetworkFirst && bothEnds && operator === "in";
      return {
        test: networkTest(operator, (literals as Network[]).slice(0, first ? 1 : undefined)),
      };
    }
    case "none":
      return { test: () => false };
  }
}

function numberTest(operator: Operator, literals: readonly (number | bigint)[]): Test {
  const literal = literals[0]!;
  // A field may give a big integer for what is exact as a number, and the other way round; `<`
  // and `>` compare the two kinds by value.
  const equal = (value: Value) =>
    typeof value === typeof literal
      ? value === literal
      : !((value as number) < literal) && !((value as number) > literal);
  switch (operator) {
    case "=":
      return equal;
    case "!=":
      return (value) => !equal(value);
    case "<":
      return (value) => (value as number) < literal;
    case "<=":
      return (value) => (value as number) <= literal;
    case ">":
      return (value) => (value as number) > literal;
    case ">=":
      return (value) => (value as number) >= literal;
    default: {
      const members = new Set(literals.map((member) => member.toString()));
      const numbers = new Set<Value>(literals);
      return (value) => numbers.has(value) || typeof value === "bigint" && members.has(`${value}`);
    }
  }
}

function booleanTest(operator: Operator, literals: readonly boolean[]): Test {
  if (operator === "!=") return (value) => value !== literals[0];
  const members = new Set<Value>(literals);
  return (value) => members.has(value);
}

function stringTest(operator: Operator, literals: readonly string[]): CompiledTest {
  const literal = literals[0] ?? "";
  switch (operator) {
    case "=":
      return { test: (value) => value === literal };
    case "!=":
      return { test: (value) => value !== literal };
    case "<":
      return { test: (value) => compareBytes(value as string, literal) < 0 };
    case "<=":
      return { test: (value) => compareBytes(value as string, literal) <= 0 };
    case ">":
      return { test: (value) => compareBytes(value as string, literal) > 0 };
    case ">=":
      return { test: (value) => compareBytes(value as string, literal) >= 0 };
    case "contains":
    case "icontains":
    case "startswith":
    case "endswith":
      return { test: partTest(operator, literal) };
    case "glob":
    case "iglob": {
      const matches = compileGlob(literal, operator === "iglob");
      return { test: (value) => matches(value as string) };
    }
    case "pmatch": {
      const matches = compilePaths(literals);
      return { test: (value) => matches(value as string) };
    }
    case "regex": {
      const compiled = compileRegex(literal);
      if ("error" in compiled) return compiled;
      return { test: (value) => compiled.matches(value as string) };
    }
    default: {
      const members = new Set<Value>(literals);
      return { test: (value) => members.has(value) };
    }
  }
}

function partTest(
  operator: "contains" | "icontains" | "startswith" | "endswith",
  literal: string,
): Test {
  // Of a constant of whole characters the bytes are found where the characters are.
  const seen = isOfCharacters(literal) ? (text: string) => text : asBytes;
  const part = seen(operator === "icontains" ? foldAscii(literal) : literal);
  switch (operator) {
    case "contains":
      return (value) => seen(value as string).includes(part);
    case "icontains":
      return (value) => seen(foldAscii(value as string)).includes(part);
    case "startswith":
      return (value) => seen(value as string).startsWith(part);
    case "endswith":
      return (value) => seen(value as string).endsWith(part);
  }
}

function bufferTest(operator: Operator, literals: readonly Uint8Array[]): Test {
  const literal = literals[0] ?? new Uint8Array(0);
  switch (operator) {
    case "!=":
      return (value) => !sameBytes(value as Uint8Array, literal);
    case "contains":
    case "bcontains":
      return (value) => indexOfBytes(value as Uint8Array, literal) >= 0;
    case "startswith":
    case "bstartswith":
      return (value) => startsAt(value as Uint8Array, literal, 0);
    case "endswith":
      return (value) => {
        const bytes = value as Uint8Array;
        return startsAt(bytes, literal, bytes.length - literal.length);
      };
    default:
      return (value) => literals.some((member) => sameBytes(value as Uint8Array, member));
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && startsAt(left, right, 0);
}

function startsAt(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  if (at < 0 || at + part.length > bytes.length) return false;
  for (let index = 0; index < part.length; index++) {
    if (bytes[at + index] !== part[index]) return false;
  }
  return true;
}

function indexOfBytes(bytes: Uint8Array, part: Uint8Array): number {
  if (part.length === 0) return 0;
  const last = bytes.length - part.length;
  for (
    let at = bytes.indexOf(part[0]!);
    at >= 0 && at <= last;
    at = bytes.indexOf(part[0]!, at + 1)
  ) {
    if (startsAt(bytes, part, at)) return at;
  }
  return -1;
}

function addressTest(operator: Operator, literals: readonly Address[]): Test {
  const members = new Set(literals.map((literal) => addressKey(addressBytes(literal.text))));
  const negated = operator === "!=";
  return (value) => members.has(addressKey(bytesOfAddress(value))) !== negated;
}

/** What equal addresses share: a number for IPv4, text for IPv6. */
function addressKey(bytes: Uint8Array): number | string {
  if (bytes.length !== 4) return bytes.join();
  return bytes[0]! << 24 | bytes[1]! << 16 | bytes[2]! << 8 | bytes[3]!;
}

/** Fields give addresses as bytes; events by hand, and transformers, as text. */
function bytesOfAddress(value: Value): Uint8Array {
  return value instanceof Uint8Array ? value : addressBytes(value as string);
}

function networkTest(operator: Operator, literals: readonly Network[]): Test {
  if (operator === "!=") {
    // An address of another family is different.
    return (value) => !networkHolds(literals[0]!, bytesOfAddress(value));
  }
  return (value) => {
    const address = bytesOfAddress(value);
    return literals.some((network) => networkHolds(network, address));
  };
}
