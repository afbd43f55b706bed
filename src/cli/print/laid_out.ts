// Lines of any length, laid out for who reads them: on a terminal broken between words, what goes
// on standing below what began, with marks in their colours; elsewhere each line stays one line.
import { harmless, wrap } from "../../screen/columns.ts";
import { type Line, lineText, span, type Tone } from "../../screen/line.ts";
import type { Terminal } from "../terminal.ts";

export interface Layout {
  /** What a line begins with before its text: what goes on stands below that text. */
  readonly hang?: RegExp;
  /** Tones of marks at the beginning of a line. */
  readonly tones?: Readonly<Record<string, Tone>>;
}

/** Blanks, and the mark of an item. */
const HANG = /^\s*(?:[-✓✗?•]\s+)?/;

/** Of what goes on behind a line without a lead. */
const INDENT = 2;

/** A line in as many as a terminal has for it at this moment. */
export function fitLine(line: string, terminal: Terminal): string {
  const columns = terminal.columns() ?? 80;
  return wrap(line, columns, { indent: " ".repeat(INDENT) }).join("\n");
}

/** Takes whole lines of text. */
export function laidOut(terminal: Terminal, layout: Layout = {}): (text: string) => void {
  if (!terminal.outIsTerminal) return terminal.out;
  const { hang = HANG, tones = {} } = layout;
  return (text) => {
    const columns = terminal.columns() ?? 80;
    for (const line of text.replace(/\n$/, "").split("\n")) {
      for (const shown of brokenAt(line, columns, hang, tones)) {
        terminal.paint(`${lineText(shown, columns, terminal.colour)}\n`);
      }
    }
  };
}

/** A name with what there is to say of it below, for terminals that have no room beside it. */
export function below(name: string, text: string, columns: number): string {
  const lines = wrap(text.replaceAll(/\s+/g, " "), columns - BELOW.length);
  const names = wrap(name, columns, { indent: "  " });
  return `${[...names, ...lines.map((line) => BELOW + line)].join("\n")}\n`;
}

const BELOW = "    ";

function brokenAt(
  line: string,
  columns: number,
  hang: RegExp,
  tones: Readonly<Record<string, Tone>>,
): Line[] {
  const whole = harmless(line).trimEnd();
  const lead = hang.exec(whole)?.[0] ?? "";
  // On a narrow terminal a deep indent would leave no room.
  const indent = " ".repeat(Math.min(lead.length || INDENT, Math.floor(columns / 3)));
  const [first = "", ...others] = wrap(whole.slice(lead.length), columns, {
    indent,
    taken: lead.length,
  });
  const mark = lead.trim();
  const at = lead.indexOf(mark);
  const head = mark === ""
    ? [span(lead)]
    : [span(lead.slice(0, at)), span(mark, tones[mark]), span(lead.slice(at + mark.length))];
  return [[...head, span(first)], ...others.map((text): Line => [span(text)])];
}
