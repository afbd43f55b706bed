// "did you mean": the known name that a mistyped one is nearest to.

/** The nearest of `names` within a third of the length in edits; undefined where none is near. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const edits = editDistance(wanted, name, bestEdits);
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions and exchanges between two words; `limit` or more where it is as far. */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let previous = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const exchange = one[row - 1] === other[column - 1] ? 0 : 1;
      current.push(Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + exchange,
      ));
    }
    previous = current;
  }
  return previous[other.length]!;
}
