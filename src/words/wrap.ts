// A text in lines of at most so many columns, broken between words where that is possible. How
// wide a text is, whoever asks says: a table of wide characters takes its time to load.

/** Columns that a text takes. */
export type Measure = (text: string) => number;

export interface Wrapping {
  /** All lines but the first begin with it. */
  readonly indent?: string;
  /** Columns of the first line that are taken already. */
  readonly taken?: number;
}

export function wrapBy(
  measure: Measure,
  text: string,
  columns: number,
  { indent = "", taken = 0 }: Wrapping = {},
): string[] {
  const room = Math.max(2, columns - measure(indent));
  const lines: string[] = [];
  let line = "";
  let left = Math.max(0, columns - taken);
  let isFresh = true;
  const next = () => {
    lines.push(line);
    line = indent;
    left = room;
    isFresh = true;
  };
  const put = (piece: string) => {
    line += piece;
    left -= measure(piece);
    isFresh = false;
  };
  // Words with the blanks before them.
  for (const [, blanks, whole] of text.matchAll(/(\s*)(\S+)/g)) {
    const lead = isFresh ? "" : blanks!;
    if (measure(lead) + measure(whole!) <= left) {
      put(lead + whole);
      continue;
    }
    if (!isFresh || left < room) next();
    let word = whole!;
    while (measure(word) > left) {
      const length = fittingBy(measure, word, left);
      put(word.slice(0, length));
      word = word.slice(length);
      next();
    }
    put(word);
  }
  return isFresh ? lines : [...lines, line];
}

/** Code units of as many whole characters as fit. */
export function fittingBy(measure: Measure, text: string, columns: number): number {
  let length = 0;
  let left = columns;
  for (const char of text) {
    left -= measure(char);
    if (left < 0) break;
    length += char.length;
  }
  return length;
}
