// `metrics.interval`: text such as `1h30m` comes in, milliseconds go out.

const UNITS = [
  ["y", 365.25 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

const SHAPE = new RegExp(
  `^${UNITS.map(([unit]) => `(?:(\\d+)${unit}${unit === "m" ? "(?!s)" : ""})?`).join("")}$`,
);

/** Falco refuses shorter intervals. */
export const INTERVAL_MIN_MS = 100;

/** Milliseconds of a duration; undefined where the text is none or too short. */
export function parseInterval(text: string): number | undefined {
  const parts = SHAPE.exec(text.replace(/\s+/g, ""));
  if (parts === null) return undefined;
  const sum = UNITS.reduce((total, [, ms], at) => total + Number(parts[at + 1] ?? 0) * ms, 0);
  return sum >= INTERVAL_MIN_MS ? sum : undefined;
}
