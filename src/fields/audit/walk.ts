// Ways through an audit event's JSON: from its root by keys, and through the arrays that stand in
// between. Entries of the tape come out; -1 is nothing.
import { type JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import { textOf } from "../../audit/decode/json_value.ts";
import type { Value } from "../row/field.ts";

/** What is at the end of the keys. */
export function at(tape: JsonTape, ...keys: readonly string[]): number {
  return follow(tape, keys);
}

export function follow(tape: JsonTape, keys: readonly string[]): number {
  let entry = tape.root;
  for (const key of keys) {
    entry = tape.get(entry, key);
    if (entry < 0) return -1;
  }
  return entry;
}

/** The elements of an array. */
export function elementsOf(tape: JsonTape, entry: number): number[] {
  const elements: number[] = [];
  if (entry < 0 || tape.kinds[entry] !== Kind.Array) return elements;
  const end = tape.nexts[entry]!;
  for (let element = entry + 1; element < end; element = tape.nexts[element]!) {
    elements.push(element);
  }
  return elements;
}

/**
 * What is at the end of the keys, through all elements of each array on the way, or through the
 * one that the index says. Elements without it are -1; undefined: there is nothing at all.
 */
export function all(
  tape: JsonTape,
  index: number | undefined,
  keys: readonly string[],
): number[] | undefined {
  return walk(tape, tape.root, index, keys, 0);
}

function walk(
  tape: JsonTape,
  from: number,
  index: number | undefined,
  keys: readonly string[],
  first: number,
): number[] | undefined {
  let entry = from;
  for (let place = first; place < keys.length; place++) {
    if (tape.kinds[entry] === Kind.Array) {
      if (index === undefined) {
        return elementsOf(tape, entry)
          .flatMap((element) => walk(tape, element, index, keys, place) ?? [-1]);
      }
      entry = tape.element(entry, index);
      if (entry < 0) return undefined;
    }
    entry = tape.get(entry, keys[place]!);
    if (entry < 0) return undefined;
  }
  return [entry];
}

/** Texts of the entries that are there; a list without any is no value. */
export function textsOf(tape: JsonTape, entries: readonly number[] | undefined): Value {
  return listOf((entries ?? []).filter((entry) => entry >= 0).map((entry) => textOf(tape, entry)));
}

/** Texts of entries all of which must be there. */
export function textsOfAll(
  tape: JsonTape,
  entries: readonly number[] | undefined,
): string[] | undefined {
  if (entries === undefined || entries.includes(-1)) return undefined;
  return entries.map((entry) => textOf(tape, entry));
}

export function listOf(texts: readonly string[] | undefined): Value {
  return texts === undefined || texts.length === 0 ? undefined : texts;
}
