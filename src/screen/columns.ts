// Texts as they stand in columns of a terminal: how wide they are, cut and broken to a width. Names
// are chosen by whoever makes a file or a process, so a text is made harmless first.
import { eastAsianWidth } from "get-east-asian-width";
import { visibleLine } from "../words/visible.ts";

const ASCII = /^[ -~]*$/;
/** What takes no column of its own: marks on another character, joiners, choices of its form. */
const NARROW = /[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
/** A stack of marks on one character would be drawn over the lines above and below. */
const MARKS = /(\p{M}{2})\p{M}+/gu;

/** One line in which nothing acts. */
export function harmless(text: string): string {
  return ASCII.test(text) ? text : visibleLine(text).replace(MARKS, "$1");
}

/** Columns that a harmless text takes. */
export function columnsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let columns = 0;
  for (const char of text) columns += columnsOfChar(char);
  return columns;
}

function columnsOfChar(char: string): number {
  return NARROW.test(char) ? 0 : eastAsianWidth(char.codePointAt(0)!);
}

/** As much of a text as fits, with an ellipsis where it is not all. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return columns < 1 ? "" : `${text.slice(0, fitting(text, columns - 1))}…`;
}

/** Cut or filled to exactly so many columns. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const shown = cut(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - columnsOf(shown)));
  return align === "left" ? shown + blanks : blanks + shown;
}

export interface Wrapping {
  /** All lines but the first begin with it. */
  readonly indent?: string;
  /** Columns of the first line that are taken already. */
  readonly taken?: number;
}

/** Lines of a text of at most so many columns, broken between words where that is possible. */
export function wrap(text: string, columns: number, wrapping: Wrapping = {}): string[] {
  const { indent = "", taken = 0 } = wrapping;
  const room = Math.max(2, columns - columnsOf(indent));
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
    left -= columnsOf(piece);
    isFresh = false;
  };
  for (const [, blanks, whole] of text.matchAll(/(\s*)(\S+)/g)) {
    const lead = isFresh ? "" : blanks!;
    if (columnsOf(lead) + columnsOf(whole!) <= left) {
      put(lead + whole);
      continue;
    }
    if (!isFresh || left < room) next();
    let word = whole!;
    while (columnsOf(word) > left) {
      const length = fitting(word, left);
      put(word.slice(0, length));
      word = word.slice(length);
      next();
    }
    put(word);
  }
  return isFresh ? lines : [...lines, line];
}

/** Code units of as many whole characters as fit. */
function fitting(text: string, columns: number): number {
  let length = 0;
  let left = columns;
  for (const char of text) {
    left -= columnsOfChar(char);
    if (left < 0) break;
    length += char.length;
  }
  return length;
}
