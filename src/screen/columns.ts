// Texts as they stand in columns of a terminal: how wide they are, cut and broken to a width. Names
// are chosen by whoever makes a file or a process, so a text is made harmless first.
import { eastAsianWidth } from "get-east-asian-width";
import { visibleLine } from "../words/visible.ts";
import { fittingBy, wrapBy, type Wrapping } from "../words/wrap.ts";

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
  return columns < 1 ? "" : `${text.slice(0, fittingBy(columnsOf, text, columns - 1))}…`;
}

/** Cut or filled to exactly so many columns. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const shown = cut(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - columnsOf(shown)));
  return align === "left" ? shown + blanks : blanks + shown;
}

/** Lines of a text of at most so many columns, broken between words where that is possible. */
export function wrap(text: string, columns: number, wrapping: Wrapping = {}): string[] {
  return wrapBy(columnsOf, text, columns, wrapping);
}
