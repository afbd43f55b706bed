// Predicates on numbers, results and flags of an event, as tests of its parameters' bytes. An atom
// comes in, and whether it is asked for or its contrary; a formula comes out, which holds at least
// wherever that does.
import { codeOf, EVENTS, type ParamType } from "../events/table.ts";
import { FD_TYPES } from "../state/tables/fd.ts";
import { errnoOf } from "../fields/text/names.ts";
import { hasReturnValue } from "../fields/text/param_values.ts";
import type { Atom } from "../rules/check/condition.ts";
import { and, constant, type Form, type Formula, number, or, TRUE } from "./formula.ts";
import { FD_PARAM, isOpen, SHOWS_FD, TRAITS } from "./event_texts.ts";

const O_RDONLY = 1n;
const O_WRONLY = 2n;
const O_CREAT = 1n << 2n;
const O_DIRECTORY = 1n << 10n;
const O_TMPFILE = 1n << 13n;
const O_F_CREATED = 1n << 14n;
const EXEC_BITS = 0o111n;

const DOMAIN = /^fd\.[csrl]ip\.name$/;
const CREAT = codeOf("SYSCALL_CREAT_X");
/** Where the flags and the mode of a call that opens are; none where it has none. */
const OPEN_PARAMS: Readonly<Record<number, { readonly flags: number; readonly mode: number }>> = {
  [codeOf("SYSCALL_OPEN_X")]: { flags: 2, mode: 3 },
  [codeOf("SYSCALL_OPENAT_2_X")]: { flags: 3, mode: 4 },
  [codeOf("SYSCALL_OPENAT2_X")]: { flags: 3, mode: 4 },
  [codeOf("SYSCALL_OPEN_BY_HANDLE_AT_X")]: { flags: 2, mode: -1 },
};

/** The formula of an atom on a number, or of its contrary; undefined: it is none. */
export function numberFormula(atom: Atom, negated: boolean, code: number): Formula | undefined {
  const { left, right } = atom;
  if (right !== undefined || left.bound === undefined) return undefined;
  const holds = (value: unknown) => atom.test(value as never, undefined) !== negated;
  const returns = hasReturnValue(code);
  // Names of addresses are looked up for nobody.
  if (DOMAIN.test(left.text)) return constant(holds(undefined));
  switch (left.text) {
    case "evt.num":
      return eventNumber(atom, negated);
    case "evt.failed":
      return returns ? choose(failed(), holds) : constant(holds(undefined));
    case "evt.rawres":
      return returns ? compare(atom, negated, 0, "result") : constant(holds(undefined));
    case "evt.res":
      return returns ? result(atom, negated) : constant(holds(undefined));
    case "evt.is_open_read":
      return choose(flag(code, O_RDONLY), holds);
    case "evt.is_open_write":
      return choose(flag(code, O_WRONLY), holds);
    case "evt.is_open_create":
      return choose(created(code), holds);
    case "evt.is_open_exec":
      return choose(executable(code), holds);
    case "fd.num":
      return descriptor(atom, negated, code);
    case "fd.type":
    case "fd.typechar":
      return kind(code, holds, left.text === "fd.type" ? ["file", "directory"] : ["f", "d"]);
  }
  return namedFlag(atom, negated, code) ?? parameter(atom, negated, code);
}

/** What holds exactly where a truth value is true, and where it is false. */
interface Truth {
  readonly yes: Formula;
  readonly no: Formula;
}

function truth(test: Formula & { readonly kind: "number" }): Truth {
  return { yes: test, no: { ...test, inverted: !test.inverted } };
}

const NEVER: Truth = { yes: constant(false), no: TRUE };

function choose({ yes, no }: Truth, holds: (value: boolean) => boolean): Formula {
  return or([and([constant(holds(true)), yes]), and([constant(holds(false)), no])]);
}

function bits(param: number, value: bigint): Truth {
  return truth(
    number({ kind: "any_bit", param, form: "u32", value }) as Formula & { kind: "number" },
  );
}

function both(one: Truth, other: Truth): Truth {
  return { yes: and([one.yes, other.yes]), no: or([one.no, other.no]) };
}

function either(one: Truth, other: Truth): Truth {
  return { yes: or([one.yes, other.yes]), no: and([one.no, other.no]) };
}

function inverse({ yes, no }: Truth): Truth {
  return { yes: no, no: yes };
}

