// Whether a row of measurements has stopped to grow. In: one value a minute. Out: what its last
// half did.

export interface Flatness {
  /** The first value of the last half, and its greatest. */
  readonly first: number;
  readonly greatest: number;
  /** The straight line through the last half: its rise in an hour. */
  readonly risePerHour: number;
}

export function flatness(byMinute: readonly number[]): Flatness {
  const half = byMinute.slice(byMinute.length >> 1);
  const middle = (half.length - 1) / 2;
  const mean = half.reduce((sum, value) => sum + value, 0) / half.length;
  let along = 0;
  let across = 0;
  for (const [minute, value] of half.entries()) {
    along += (minute - middle) * (value - mean);
    across += (minute - middle) ** 2;
  }
  return {
    first: half[0]!,
    greatest: Math.max(...half),
    risePerHour: across === 0 ? 0 : along / across * 60,
  };
}
