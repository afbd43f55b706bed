// Escapes of JSON's strings: what is between the quotes comes in, the text that it means goes out,
// as the plugin's parser has it.

const SHORT: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** What is between a string's quotes as the text that it means; unknown escapes stay. */
export function unescaped(raw: string): string {
  let at = raw.indexOf("\\");
  if (at < 0) return raw;
  let text = "";
  let from = 0;
  while (at >= 0 && at + 1 < raw.length) {
    text += raw.slice(from, at);
    const short = SHORT[raw[at + 1]!];
    if (short !== undefined) {
      text += short;
      from = at + 2;
    } else if (raw[at + 1] === "u") from = at + unicodeLength(raw, at);
    else from = at + 2;
    if (short === undefined) text += meant(raw.slice(at, from));
    at = raw.indexOf("\\", from);
  }
  return text + raw.slice(from);
}

/** Characters of `\uXXXX`, of a pair of them, or of the two that begin what is neither. */
function unicodeLength(raw: string, at: number): number {
  const unit = unitAt(raw, at);
  if (unit < 0) return 2;
  return (unit & 0xf800) === 0xd800 && unitAt(raw, at + 6) >= 0 ? 12 : 6;
}

/** The unit that `\uXXXX` means; -1 where it is not written so. */
function unitAt(raw: string, at: number): number {
  const digits = raw.slice(at, at + 6);
  return /^\\u[0-9a-fA-F]{4}$/.test(digits) ? parseInt(digits.slice(2), 16) : -1;
}

function meant(escape: string): string {
  if (escape.length < 6) return escape;
  const unit = unitAt(escape, 0);
  if ((unit & 0xf800) !== 0xd800) return String.fromCharCode(unit);
  // Half a pair stays as it is written, two that are no pair are no character.
  if (escape.length === 6) return escape;
  const second = unitAt(escape, 6);
  const isPair = (unit & 0xfc00) === 0xd800 && (second & 0xfc00) === 0xdc00;
  return isPair ? String.fromCharCode(unit, second) : "\ufffd";
}
