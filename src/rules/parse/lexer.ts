// The tokens of conditions: words, patterns at a place, blanks, operators and quoted strings, taken
// one by one from a text.
import { decodeLossless } from "../../words/raw_text.ts";

/** Leaves the recursion of the parser; never leaves it. */
export class Refusal extends Error {}

const BLANK = /[ \t\b\r\n]+/y;

export class Lexer {
  readonly text: string;
  at = 0;
  /** The last token, for messages. */
  last = "";

  constructor(text: string) {
    this.text = text;
  }

  /** A string in quotes, unescaped. */
  quoted(): boolean {
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") return false;
    // It ends at the first such quote behind anything but a backslash, be that one escaped or not.
    let end = this.at + 1;
    for (;;) {
      end = this.text.indexOf(quote, end);
      if (end < 0) return false;
      if (this.text[end - 1] !== "\\") break;
      end++;
    }
    const text = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    this.last = unescape(text, quote);
    return true;
  }

  /** One of the operators; those that end in a blank need one after them. */
  operator(operators: readonly string[]): boolean {
    for (const operator of operators) {
      if (!operator.endsWith(" ")) {
        if (this.word(operator)) return true;
        continue;
      }
      const at = this.at;
      const last = this.last;
      if (this.word(operator.slice(0, -1))) {
        if (this.blank()) return true;
        this.at = at;
        this.last = last;
      }
    }
    return false;
  }

  /** Exactly this word, whatever comes after it. */
  word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    this.last = word;
    return true;
  }

  /** What the sticky pattern fits. */
  match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return false;
    this.at += found[0].length;
    this.last = found[0];
    return true;
  }

  /** Blanks; the only token that is not `last`. */
  blank(): boolean {
    if (!looksAt(BLANK, this.text, this.at)) return false;
    this.at = BLANK.lastIndex;
    return true;
  }
}

/** Whether the pattern, a sticky one, fits at the place. */
export function looksAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "/": "/",
  "\\": "\\",
  // Kept for old rules: a backslash before a blank is a backslash, and the blank goes.
  " ": "\\",
};

function unescape(text: string, quote: string): string {
  if (!text.includes("\\")) return text;
  let bytes = false;
  const result = text.replace(/\\(x[0-9a-fA-F]{0,2}|[^])/g, (_, code: string) => {
    if (code[0] === "x") {
      if (code.length < 3) throw new Refusal("invalid hex char escape sequence: " + code.slice(1));
      const byte = parseInt(code.slice(1), 16);
      if (byte >= 0x80) bytes = true;
      return byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte);
    }
    if (code === quote) return code;
    const known = ESCAPES[code];
    if (known !== undefined) return known;
    if (code === '"') throw new Refusal("invalid \\\" escape in '-quoted string");
    if (code === "'") throw new Refusal("invalid \\' escape in \"-quoted string");
    throw new Refusal(`unsupported string escape sequence: \\${code}`);
  });
  return bytes ? decodeLossless(result) : result;
}