function failed(): Truth {
  return truth(
    number({ kind: "less", param: 0, form: "result", value: 0n }) as Formula & { kind: "number" },
  );
}

function flag(code: number, value: bigint): Truth {
  const place = OPEN_PARAMS[code];
  return place === undefined ? NEVER : bits(place.flags, value);
}

function created(code: number): Truth {
  const place = OPEN_PARAMS[code];
  if (place === undefined) return NEVER;
  return either(
    bits(place.flags, O_F_CREATED),
    both(bits(place.flags, O_TMPFILE), inverse(failed())),
  );
}

function executable(code: number): Truth {
  if (code === CREAT) return bits(2, EXEC_BITS);
  const place = OPEN_PARAMS[code];
  if (place === undefined || place.mode < 0) return NEVER;
  return both(bits(place.mode, EXEC_BITS), bits(place.flags, O_TMPFILE | O_CREAT));
}

/** `evt.res`: which error it is, is told apart where errors are named to be the one. */
function result(atom: Atom, negated: boolean): Formula {
  const success = atom.test("SUCCESS", undefined) !== negated;
  const { yes, no } = failed();
  return or([and([constant(success), no]), and([yes, error(atom, negated)])]);
}

/** What of errors `evt.res` holds for. */
function error({ comparator, constants }: Atom, negated: boolean): Formula {
  const { operator, modifier } = comparator;
  if (modifier !== undefined) return TRUE;
  const named = constants.filter((text) => text !== "SUCCESS");
  if (operator === "!=") return constant(named.length > 0 || !negated);
  if (operator !== "=" && operator !== "in") return TRUE;
  const numbers = named.map(errnoOf);
  if (negated) return TRUE;
  return numbers.includes(undefined) ? TRUE : or(
    numbers.map((errno) =>
      number({ kind: "equal", param: 0, form: "result", value: BigInt(-errno!) })
    ),
  );
}

/** `fd.num` of a call that opens is what it returned, -1 for an error; else a parameter. */
function descriptor(atom: Atom, negated: boolean, code: number): Formula | undefined {
  // Without a thread it has no value, so that the contrary holds.
  if (negated) return TRUE;
  if (!(TRAITS[code]! & SHOWS_FD)) return constant(false);
  if (isOpen(code)) {
    const { yes, no } = failed();
    const compared = compare(atom, false, 0, "result");
    return or([
      and([constant(atom.test(-1, undefined)), yes]),
      compared === undefined ? no : and([no, compared]),
    ]);
  }
  const { flags } = EVENTS[code]!;
  const param = FD_PARAM[code]!;
  const changes = flags.has("creates_fd") || flags.has("modifies_state");
  if (param < 0 || (changes && !flags.has("destroys_fd"))) return undefined;
  return or([
    constant(atom.test(-1, undefined)),
    compare(atom, false, param, "descriptor") ?? TRUE,
  ]);
}

/** `fd.type` and `fd.typechar` of a call that opens: a file's or a directory's. */
function kind(
  code: number,
  holds: (value: unknown) => boolean,
  [file, directory]: readonly string[],
): Formula | undefined {
  if (!(TRAITS[code]! & SHOWS_FD)) return constant(holds(undefined));
  if (!isOpen(code)) return undefined;
  const { yes, no } = failed();
  // An error has no kind, or one letter for what would have been opened.
  const unknown = holds(undefined);
  const ofFailed = unknown || holds("f") || holds("o");
  const place = OPEN_PARAMS[code];
  const isDirectory = place === undefined ? NEVER : bits(place.flags, O_DIRECTORY);
  // What a path leads to may be a pipe or a device of its own kind, which only the kernel tells.
  const other = [...FD_TYPES, ..."46upesltinbrmPo"].some((kind) =>
    kind !== file && kind !== directory && holds(kind)
  );
  const ofOpened = or([
    constant(unknown || other),
    and([constant(holds(file)), isDirectory.no]),
    and([constant(holds(directory)), isDirectory.yes]),
  ]);
  return or([and([constant(ofFailed), yes]), and([no, ofOpened])]);
}

const FORMS: Readonly<Partial<Record<ParamType, Form>>> = {
  UINT8: "u8",
  FLAGS8: "u8",
  ENUMFLAGS8: "u8",
  SIGTYPE: "u8",
  UINT16: "u16",
  FLAGS16: "u16",
  ENUMFLAGS16: "u16",
  UINT32: "u32",
  FLAGS32: "u32",
  ENUMFLAGS32: "u32",
  MODE: "u32",
  INT32: "i32",
  INT64: "i64",
  ERRNO: "result",
  FD: "result",
};

