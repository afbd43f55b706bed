// All checks of one field against constants, answered together: a value in, the checks that hold
// out. Equality, prefixes, suffixes, parts and path prefixes are looked up, so that ten thousand
// rules about `proc.name` cost one look; the rest is tested one by one.
import type { Value } from "../../fields/row/field.ts";
import { familyOf, type Operator } from "../../fields/compare/operators.ts";
import { foldAscii } from "../../fields/compare/operators_text.ts";
import { isOfCharacters } from "../../words/raw_text.ts";
import type { Atom } from "../check/condition.ts";
import { PathIndex } from "./path_index.ts";
import { PrefixIndex } from "./prefix_index.ts";
import { SearchIndex } from "./search_index.ts";

type Members = Map<Value, number[]>;

export class OperandIndex {
  readonly #equal: Members = new Map();
  readonly #prefixes = new PrefixIndex("prefixes");
  readonly #suffixes = new PrefixIndex("suffixes");
  readonly #parts = new SearchIndex();
  readonly #partsFolded = new SearchIndex();
  readonly #paths = new PathIndex();
  readonly #others: readonly Atom[];
  readonly #anyOf: boolean;

  /** `atoms` have the same left operand and constants on the right. */
  constructor(atoms: readonly Atom[]) {
    this.#anyOf = atoms[0]?.left.subject.anyOf ?? false;
    this.#others = atoms.filter((atom) => !this.#add(atom));
  }

  /** Ids of the atoms that hold for a value, rising. */
  holding(value: Value): number[] {
    if (value === undefined) return [];
    const found = new Set<number>();
    if (this.#anyOf) { for (const element of value as Value[]) this.#look(element, found); }
    else this.#look(value, found);
    for (const atom of this.#others) if (atom.test(value, undefined)) found.add(atom.id);
    return [...found].sort((one, other) => one - other);
  }

  /** Whether the atom can be looked up. */
  #add({ id, comparator, left, literals }: Atom): boolean {
    const { operator, modifier } = comparator;
    const { type, isList, bothEnds, anyOf, field } = left.subject;
    // Lists and ends are judged as a whole; some of Falco's deviations are in their tests.
    if (modifier !== undefined || isList || bothEnds || field.startsWith("evt.rawarg")) {
      return false;
    }
    const family = familyOf(type);
    if (operator === "=" || operator === "in" || operator === "intersects") {
      if (family !== "string" && family !== "number" && family !== "boolean") return false;
      if (anyOf && family === "number") return false;
      for (const literal of new Set(literals)) put(this.#equal, literal as Value, id);
      return true;
    }
    if (family !== "string") return false;
    const text = literals[0] as string;
    // Bytes of parts of characters are found by the test alone.
    if (PARTS.has(operator) && !isOfCharacters(text)) return false;
    if (operator === "startswith") this.#prefixes.add(text, id);
    else if (operator === "endswith") this.#suffixes.add(text, id);
    else if (operator === "contains") this.#parts.add(text, id);
    else if (operator === "icontains") this.#partsFolded.add(foldAscii(text), id);
    else if (operator === "pmatch") return this.#paths.add(literals as string[], id);
    else return false;
    return true;
  }

  #look(value: Value, found: Set<number>): void {
    const key = typeof value === "bigint" && BigInt(Number(value)) === value &&
        Number.isSafeInteger(Number(value))
      ? Number(value)
      : value;
    for (const id of this.#equal.get(key) ?? NONE) found.add(id);
    if (typeof value !== "string") return;
    this.#prefixes.find(value, found);
    this.#suffixes.find(value, found);
    this.#parts.find(value, found);
    if (!this.#partsFolded.isEmpty) this.#partsFolded.find(foldAscii(value), found);
    this.#paths.find(value, found);
  }
}

const PARTS: ReadonlySet<Operator> = new Set([
  "startswith",
  "endswith",
  "contains",
  "icontains",
]);
const NONE: readonly number[] = [];

function put<Key>(map: Map<Key, number[]>, key: Key, id: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [id]);
  else known.push(id);
}
