// What the rules say of threads, operand by operand, kept for as long as it holds. A thread has a
// place in a table; there stands, for each operand, the class of its value or that it is unknown.
import type { Context } from "../../state/contract/context.ts";
import type { Thread } from "../../state/tables/thread.ts";
import type { OperandClasses } from "./operand_classes.ts";

const UNKNOWN = -1;
/** Places beyond twice the threads that there are: those of the dead are taken back then. */
const PLACES_SPARE = 1024;

interface Place {
  version: number;
  lineage: number;
  readonly classes: Int32Array;
}

export class ThreadClasses {
  readonly #operands: readonly OperandClasses[];
  /** Operands from here on depend on more than the thread alone. */
  readonly #lineageFrom: number;
  #places: Place[] = [];

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
      place.classes.fill(UNKNOWN);
      place.version = thread.version;
      place.lineage = machine.lineage;
    } else if (place.lineage !== machine.lineage) {
      place.classes.fill(UNKNOWN, this.#lineageFrom);
      place.lineage = machine.lineage;
    }
    return place;
  }

  /** The class of an operand's value. */
  classOf(operand: number, place: Place | undefined, context: Context): number {
    if (place === undefined) return this.#operands[operand]!.classOf(context);
    const known = place.classes[operand]!;
    if (known !== UNKNOWN) return known;
    return place.classes[operand] = this.#operands[operand]!.classOf(context);
  }

  /** Threads may have places of another table. */
  begin(threads: Iterable<Thread>): void {
    this.#places = [];
    for (const thread of threads) thread.rulePlace = UNKNOWN;
  }

  #newPlace(thread: Thread, context: Context): Place {
    const { threads } = context.machine;
    if (this.#places.length > 2 * threads.size + PLACES_SPARE) this.begin(threads.values());
    const place: Place = {
      version: -1,
      lineage: 0,
      classes: new Int32Array(this.#operands.length),
    };
    thread.rulePlace = this.#places.length;
    this.#places.push(place);
    return place;
  }
}

export type { Place };
