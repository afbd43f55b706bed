// Which events a condition can match, derived from what it says of `evt.type`: the index by event
// code and the choice of system calls come from here. The algebra is Falco's: a check of anything
// else stands for all events, negated or not; negation goes down to the checks.
import { EVENTS, SYSCALLS } from "../../events/table.ts";
import type { Check, Expr } from "../parse/syntax.ts";

/** Bits 0 to EVENTS.length - 1 are event codes, those above system calls without own events. */
export type EventBits = bigint;

const GENERIC_SYSCALLS = SYSCALLS.filter(({ exit }) => exit === undefined);
const CODES = EVENTS.length;
export const ALL_EVENTS: EventBits = (1n << BigInt(CODES + GENERIC_SYSCALLS.length)) - 1n;
const CODE_BITS: EventBits = (1n << BigInt(CODES)) - 1n;
const GENERIC = [0, 1] as const;
export const PLUGIN_EVENT = 322;
export const ASYNC_EVENT = 402;

/** By name the places of its bits; they are put together for the names that rules have. */
const placesByName = new Map<string, number[]>();
for (const { code, name } of EVENTS) {
  // Codes 0 and 1 are the generic event, which has the names of its system calls.
  if (code > 1) placesOf(name).push(code);
}
for (const [index, { name }] of GENERIC_SYSCALLS.entries()) {
  if (!placesByName.has(name)) placesOf(name).push(...GENERIC, CODES + index);
}
/** System calls that have events of another name, such as pread64: they are generic by name. */
for (const { name } of SYSCALLS) if (!placesByName.has(name)) placesOf(name).push(...GENERIC);

/** Names of asynchronous events that the container engine gives. */
const ASYNC_NAMES = ["container", "container_removed"];
for (const name of ASYNC_NAMES) placesOf(name).push(ASYNC_EVENT);

function placesOf(name: string): number[] {
  let places = placesByName.get(name);
  if (places === undefined) placesByName.set(name, places = []);
  return places;
}

function bitsOf(name: string, asyncNames: ReadonlySet<string>): EventBits {
  const places = placesByName.get(name) ?? (asyncNames.has(name) ? [ASYNC_EVENT] : []);
  return places.reduce((bits, place) => bits | 1n << BigInt(place), 0n);
}

const tableNames = new Set<string>([
  ...EVENTS.map(({ name }) => name),
  ...SYSCALLS.map(({ name }) => name),
]);

/** Whether the name may stand to the right of `evt.type`. */
export function isEventName(name: string, asyncNames: ReadonlySet<string>): boolean {
  return tableNames.has(name) || ASYNC_NAMES.includes(name) || asyncNames.has(name);
}

export function eventNames(): Iterable<string> {
  return tableNames;
}

export type EventTypes = { readonly bits: EventBits } | {
  readonly error: string;
  readonly at: number;
};

/** The events that a condition without macro names can match. */
export class EventTypeSearch {
  readonly #known = new Map<Expr, EventBits>();
  readonly #negated = new Map<Expr, EventBits>();
  readonly #asyncNames: ReadonlySet<string>;

  /** Names of the asynchronous events that plugins send. */
  constructor(asyncNames: ReadonlySet<string> = new Set()) {
    this.#asyncNames = asyncNames;
  }

  search(expr: Expr): EventTypes {
    try {
      return { bits: this.#bits(expr, false) };
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      return { error: error.message, at: error.at };
    }
  }

  #bits(expr: Expr, negated: boolean): EventBits {
    const cache = negated ? this.#negated : this.#known;
    const known = cache.get(expr);
    if (known !== undefined) return known;
    const bits = this.#compute(expr, negated);
    cache.set(expr, bits);
    return bits;
  }

