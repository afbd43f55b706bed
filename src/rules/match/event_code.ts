// What an event's code says of an event: its name, but for the codes that many events share, and
// the fields that it decides, such as parameters that such events do not have.
import { EVENTS } from "../../events/table.ts";
import { ASYNC_EVENT, GENERIC_E, GENERIC_X, isSyscall } from "../../fields/text/event_names.ts";
import { UNDECIDED, type Value } from "../../fields/row/field.ts";
import type { Known } from "./simplify.ts";

/** The atoms that are known of every event of a code for its name and direction. */
export function knownOfCode(code: number): Known {
  const named = code !== GENERIC_E && code !== GENERIC_X && code !== ASYNC_EVENT;
  const name = EVENTS[code]!.name;
  const values = new Map<string, Value>([
    ["evt.dir", code % 2 === 0 ? ">" : "<"],
    ...named
      ? [["evt.type", name], ["syscall.type", isSyscall(code) ? name : undefined]] as const
      : [],
  ]);
  return (atom) => {
    if (atom.right !== undefined || atom.left.bound === undefined) return undefined;
    const field = atom.left.text;
    return values.has(field) ? atom.test(values.get(field), undefined) : undefined;
  };
}

/** The atoms that every event of a code decides, also those of fields that follow from the code. */
export function decidedByCode(code: number): Known {
  const byName = knownOfCode(code);
  return (atom) => {
    const known = byName(atom);
    const ofCode = atom.left.bound?.ofCode;
    if (known !== undefined || atom.right !== undefined || ofCode === undefined) return known;
    const value = ofCode(code);
    return value === UNDECIDED ? undefined : atom.test(value, undefined);
  };
}
