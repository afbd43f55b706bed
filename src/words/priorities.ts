// The words for priorities, most severe first, with their numbers: for rules, for the
// configuration, and for the schemas of both.

const NUMBERS = {
  emergency: 0,
  alert: 1,
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  informational: 6,
  debug: 7,
} as const;

export type PriorityWord = keyof typeof NUMBERS;

export const PRIORITY_WORDS = Object.keys(NUMBERS) as readonly PriorityWord[];

/** The number of a priority's word, in any case; undefined for what is none. */
export function priorityOf(word: string): number | undefined {
  const key = word.toLowerCase();
  return Object.hasOwn(NUMBERS, key) ? NUMBERS[key as PriorityWord] : undefined;
}
