// Texts that others may have written, as a terminal may be shown them: what would move its cursor,
// change its colours, turn the direction of reading or begin a line of its own goes out as an
// escape. The escapes are those of JSON, so that JSON stays JSON.

/** Controls (but newline and tab), marks of direction, line separators, tags, half surrogates. */
const UNSAFE = new RegExp(
  [
    String.raw`[\0-\x08\x0b-\x1f\x7f-\x9f]`,
    String.raw`[\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]`,
    String.raw`\udb40[\udc00-\udc7f]`,
    String.raw`[\ud800-\udbff](?![\udc00-\udfff])`,
    String.raw`(?<![\ud800-\udbff])[\udc00-\udfff]`,
  ].join("|"),
  "g",
);

/** Keeps newlines and tabs. */
export function visibleText(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** One line, whatever it is made from. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/[\n\t]/g, (char) => char === "\n" ? "\\n" : "\\t");
}

function escaped(found: string): string {
  let text = "";
  for (let at = 0; at < found.length; at++) {
    text += `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return text;
}