/** Events are counted from 1 on: `evt.num = 0` is how official rules write "never". */
function eventNumber({ comparator, literals }: Atom, negated: boolean): Formula | undefined {
  const { operator, modifier } = comparator;
  const isOne = modifier === undefined && (operator === "=" || operator === "in");
  const below = literals.length > 0 &&
    literals.every((value) =>
      (typeof value === "number" || typeof value === "bigint") && value < 1
    );
  return isOne && below ? constant(negated) : undefined;
}

/** What a parameter of flags shows where it has none, or more than it knows. */
const SHOWN_OTHERWISE = ["<NA>", "NULL", "0"];

/** `evt.arg.x contains NAME` of a parameter of flags, which shows their names: one of the flags
 * whose name has that part must be set. */
function namedFlag(atom: Atom, negated: boolean, code: number): Formula | undefined {
  const { left, comparator, constants, test } = atom;
  const name = /^evt\.arg\.([a-z]\w*)$/.exec(left.text)?.[1];
  if (name === undefined || comparator.operator !== "contains") return undefined;
  const param = EVENTS[code]!.params.findIndex((one) => one.name === name);
  const info = EVENTS[code]!.params[param];
  const form = info === undefined ? undefined : FORMS[info.type];
  if (negated || form === undefined || info!.flags === undefined) return undefined;
  if (!/^(FLAGS|MODE)/.test(info!.type) || comparator.modifier !== undefined) return undefined;
  if (!constants.every((part) => /^[A-Z]+_[A-Z_]+$/.test(part))) return undefined;
  if (SHOWN_OTHERWISE.some((shown) => test(shown, undefined))) return undefined;
  const named = info!.flags.filter((flag) => test(flag.name, undefined));
  if (named.length === 0 || named.some(({ value }) => BigInt(value) === 0n)) return undefined;
  const value = named.reduce((bits, flag) => bits | BigInt(flag.value), 0n);
  return number({ kind: "any_bit", param, form, value });
}

/** `evt.rawarg.x` of a number that is always there. */
function parameter(atom: Atom, negated: boolean, code: number): Formula | undefined {
  const name = /^evt\.rawarg\.(\w+)$/.exec(atom.left.text)?.[1];
  if (name === undefined) return undefined;
  const { params } = EVENTS[code]!;
  const index = params.findIndex((param) => param.name === name);
  if (index < 0) return constant(atom.test(undefined, undefined) !== negated);
  const form = FORMS[params[index]!.type];
  if (form === undefined) return undefined;
  const compared = compare(atom, negated, index, form);
  if (compared === undefined) return undefined;
  // Where it is missing it has no value.
  const missing = number({ kind: "present", param: index, form, value: 0n }, true);
  return or([compared, and([constant(atom.test(undefined, undefined) !== negated), missing])]);
}

/** A comparison with numbers; undefined for other operators. */
function compare(
  { comparator, literals, test }: Atom,
  negated: boolean,
  param: number,
  form: Form,
): Formula | undefined {
  const { operator, modifier } = comparator;
  if (modifier !== undefined) return undefined;
  const values = literals.map((literal) =>
    typeof literal === "number" && Number.isInteger(literal) ? BigInt(literal) : literal
  );
  if (!values.every((value): value is bigint => typeof value === "bigint" && isWide(value))) {
    return undefined;
  }
  const [value] = values;
  const one = (kind: "equal" | "less" | "greater", inverted: boolean) =>
    number({ kind, param, form, value: value! }, inverted !== negated);
  switch (operator) {
    case "exists":
      return undefined;
    case "=":
      return one("equal", false);
    case "!=":
      return one("equal", true);
    case "<":
      return one("less", false);
    case "<=":
      return one("greater", true);
    case ">":
      return one("greater", false);
    case ">=":
      return one("less", true);
    case "in": {
      // Some fields never match `in`: the test knows.
      const found = values.filter((member) =>
        test(Number(member), undefined) || test(member, undefined)
      );
      const tests = found.map((member) =>
        number({ kind: "equal", param, form, value: member }, negated)
      );
      return negated ? and(tests) : or(tests);
    }
    default:
      return undefined;
  }
}

function isWide(value: bigint): boolean {
  return value === BigInt.asIntN(64, value);
}
