// The values of one operand by what the rules say of them: values for which the same checks hold
// are of one class, a small integer. Classes of values are kept.
import type { Elements, Origin, Value } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import { EMPTY } from "../../state/tables/strings.ts";
import { ANSWERS_MAX, operandReader } from "./atom_functions.ts";
import type { Atom } from "../check/condition.ts";
import { OperandIndex } from "./operand_index.ts";
import { OriginClasses, UNKNOWN } from "./origin_classes.ts";
import { PairTable } from "./pair_table.ts";

/** Values without an id whose classes are kept, and how long their texts may be. */
const VALUES_MAX = 16_384;
const TEXT_MAX = 256;
/** Pairs of classes of which is kept what they make together; beyond, all begin anew. */
const PAIRS_MAX = 1 << 16;

export class OperandClasses {
  /** Ids of the atoms that hold for each class, rising. Class 0: none. */
  readonly #holding: (readonly number[])[] = [[]];
  readonly #classes = new Map<string, number>([["", 0]]);
  readonly #index: OperandIndex;
  readonly #read: (context: Context) => Value;
  readonly #extractId: ((context: Context) => number) | undefined;
  readonly #byValue = new Map<Value, number>();
  /** Of a field whose values take long to make: by what they are made of. */
  readonly #origin: Origin | undefined;
  readonly #byOrigin: OriginClasses | undefined;
  /** Of lists of which one element is enough. */
  readonly #elements: Elements | undefined;
  #pairs: PairTable | undefined;
  /** By number of a pair: what two classes make together. */
  #together: number[] = [];
  /** By string id: class and 1; 0 is unknown. */
  #byId: Int32Array = new Int32Array(1 << 10);
  /** The class of a list without elements. */
  #ofNoElement: number | undefined;
  /** An atom that compares two fields: a value of its own. */
  readonly #pair: Atom | undefined;

  /** `atoms` have the same left operand and constants on the right, or are one with a field. */
  constructor(atoms: readonly Atom[]) {
    const { left, right } = atoms[0]!;
    this.#pair = right === undefined ? undefined : atoms[0]!;
    this.#index = new OperandIndex(right === undefined ? atoms : []);
    this.#read = operandReader(left);
    const plain = right === undefined && !left.subject.anyOf && !left.subject.isList;
    this.#extractId = plain ? left.bound?.extractId : undefined;
    this.#origin = right === undefined ? left.bound?.origin : undefined;
    const isAny = right === undefined && left.subject.anyOf;
    this.#elements = isAny ? left.bound?.elements : undefined;
    const isMade = this.#origin !== undefined || this.#elements !== undefined;
    this.#byOrigin = isMade ? new OriginClasses() : undefined;
  }

  /** Classes seen so far. */
  get size(): number {
    return this.#holding.length;
  }

  classOf(context: Context): number {
    const extractId = this.#extractId;
    if (extractId !== undefined) {
      const id = extractId(context);
      if (id < 0) return 0;
      const known = this.#byId[id];
      if (known !== undefined && known !== 0) return known - 1;
      return this.#ofId(id, context);
    }
    if (this.#elements !== undefined) return this.#ofElements(this.#elements, context);
    if (this.#pair !== undefined) return this.#ofPair(this.#pair, context);
    const bytes = this.#origin?.bytes(context);
    return bytes === undefined ? this.#ofValue(context) : this.#ofOrigin(bytes, context);
  }

  /** What holds for a list holds for one of its elements, or for every list. */
  #ofElements(elements: Elements, context: Context): number {
    if (!elements.begin(context)) return 0;
    let all = this.#ofNoElement ??= this.#compute([]);
    while (elements.next()) {
      const one = this.#ofElement(elements);
      if (one !== all) all = this.#unionOf(all, one);
    }
    return all;
  }

  #ofElement(elements: Elements): number {
    const bytes = elements.bytes();
    // One without the string has the empty text.
    const id = Math.max(EMPTY, elements.id());
    if (bytes !== undefined) {
      const known = this.#byOrigin!.get(bytes, id);
      if (known !== UNKNOWN) return known;
      const found = this.#compute([elements.value()]);
      this.#byOrigin!.set(bytes, id, found);
      return found;
    }
    const known = this.#byId[id];
    if (known !== undefined && known !== 0) return known - 1;
    return this.#keepId(id, this.#compute([elements.value()]));
  }

  /** The class for which the atoms of both hold. */
  #unionOf(one: number, other: number): number {
    if (this.#pairs === undefined || this.#pairs.size > PAIRS_MAX) {
      this.#pairs = new PairTable();
      this.#together = [];
    }
    const pair = this.#pairs.of(one, other);
    const known = this.#together[pair];
    if (known !== undefined) return known;
    const ids = new Set([...this.holding(one), ...this.holding(other)]);
    return this.#together[pair] = this.#classOfAtoms([...ids].sort((a, b) => a - b));
  }

  #ofOrigin(bytes: Uint8Array, context: Context): number {
    const id = this.#origin!.id(context);
    const known = this.#byOrigin!.get(bytes, id);
    if (known !== UNKNOWN) return known;
    const operandClass = this.#ofValue(context);
    this.#byOrigin!.set(bytes, id, operandClass);
    return operandClass;
  }

  #ofValue(context: Context): number {
    const value = this.#read(context);
    if (value === undefined) return 0;
    const key = keyOf(value);
    if (key === undefined) return this.#compute(value);
    let known = this.#byValue.get(key);
    if (known === undefined) {
      if (this.#byValue.size >= VALUES_MAX) this.#byValue.clear();
      known = this.#compute(value);
      this.#byValue.set(key, known);
    }
    return known;
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    this.#byId.fill(0);
    this.#byOrigin?.forget();
  }

  holding(operandClass: number): readonly number[] {
    return this.#holding[operandClass]!;
  }

  #ofId(id: number, context: Context): number {
    return this.#keepId(id, this.#compute(context.machine.strings.text(id)));
  }

  #keepId(id: number, found: number): number {
    if (id >= this.#byId.length && id < ANSWERS_MAX) {
      const larger = new Int32Array(Math.max(this.#byId.length * 2, id + 1));
      larger.set(this.#byId);
      this.#byId = larger;
    }
    if (id < this.#byId.length) this.#byId[id] = found + 1;
    return found;
  }

  #ofPair(atom: Atom, context: Context): number {
    const right = atom.right!;
    const holds = atom.test(this.#read(context), operandReader(right)(context));
    return holds ? this.#classOfAtoms([atom.id]) : 0;
  }

  #compute(value: Value): number {
    return this.#classOfAtoms(this.#index.holding(value));
  }

  #classOfAtoms(holding: readonly number[]): number {
    const key = holding.join(",");
    let known = this.#classes.get(key);
    if (known === undefined) {
      known = this.#holding.length;
      this.#holding.push(holding);
      this.#classes.set(key, known);
    }
    return known;
  }
}

/** What a value is kept under; undefined for what is not kept. */
function keyOf(value: Value): Value {
  if (typeof value === "string") return value.length <= TEXT_MAX ? value : undefined;
  if (!Array.isArray(value)) return value instanceof Uint8Array ? undefined : value;
  const key = value.join("\0");
  // Lists of numbers and of texts never meet in one operand.
  return key.length <= TEXT_MAX ? `[${key}` : undefined;
}
