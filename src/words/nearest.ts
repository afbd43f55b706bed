// "Did you mean": the known name that a mistyped one is nearest to.
import { distance } from "fastest-levenshtein";

/** Longer words are not compared: no name is so long, and the cost grows with the square. */
const LENGTH_MAX = 64;

/**
 * The nearest of `known` within a third of the word's length in insertions, deletions and
 * exchanges of letters; undefined where none is. Of equally near names the first.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LENGTH_MAX) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3) + 1);
  for (const name of known) {
    if (name === word || Math.abs(name.length - word.length) >= least) continue;
    const edits = distance(word, name);
    if (edits < least) [best, least] = [name, edits];
  }
  return best;
}
