// How rows of audit events are made: each reads the tape of the event at hand, and has no value
// where there is no audit event.
import type { JsonTape } from "../../audit/decode/json_tape.ts";
import type { Field, Value } from "../row/field.ts";
import { field, withArgument } from "../row/row.ts";
import type { AuditAtHand, ReadTape } from "./at_hand.ts";

/** Which container, rule or volume; undefined: all. */
export type Index = number | undefined;

export function single(
  hand: AuditAtHand,
  name: string,
  description: string,
  read: ReadTape,
): Field {
  return row(hand, name, description, false, read);
}

export function list(
  hand: AuditAtHand,
  name: string,
  description: string,
  read: ReadTape,
): Field {
  return row(hand, name, description, true, read);
}

function row(
  hand: AuditAtHand,
  name: string,
  description: string,
  isList: boolean,
  read: ReadTape,
): Field {
  return field("ka", {
    name,
    type: "CHARBUF",
    isList,
    description,
    extract: hand.ofAudit(read),
  });
}

/** A list that may be asked for one element. */
export function indexed(
  hand: AuditAtHand,
  name: string,
  description: string,
  read: (tape: JsonTape, index: Index) => Value,
): Field {
  const info = { name, type: "CHARBUF" as const, isList: true, description };
  return withArgument("ka", info, { required: false, kinds: ["INDEX"] }, (argument) => {
    const index = indexOf(argument);
    if (index === "bad") {
      return { error: `${name} has an invalid index argument not composed only by digits` };
    }
    return { extract: hand.ofAudit((tape) => read(tape, index)) };
  });
}

/** The greatest number that Falco can hand on is how it says that there is no index. */
const NO_INDEX = 2n ** 64n - 1n;

function indexOf(argument: string | undefined): Index | "bad" {
  if (argument === undefined) return undefined;
  if (!/^\d+$/.test(argument)) return "bad";
  const index = BigInt(argument);
  return index >= NO_INDEX ? undefined : Number(index);
}

/** A field with a key. */
export function keyed(
  hand: AuditAtHand,
  name: string,
  description: string,
  read: (tape: JsonTape, key: string) => Value,
): Field {
  const info = { name, type: "CHARBUF" as const, description };
  return withArgument("ka", info, { required: true, kinds: ["KEY"] }, (argument) => ({
    extract: hand.ofAudit((tape) => read(tape, argument!)),
  }));
}
