// Where a spot of a condition stands in its file. A condition's text was folded by YAML, joined by
// appends and had lists put into it, so the word at the spot is looked for in the file.
import type { Place, Position } from "../diagnostic.ts";
import { Lines } from "./lines.ts";

export interface Spot extends Position {
  readonly file: string;
}

/** The spot in the file; undefined for places that are not in conditions. */
export function spotOf(place: Place, contents: ReadonlyMap<string, string>): Spot | undefined {
  const { text, textAt, pieces } = place;
  if (text === undefined || textAt === undefined || pieces === undefined) return undefined;
  const word = /^[^\s(),]+/.exec(text.slice(textAt, textAt + WORD_MAX))?.[0] ?? "";
  let skip = occurrences(text.slice(0, textAt), word);
  for (const { file, at, end } of pieces) {
    const source = contents.get(file);
    if (source === undefined) continue;
    if (word === "") return spot(file, source, at);
    const scalar = source.slice(at, end);
    for (let found = scalar.indexOf(word); found >= 0; found = scalar.indexOf(word, found + 1)) {
      if (skip-- === 0) return spot(file, source, at + found);
    }
  }
  const first = pieces[0];
  const source = first && contents.get(first.file);
  return first && source !== undefined ? spot(first.file, source, first.at) : undefined;
}

const WORD_MAX = 64;

function occurrences(text: string, word: string): number {
  if (word === "") return 0;
  let count = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) count++;
  return count;
}

function spot(file: string, source: string, offset: number): Spot {
  return { file, ...new Lines(source).inCharacters(offset) };
}
