// Atoms as functions of an event's context. What is known of a string's id is looked up.
import type { Value } from "../fields/field.ts";
import type { Context } from "../state/context.ts";
import type { Atom, Operand } from "./condition.ts";

export type AtomFunction = (context: Context) => boolean;

/** Ids above this are tested each time: a table of answers has a byte for each id. */
export const ANSWERS_MAX = 1 << 22;

const UNKNOWN = 0;
const YES = 2;

/** The function of an atom. */
export function atomFunction(atom: Atom): AtomFunction {
  const { left, right, test } = atom;
  if (right !== undefined) {
    const readLeft = operandReader(left);
    const readRight = operandReader(right);
    return (context) => test(readLeft(context), readRight(context));
  }
  const extractId = left.bound?.extractId;
  if (extractId !== undefined && !left.subject.anyOf && !left.subject.isList) {
    return memoised(extractId, test);
  }
  const read = operandReader(left);
  return (context) => test(read(context), undefined);
}

/** Reads an operand of the context's event. */
export function operandReader(operand: Operand): (context: Context) => Value {
  const { bound } = operand;
  if (bound !== undefined) return (context) => bound.extract(context);
  return (context) => operand.read((inner) => inner.extract(context));
}

function memoised(
  extractId: (context: Context) => number,
  test: (left: Value, right: Value) => boolean,
): AtomFunction {
  let answers = new Uint8Array(1 << 10);
  return (context) => {
    const id = extractId(context);
    if (id < 0) return test(undefined, undefined);
    const known = answers[id];
    if (known !== undefined && known !== UNKNOWN) return known === YES;
    const answer = test(context.machine.strings.text(id), undefined);
    if (id >= answers.length && id < ANSWERS_MAX) {
      const larger = new Uint8Array(Math.max(answers.length * 2, id + 1));
      larger.set(answers);
      answers = larger;
    }
    if (id < answers.length) answers[id] = answer ? YES : 1;
    return answer;
  };
}
