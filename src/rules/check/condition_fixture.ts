// For tests of properties and hostile input: conditions, rules and events made by chance from a
// seed.
import type { Value } from "../../fields/row/field.ts";

/** Numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  some<T>(choices: readonly T[], most: number): T[] {
    return Array.from({ length: 1 + this.below(most) }, () => this.of(choices));
  }
}

const WORDS = ["sh", "bash", "cat", "/etc/shadow", "/etc/passwd", "/tmp/a/b", "a b", "x", ""];
const NUMBERS = ["0", "1", "3", "-1", "22", "1000"];
const TYPES = ["open", "openat", "execve", "close", "connect", "kill"];

const TEXT_FIELDS = [
  "proc.name",
  "proc.pname",
  "proc.cmdline",
  "proc.exepath",
  "proc.aname",
  "proc.aname[2]",
  "fd.name",
  "fd.directory",
  "fd.typechar",
  "user.name",
  "container.id",
  "evt.arg.name",
];
const NUMBER_FIELDS = ["fd.num", "evt.rawres", "user.uid", "proc.tty", "proc.pid"];
const FLAG_FIELDS = ["evt.is_open_read", "evt.is_open_write", "proc.is_exe_writable"];

/** A condition that can be checked, of at most `depth` levels. */
export function conditionByChance(chance: Chance, depth: number): string {
  const kind = depth <= 0 ? 3 : chance.below(6);
  switch (kind) {
    case 0:
    case 1: {
      const word = kind === 0 ? " and " : " or ";
      const parts = Array.from(
        { length: 2 + chance.below(3) },
        () => conditionByChance(chance, depth - 1),
      );
      return `(${parts.join(word)})`;
    }
    case 2:
      return `not ${conditionByChance(chance, depth - 1)}`;
    default:
      return checkByChance(chance);
  }
}

function checkByChance(chance: Chance): string {
  switch (chance.below(8)) {
    case 0:
      return `evt.type ${chance.of(["=", "!="])} ${chance.of(TYPES)}`;
    case 1:
      return `evt.type in (${chance.some(TYPES, 3).join(", ")})`;
    case 2:
      return `${chance.of(NUMBER_FIELDS)} ${chance.of(["=", "!=", "<", "<=", ">", ">="])} ${
        chance.of(NUMBERS)
      }`;
    case 3:
      return `${chance.of(FLAG_FIELDS)} = ${chance.of(["true", "false"])}`;
    case 4:
      return `${chance.of(TEXT_FIELDS)} in (${chance.some(WORDS, 4).map(quote).join(", ")})`;
    case 5:
      return `${chance.of(TEXT_FIELDS)} pmatch (${chance.some(WORDS, 3).map(quote).join(", ")})`;
    case 6:
      return `${chance.of(TEXT_FIELDS)} exists`;
    default: {
      const operator = chance.of([
        "=",
        "!=",
        "contains",
        "icontains",
        "startswith",
        "endswith",
        "glob",
        "contains anyof",
      ]);
      const value = quote(chance.of(WORDS));
      const right = operator.endsWith("anyof") ? `(${value})` : value;
      return `${chance.of(TEXT_FIELDS)} ${operator} ${right}`;
    }
  }
}

function quote(word: string): string {
  return `"${word}"`;
}

/** Text of pieces of the grammar in any order, mostly no condition at all. */
export function nonsenseByChance(chance: Chance, length: number): string {
  const pieces = [
    ..."()[]=<>!,\"'\\ \n\t\0é💀%",
    "and",
    "or",
    "not",
    "not(",
    "in",
    "exists",
    "oneof ",
    "contains ",
    "regex ",
    "val(",
    "tolower(",
    "getopt(",
    "evt.type",
    "proc.name",
    "proc.aname[",
    "0x1f",
    "-12",
    "\\x41",
    "\\xff",
  ];
  return Array.from({ length }, () => chance.of(pieces)).join("");
}

/** Values of the fields above. */
export function valuesByChance(chance: Chance): Map<string, Value> {
  const values = new Map<string, Value>();
  const maybe = (field: string, value: Value) => {
    if (chance.below(5) > 0) values.set(field, value);
  };
  for (const field of TEXT_FIELDS) {
    const word = chance.of(WORDS);
    maybe(field, field === "proc.aname" ? chance.some(WORDS, 3) : word);
  }
  for (const field of NUMBER_FIELDS) maybe(field, Number(chance.of(NUMBERS)));
  for (const field of FLAG_FIELDS) maybe(field, chance.below(2) === 0);
  return values;
}
