// What the rules say of threads, operand by operand, kept for as long as it holds. A thread has a
// place in a table; there stands, for each operand, the class of its value or that it is unknown.
import type { Context } from "../../state/contract/context.ts";
import type { Thread } from "../../state/tables/thread.ts";
import type { OperandClasses } from "./operand_classes.ts";

const UNKNOWN = -1;
/** Places beyond twice the threads that there are: those of the dead are taken back then. */
const PLACES_SPARE = 1024;
const PLACES_AT_FIRST = 256;

interface Place {
  version: number;
  lineage: number;
  /** Where its classes begin. */
  readonly at: number;
}

export class ThreadClasses {
  readonly #operands: readonly OperandClasses[];
  /** Operands from here on depend on more than the thread alone. */
  readonly #lineageFrom: number;
  #places: Place[] = [];
  /** Classes of all places: an array for each would be memory of its own. */
  #classes: Int32Array = new Int32Array(0);

  /** `operands`: those that the thread alone decides stand before `lineageFrom`. */
  constructor(operands: readonly OperandClasses[], lineageFrom: number) {
    this.#operands = operands;
    this.#lineageFrom = lineageFrom;
  }

  /** The place of the context's thread, with only what still holds; undefined without one. */
  placeOf(context: Context): Place | undefined {
    const { thread, machine } = context;
    if (thread === undefined) return undefined;
    const place = this.#places[thread.rulePlace] ?? this.#newPlace(thread, context);
    if (place.version !== thread.version) {
      this.#forget(place.at, place.at + this.#operands.length);
      place.version = thread.version;
      place.lineage = machine.lineage;
    } else if (place.lineage !== machine.lineage) {
      this.#forget(place.at + this.#lineageFrom, place.at + this.#operands.length);
      place.lineage = machine.lineage;
    }
    return place;
  }

  /** The class of an operand's value. */
  classOf(operand: number, place: Place | undefined, context: Context): number {
    if (place === undefined) return this.#operands[operand]!.classOf(context);
    const at = place.at + operand;
    const known = this.#classes[at]!;
    if (known !== UNKNOWN) return known;
    return this.#classes[at] = this.#operands[operand]!.classOf(context);
  }

  /** Threads may have places of another table. */
  begin(threads: Iterable<Thread>): void {
    this.#places = [];
    for (const thread of threads) thread.rulePlace = UNKNOWN;
  }

  /** They are few: to call the array's own function takes longer. */
  #forget(from: number, to: number): void {
    const classes = this.#classes;
    for (let at = from; at < to; at++) classes[at] = UNKNOWN;
  }

  #grow(): void {
    const { length } = this.#operands;
    const larger = new Int32Array(Math.max(2 * this.#classes.length, PLACES_AT_FIRST * length));
    larger.set(this.#classes);
    this.#classes = larger;
  }

  #newPlace(thread: Thread, context: Context): Place {
    const { threads } = context.machine;
    if (this.#places.length > 2 * threads.size + PLACES_SPARE) this.begin(threads.values());
    const at = this.#places.length * this.#operands.length;
    const place: Place = { version: -1, lineage: 0, at };
    if (at + this.#operands.length > this.#classes.length) this.#grow();
    thread.rulePlace = this.#places.length;
    this.#places.push(place);
    return place;
  }
}

export type { Place };
