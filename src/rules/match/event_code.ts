// What an event's code says of an event: its name, but for the codes that many events share.
import { EVENTS } from "../../events/table.ts";
import { ASYNC_EVENT, GENERIC_E, GENERIC_X, isSyscall } from "../../fields/text/event_names.ts";
import type { Value } from "../../fields/row/field.ts";
import type { Known } from "./simplify.ts";

/** The atoms that are known of every event of a code. */
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