  #compute(expr: Expr, negated: boolean): EventBits {
    switch (expr.kind) {
      case "not":
        return this.#bits(expr.child, !negated);
      case "and":
      case "or":
        return (expr.kind === "and") !== negated
          ? expr.children.reduce((all, child) => all & this.#bits(child, negated), ALL_EVENTS)
          : expr.children.reduce((all, child) => all | this.#bits(child, negated), 0n);
      case "macro":
        return ALL_EVENTS;
      case "check": {
        const bits = checkBits(expr, this.#asyncNames);
        if (bits === undefined) return ALL_EVENTS;
        return negated ? ALL_EVENTS ^ bits : bits;
      }
    }
  }
}

class Unsupported extends Error {
  constructor(message: string, readonly at: number) {
    super(message);
  }
}

/** The events that a check allows; undefined where it says nothing of them. */
function checkBits(check: Check, asyncNames: ReadonlySet<string>): EventBits | undefined {
  const number = eventNumberBits(check);
  if (number !== undefined) return number;
  const { left, operator, right } = check;
  const isType = left.kind === "field" && left.argument === undefined &&
    (left.name === "evt.type" || left.name === "syscall.type");
  if (operator === "exists") return isType ? ALL_EVENTS : undefined;
  if (!/^(=|==|!=|in)$/.test(operator)) return undefined;
  if (!isType) {
    if (left.kind === "transform" && namesType(left)) {
      throw new Unsupported(
        "event code search does not support `evt.type` checks with transformers",
        check.at,
      );
    }
    return undefined;
  }
  if (right === undefined || right.kind === "field" || right.kind === "transform") {
    throw new Unsupported(
      "right-hand field comparisons on `evt.type`/`syscall.type` checks are not supported by " +
        "event code search",
      check.at,
    );
  }
  const names = right.kind === "values" ? right.texts : [right.text];
  const bits = names.reduce((all, name) => all | bitsOf(name, asyncNames), 0n);
  return operator === "!=" ? ALL_EVENTS ^ bits : bits;
}

function namesType(term: { readonly args: readonly unknown[] }): boolean {
  return (term.args as Check["left"][]).some((arg) =>
    arg.kind === "field"
      ? /^(evt|syscall)\.type$/.test(arg.name)
      : arg.kind === "transform" && namesType(arg)
  );
}

/** Events count from 1: `evt.num = 0` and the like are never, or always, true. */
function eventNumberBits({ left, operator, right }: Check): EventBits | undefined {
  if (left.kind !== "field" || left.name !== "evt.num" || left.argument !== undefined) {
    return undefined;
  }
  if (right?.kind === "values") {
    if (operator !== "in") return undefined;
    return right.texts.every((text) => countOf(text) === 0n) ? 0n : undefined;
  }
  const count = right?.kind === "value" ? countOf(right.text) : undefined;
  if (count === undefined) return undefined;
  switch (operator) {
    case "=":
    case "==":
    case "<=":
      return count === 0n ? 0n : undefined;
    case "<":
      return count <= 1n ? 0n : undefined;
    case "!=":
    case ">":
      return count === 0n ? ALL_EVENTS : undefined;
    case ">=":
      return count <= 1n ? ALL_EVENTS : undefined;
    default:
      return undefined;
  }
}

function countOf(text: string): bigint | undefined {
  return /^[ \t]*[+-]?[0-9]+$/.test(text)
    ? BigInt.asUintN(64, BigInt(text.trim().replace("+", "")))
    : undefined;
}

/** Number of event codes. */
export function codeCount(bits: EventBits): number {
  return (bits & CODE_BITS).toString(2).replaceAll("0", "").length;
}

/** The event codes, rising. */
export function codesOf(bits: EventBits): number[] {
  const codes: number[] = [];
  const digits = (bits & CODE_BITS).toString(2);
  for (let code = 0; code < digits.length; code++) {
    if (digits[digits.length - 1 - code] === "1") codes.push(code);
  }
  return codes;
}

/** The names of the events, those of generic system calls included. */
export function namesOf(bits: EventBits): string[] {
  const names = new Set(codesOf(bits).filter((code) => code > 1).map((code) => EVENTS[code]!.name));
  for (const [index, { name }] of GENERIC_SYSCALLS.entries()) {
    if (bits >> BigInt(CODES + index) & 1n) names.add(name);
  }
  return [...names].sort();
}
