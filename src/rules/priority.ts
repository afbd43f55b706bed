// Priorities of rules, most severe first: the names in files and their numbers.

const NUMBERS: Readonly<Record<string, number>> = {
  emergency: 0,
  alert: 1,
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  informational: 6,
  info: 6,
  debug: 7,
};

/** As Falco writes them, by number. */
export const PRIORITY_NAMES: readonly string[] = [
  "Emergency",
  "Alert",
  "Critical",
  "Error",
  "Warning",
  "Notice",
  "Informational",
  "Debug",
];

/** The number of a priority's name, in any case; undefined for what is none. */
export function priorityOf(name: string): number | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
}

export const PRIORITY_WORDS: readonly string[] = Object.keys(NUMBERS);
