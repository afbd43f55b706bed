// Falco's `regex`: RE2 in POSIX syntax, the whole text must match. RE2JS reads the Perl-like
// syntax only, so what POSIX has not is refused here and what it reads otherwise is rewritten.
import { RE2JS, RE2JSException } from "re2js";
import { shownText } from "../../words/raw_text.ts";

export type CompiledRegex =
  | { readonly matches: (text: string) => boolean }
  | { readonly error: string };

/** Compiles a pattern; the time that `matches` takes is linear in the text. */
export function compileRegex(pattern: string): CompiledRegex {
  const rewritten = rewrite(shownText(pattern));
  if (typeof rewritten !== "string") return rewritten;
  try {
    // In POSIX syntax `^` and `$` are ends of lines.
    const compiled = RE2JS.compile(rewritten, RE2JS.MULTILINE);
    // A pattern is of characters: bytes that make up none are U+FFFD to it.
    return { matches: (text) => compiled.matches(shownText(text)) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return {
      error: `invalid regex pattern: ${error.message.replace(/^error parsing regexp: /, "")}`,
    };
  }
}

/** Walks the pattern once: escapes, groups, and repetitions of repetitions. */
function rewrite(pattern: string): string | { error: string } {
  let result = "";
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at]!;
    if (char === "\\") {
      const next = pattern[at + 1] ?? "";
      // Letters and digits that are not among these are classes, anchors or groups of Perl's.
      if (/[a-zA-Z89]/.test(next) && !/[afnrtvx]/.test(next)) {
        return { error: `invalid regex pattern: invalid escape sequence: \\${next}` };
      }
      result += char + next;
      at += 2;
    } else if (char === "[") {
      const end = endOfSet(pattern, at);
      const set = pattern.slice(at, end);
      const perl = /\\([dDsSwWpPQEbB])/.exec(set);
      if (perl) return { error: `invalid regex pattern: invalid escape sequence: ${perl[0]}` };
      result += set;
      at = end;
    } else if (char === "(" && pattern[at + 1] === "?") {
      return { error: "invalid regex pattern: no argument for repetition operator: ?" };
    } else if (char === "*" || char === "+" || char === "?") {
      const run = /[*+?]+/y;
      run.lastIndex = at;
      const stacked = run.exec(pattern)![0];
      result += /^(\++|\?+)$/.test(stacked) ? char : "*";
      at += stacked.length;
    } else {
      result += char;
      at++;
    }
  }
  return result;
}

function endOfSet(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === "^") at++;
  if (pattern[at] === "]") at++;
  for (; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) {
      const close = pattern.indexOf(":]", at + 2);
      if (close > 0) at = close + 1;
    } else if (pattern[at] === "]") return at + 1;
  }
  return pattern.length;
}
