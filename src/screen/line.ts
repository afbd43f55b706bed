// What a line on a terminal is made of: pieces of text, each with a tone. Whether tones are colours
// is decided where it is written; texts are made harmless here, so that only tones act.
import { columnsOf, cut, harmless } from "./columns.ts";

export type Tone = "plain" | "strong" | "faint" | "good" | "note" | "odd" | "bad" | "title";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

const CODES: Readonly<Record<Tone, string>> = {
  plain: "",
  strong: "\x1b[1m",
  faint: "\x1b[2m",
  good: "\x1b[32m",
  note: "\x1b[36m",
  odd: "\x1b[33m",
  bad: "\x1b[1;31m",
  title: "\x1b[7m",
};
const RESET = "\x1b[0m";

export function span(text: string, tone: Tone = "plain"): Span {
  return { text: harmless(text), tone };
}

/** As written: cut at so many columns, with colours where they are wanted. */
export function lineText(line: Line, columns: number, colour: boolean): string {
  let left = columns;
  let text = "";
  for (const { text: whole, tone } of line) {
    if (left <= 0) break;
    const shown = cut(whole, left);
    left -= columnsOf(shown);
    text += colour && CODES[tone] !== "" ? `${CODES[tone]}${shown}${RESET}` : shown;
  }
  return text;
}

export function columnsOfLine(line: Line): number {
  return line.reduce((sum, { text }) => sum + columnsOf(text), 0);
}

/** Puts items one behind the other into as many lines as it takes. */
export function flow(items: readonly Line[], columns: number, gap = "  "): Line[] {
  const lines: Line[] = [];
  let line: Line = [];
  for (const item of items) {
    const joined: Line = line.length === 0 ? item : [...line, span(gap), ...item];
    if (line.length > 0 && columnsOfLine(joined) > columns) {
      lines.push(line);
      line = item;
    } else line = joined;
  }
  return line.length === 0 ? lines : [...lines, line];
}
