// Atoms as functions of an event's context. What is known of a string's id is looked up, not
// computed again.
import type { Value } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import type { Atom, Operand } from "../check/condition.ts";

export type AtomFunction = (context: Context) => boolean;

/** Ids above this are tested each time: a table of answers has a byte for each id. */
export const ANSWERS_MAX = 1 << 22;
/** Bytes of all tables of answers together; beyond them, strings are tested each time. */
export const ANSWER_BYTES_MAX = 64 << 20;

/** A table has room for so many at first. */
const ANSWERS_MIN = 1 << 10;
const NO_ANSWERS = new Uint8Array(0);

const NO = 1;
const YES = 2;

/** What a test said of strings, by their id; 0 where it was not asked. */
interface Answers {
  bytes: Uint8Array;
}

/** A value of the present event. */
interface Cell {
  event: number;
  value: Value;
}

export class AtomFunctions {
  readonly #functions: (AtomFunction | undefined)[] = [];
  readonly #answers: Answers[] = [];
  readonly #answerBytesMax: number;
  #answerBytes = 0;
  /** Answers that were not kept, since the tables together are as large as they may be. */
  answersRefused = 0;
  /** By text: operands that several atoms ask for are read once for an event. */
  readonly #readers = new Map<string, (context: Context) => Value>();
  /** Number of the event that cells are kept for. */
  #event = 0;

  constructor(answerBytesMax: number = ANSWER_BYTES_MAX) {
    this.#answerBytesMax = answerBytesMax;
  }

  /** Bytes of all tables of answers. */
  get answerBytes(): number {
    return this.#answerBytes;
  }

  /** Another event: its values are read anew. */
  begin(): void {
    this.#event++;
  }

  of(atom: Atom): AtomFunction {
    return this.#functions[atom.id] ??= this.#make(atom);
  }

  /** Ids may stand for other strings from now on. */
  forgetIds(): void {
    for (const answers of this.#answers) answers.bytes.fill(0);
  }

  #make({ left, right, test }: Atom): AtomFunction {
    const read = this.#readerOf(left);
    if (right !== undefined) {
      const readRight = this.#readerOf(right);
      return (context) => test(read(context), readRight(context));
    }
    const extractId = left.bound?.extractId;
    if (extractId === undefined || left.subject.anyOf || left.subject.isList) {
      return (context) => test(read(context), undefined);
    }
    const answers: Answers = { bytes: NO_ANSWERS };
    this.#answers.push(answers);
    return (context) => {
      const id = extractId(context);
      if (id < 0) return false;
      const known = answers.bytes[id];
      if (known !== undefined && known !== 0) return known === YES;
      return this.#learn(answers, id, test(context.machine.strings.text(id), undefined));
    };
  }

  #learn(answers: Answers, id: number, answer: boolean): boolean {
    const held = answers.bytes.length;
    if (id >= held) {
      const wanted = Math.max(held * 2, id + 1, ANSWERS_MIN);
      if (id >= ANSWERS_MAX || this.#answerBytes + wanted - held > this.#answerBytesMax) {
        this.answersRefused++;
        return answer;
      }
      const larger = new Uint8Array(wanted);
      larger.set(answers.bytes);
      answers.bytes = larger;
      this.#answerBytes += wanted - held;
    }
    answers.bytes[id] = answer ? YES : NO;
    return answer;
  }

  #readerOf(operand: Operand): (context: Context) => Value {
    let reader = this.#readers.get(operand.text);
    if (reader === undefined) {
      const cell: Cell = { event: -1, value: undefined };
      const read = operandReader(operand);
      reader = (context) => {
        if (cell.event !== this.#event) {
          cell.value = read(context);
          cell.event = this.#event;
        }
        return cell.value;
      };
      this.#readers.set(operand.text, reader);
    }
    return reader;
  }
}

/** Reads an operand of the context's event. */
export function operandReader(operand: Operand): (context: Context) => Value {
  const { bound } = operand;
  if (bound !== undefined) return (context) => bound.extract(context);
  return (context) => operand.read((inner) => inner.extract(context));
}
