// What was typed on a terminal: bytes as text come in, names of keys go out.

const KEYS: Readonly<Record<string, string>> = {
  "\x1b[A": "up",
  "\x1b[B": "down",
  "\x1bOA": "up",
  "\x1bOB": "down",
  "\x1b[5~": "page up",
  "\x1b[6~": "page down",
  "\x1b[H": "home",
  "\x1b[F": "end",
  "\x1b[1~": "home",
  "\x1b[4~": "end",
  "\x1bOH": "home",
  "\x1bOF": "end",
  "\x1b": "escape",
  "\t": "tab",
  "\x03": "q",
  "\x0c": "redraw",
};

/** A sequence, an escape alone, or a character. */
const PIECE = new RegExp(String.raw`\x1b(?:\[[\d;]*[ -/]*[@-~]|O[@-~])?|[^]`, "gu");

/** What was typed, key by key; of sequences that are not known nothing. */
export function keysOf(text: string): string[] {
  const found: string[] = [];
  for (const [piece] of text.matchAll(PIECE)) {
    const key = KEYS[piece] ?? (piece.startsWith("\x1b") ? undefined : piece);
    if (key !== undefined) found.push(key);
  }
  return found;
}
