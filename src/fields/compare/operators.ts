// Which operators a field's type takes, and the deviations that we copy. What an operator does is
// in operators_compare.ts.
import type { ParamType } from "../../events/table.ts";

export type Operator =
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "contains"
  | "icontains"
  | "bcontains"
  | "startswith"
  | "bstartswith"
  | "endswith"
  | "in"
  | "intersects"
  | "pmatch"
  | "glob"
  | "iglob"
  | "regex"
  | "exists";

export type Modifier = "oneof" | "anyof" | "allof";

export interface Comparator {
  readonly operator: Operator;
  readonly modifier: Modifier | undefined;
}

/** The comparator of an operator's text, such as `==` or `startswith oneof`. */
export function comparatorOf(text: string): Comparator {
  const [operator, modifier] = text.split(" ");
  return {
    operator: (operator === "==" ? "=" : operator) as Operator,
    modifier: modifier as Modifier | undefined,
  };
}

/** How the values of a type are compared. */
export type Family = "number" | "boolean" | "string" | "buffer" | "address" | "network" | "none";

const FAMILIES: Readonly<Record<ParamType, Family>> = {
  NONE: "none",
  INT8: "number",
  INT16: "number",
  INT32: "number",
  INT64: "number",
  UINT8: "number",
  UINT16: "number",
  UINT32: "number",
  UINT64: "number",
  CHARBUF: "string",
  BYTEBUF: "buffer",
  ERRNO: "number",
  SOCKADDR: "none",
  SOCKTUPLE: "none",
  FD: "number",
  PID: "number",
  FDLIST: "none",
  FSPATH: "string",
  SYSCALLID: "number",
  SIGTYPE: "number",
  RELTIME: "number",
  ABSTIME: "number",
  PORT: "number",
  L4PROTO: "none",
  SOCKFAMILY: "none",
  BOOL: "boolean",
  IPV4ADDR: "address",
  DYN: "none",
  FLAGS8: "number",
  FLAGS16: "number",
  FLAGS32: "number",
  // Falco compares neither user nor group ids by their own type; its fields have UINT32.
  UID: "none",
  GID: "none",
  DOUBLE: "number",
  SIGSET: "none",
  CHARBUFARRAY: "none",
  CHARBUF_PAIR_ARRAY: "none",
  IPV4NET: "network",
  IPV6ADDR: "address",
  IPV6NET: "network",
  IPADDR: "address",
  IPNET: "network",
  MODE: "number",
  FSRELPATH: "string",
  ENUMFLAGS8: "number",
  ENUMFLAGS16: "number",
  ENUMFLAGS32: "number",
  FD32: "none",
  PID32: "none",
};

export function familyOf(type: ParamType): Family {
  return FAMILIES[type];
}

const ORDER: readonly Operator[] = ["<", "<=", ">", ">="];
const EQUALITY: readonly Operator[] = ["=", "!=", "in", "intersects", "exists"];

/** The operators that each family takes. */
export const ACCEPTED: Readonly<Record<Family, ReadonlySet<Operator>>> = {
  number: new Set([...EQUALITY, ...ORDER]),
  boolean: new Set(EQUALITY),
  string: new Set([
    ...EQUALITY,
    ...ORDER,
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "glob",
    "iglob",
    "pmatch",
    "regex",
  ]),
  buffer: new Set([
    ...EQUALITY,
    "contains",
    "startswith",
    "endswith",
    "bcontains",
    "bstartswith",
  ]),
  address: new Set(EQUALITY),
  network: new Set(EQUALITY),
  none: new Set(["exists"]),
};

const LISTS_OF: ReadonlySet<ParamType> = new Set([
  "CHARBUF",
  "UINT64",
  "RELTIME",
  "ABSTIME",
  "BOOL",
  "IPADDR",
  "IPNET",
]);
const LIST_ACCEPTED: ReadonlySet<Operator> = new Set(["in", "intersects", "exists"]);

const KIND_OF_FILTER: Readonly<Record<Exclude<Family, "none">, string>> = {
  number: "numeric filters",
  boolean: "numeric filters",
  string: "string filters",
  buffer: "buffer filters",
  address: "ip address and network filters",
  network: "ip address and network filters",
};

/** Why the operator does not fit the type, in Falco's words; undefined where it does. */
export function refusalOf(
  { operator }: Comparator,
  type: ParamType,
  isList: boolean,
): string | undefined {
  if (operator === "exists") return undefined;
  if (isList) {
    if (!LISTS_OF.has(type)) return `list filters are not supported for type '${type}'`;
    return LIST_ACCEPTED.has(operator)
      ? undefined
      : `'${operator}' operator not supported list filters`;
  }
  const family = FAMILIES[type];
  if (family === "none") return `'${operator}' operator not supported for type '${type}'`;
  if (ACCEPTED[family].has(operator)) return undefined;
  return `'${operator}' operator not supported for ${KIND_OF_FILTER[family]}`;
}

/**
 * Where Falco differs from what its documentation says and we do as it does, so that rules give
 * the same alerts. Each row was read in libs at 48dfd53c.
 */
export const DEVIATIONS = {
  /** `fd.ip in (…)` is never true: the look-up gets no operand length. `fd.ip = …` works. */
  bothEndsAddressIn: true,
  /** `proc.apid in (…)` without an index is never true, for the same reason. */
  ancestorNumberIn: true,
  /** `evt.rawarg.x in (…)` is never true where the parameter is a number, for the same reason. */
  rawArgumentNumberIn: true,
  /** `fd.net in (a, b)` looks at `a` only. */
  bothEndsNetworkFirst: true,
} as const;
