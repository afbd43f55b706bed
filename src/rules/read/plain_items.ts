// The YAML that rules are written in almost always, read without the library, which takes ten times
// as long: items of keys whose values are plain, quoted on their line, folded or literal blocks,
// lists of plain and quoted values, and lists of maps of them. Whatever goes beyond is left to the
// library, item by item; the two give the same nodes (plain_items_test.ts).
import type { MapNode, ScalarNode, SeqNode, YamlNode } from "./yaml_node.ts";

/** The item in `text` from `start`, where `- ` stands, to `end`; undefined: ask the library. */
export function readPlainItem(text: string, start: number, end: number): MapNode | undefined {
  const lines = new ItemLines(text, start, end);
  const entries: { key: ScalarNode; value: YamlNode }[] = [];
  while (lines.next()) {
    if (lines.isBlank()) continue;
    // The first line has the dash where the others have blanks.
    if (entries.length > 0 && lines.indent !== KEY_INDENT) return undefined;
    const found = KEY.exec(text.slice(lines.at + KEY_INDENT, lines.end));
    if (found === null) return undefined;
    const keyAt = lines.at + KEY_INDENT;
    const key = scalar(found[1]!, keyAt, keyAt + found[1]!.length);
    const value = readValue(lines, keyAt + found[0].length);
    if (value === undefined) return undefined;
    entries.push({ key, value });
  }
  return entries.length === 0 ? undefined : { kind: "map", at: start + KEY_INDENT, entries };
}

const KEY_INDENT = 2;
const KEY = /^([A-Za-z_][A-Za-z0-9_-]*):(?: +|$)/;
/** A plain value that means what it says: no indicator in front, no colon or hash that ends it. */
const PLAIN = /^[A-Za-z0-9_./+(<=~$%^;\\](?:[^:#\t]|:(?! |$)|(?<! )#)*$/;
const PLAIN_IN_FLOW = /^[A-Za-z0-9_./+(<=~$^;\\](?:[^:#,[\]{}\t\n\r]|:(?! |$)|(?<! )#)*$/;

class ItemLines {
  readonly text: string;
  readonly #last: number;
  /** The present line, without its line end. */
  at = 0;
  end = 0;
  indent = 0;
  #next: number;

  constructor(text: string, start: number, last: number) {
    this.text = text;
    this.#next = start;
    this.#last = last;
  }

  next(): boolean {
    if (this.#next >= this.#last) return false;
    this.at = this.#next;
    const newline = this.text.indexOf("\n", this.at);
    this.end = newline < 0 || newline >= this.#last ? this.#last : newline;
    this.#next = newline < 0 ? this.#last : newline + 1;
    let first = this.at;
    while (first < this.end && this.text.charCodeAt(first) === 0x20) first++;
    this.indent = first - this.at;
    return true;
  }

  /** Goes back to before the present line. */
  undo(): void {
    this.#next = this.at;
  }

  /** Where the lines that were read end. */
  get readTo(): number {
    return this.#next;
  }

  isEmpty(): boolean {
    return this.at + this.indent === this.end;
  }

  /** Empty, or a comment alone. */
  isBlank(): boolean {
    return this.isEmpty() || this.text.charCodeAt(this.at + this.indent) === 0x23;
  }
}

function scalar(text: string, at: number, end: number, isPlain = true): ScalarNode {
  return { kind: "scalar", text, isNull: isPlain && /^(~|null|Null|NULL)$/.test(text), at, end };
}

function readValue(lines: ItemLines, at: number): YamlNode | undefined {
  const { text } = lines;
  const end = trimmedEnd(lines, at);
  const rest = text.slice(at, end);
  if (rest === "") return readBelow(lines);
  if (/^[>|]-?$/.test(rest)) return readBlock(lines, at, rest);
  if (rest[0] === "[") return readFlowList(lines, at);
  if (rest[0] === '"' || rest[0] === "'") {
    const value = quoted(text, at, end);
    return value?.end === end && hasNoMore(lines) ? value : undefined;
  }
  return readPlain(lines, at, KEY_INDENT);
}

/** The end of the present line without blanks. */
function trimmedEnd({ text, end }: ItemLines, at: number): number {
  let trimmed = end;
  while (trimmed > at && text.charCodeAt(trimmed - 1) === 0x20) trimmed--;
  return trimmed;
}

/** A text in quotes, which means what stands between them, a quote that is doubled one. */
function quoted(text: string, at: number, last: number): ScalarNode | undefined {
  const isSingle = text[at] === "'";
  let close = text.indexOf(text[at]!, at + 1);
  let isDoubled = false;
  while (isSingle && close >= 0 && close < last && text[close + 1] === "'") {
    isDoubled = true;
    close = text.indexOf("'", close + 2);
  }
  if (close < 0 || close >= last) return undefined;
  const inner = text.slice(at + 1, close);
  if (/[\t\n\r]/.test(inner) || !isSingle && inner.includes("\\")) return undefined;
  return scalar(isDoubled ? inner.replaceAll("''", "'") : inner, at, close + 1, false);
}

/** A value of one line: the next line must not go on with it. */
function hasNoMore(lines: ItemLines): boolean {
  while (lines.next()) {
    if (lines.isBlank()) continue;
    const goesOn = lines.indent > KEY_INDENT;
    lines.undo();
    return !goesOn;
  }
  return true;
}

/** A plain value from `at`, and the lines that go on with it, which are deeper than `indent`. */
function readPlain(lines: ItemLines, at: number, indent: number): ScalarNode | undefined {
  const { text } = lines;
  let end = trimmedEnd(lines, at);
  let result = text.slice(at, end);
  if (!PLAIN.test(result)) return undefined;
  let isOver = false;
  while (lines.next()) {
    // What comes behind a blank or a comment has rules of its own.
    if (lines.isBlank()) {
      isOver = true;
      continue;
    }
    if (lines.indent <= indent) {
      lines.undo();
      break;
    }
    end = trimmedEnd(lines, lines.at);
    const more = text.slice(lines.at + lines.indent, end);
    if (isOver || !PLAIN.test(more)) return undefined;
    result += ` ${more}`;
  }
  return scalar(result, at, end);
}

/** What stands in the lines below its key. */
function readBelow(lines: ItemLines): YamlNode | undefined {
  while (lines.next()) {
    if (lines.isBlank()) continue;
    const at = lines.at + lines.indent;
    // A list may also stand right below its key.
    if (lines.indent <= KEY_INDENT) return undefined;
    if (!lines.text.startsWith("- ", at)) return readPlain(lines, at, KEY_INDENT);
    lines.undo();
    return readBlockList(lines, lines.indent);
  }
  return undefined;
}

function readBlock(lines: ItemLines, at: number, header: string): ScalarNode | undefined {
  const { text } = lines;
  let result = "";
  let indent = 0;
  let wasIndented = false;
  let blanks = false;
  let end = at;
  while (lines.next()) {
    if (lines.isEmpty()) {
      blanks = true;
      continue;
    }
    if (lines.indent <= KEY_INDENT) {
      lines.undo();
      break;
    }
    if (indent === 0) {
      if (blanks) return undefined;
      indent = lines.indent;
    } else {
      // Blank lines inside, and lines that stand out, have rules of their own.
      if (blanks || lines.indent < indent) return undefined;
      const isIndented = lines.indent > indent;
      const folds = header[0] === ">" && !isIndented && !wasIndented;
      result += folds ? " " : "\n";
      wasIndented = isIndented;
    }
    const line = text.slice(lines.at + indent, lines.end);
    if (/[\t\r]$|^\t/.test(line)) return undefined;
    result += line;
    end = lines.readTo;
  }
  if (indent === 0) return undefined;
  return scalar(header.endsWith("-") ? result : `${result}\n`, at, end, false);
}

/** A list whose dashes stand at `indent`; its items are plain values, or maps of them. */
function readBlockList(lines: ItemLines, indent: number): SeqNode | undefined {
  const { text } = lines;
  const items: YamlNode[] = [];
  let first = 0;
  while (lines.next()) {
    if (lines.isBlank()) continue;
    if (lines.indent <= KEY_INDENT) {
      if (text.startsWith("- ", lines.at + lines.indent)) return undefined;
      lines.undo();
      break;
    }
    const dash = lines.at + lines.indent;
    if (lines.indent !== indent || !text.startsWith("- ", dash)) return undefined;
    if (items.length === 0) first = dash;
    const at = dash + 2;
    const isMap = KEY.test(text.slice(at, lines.end));
    const item = isMap ? readFlatMap(lines, indent + 2) : readPlain(lines, at, indent);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: "seq", at: first, items };
}

/** A map of plain values, the first key behind a dash in the present line. */
function readFlatMap(lines: ItemLines, indent: number): MapNode | undefined {
  const { text } = lines;
  const start = lines.at + indent;
  const entries: { key: ScalarNode; value: ScalarNode }[] = [];
  do {
    if (lines.isBlank()) continue;
    if (entries.length > 0 && lines.indent !== indent) {
      if (lines.indent > indent) return undefined;
      lines.undo();
      break;
    }
    const keyAt = lines.at + indent;
    const found = KEY.exec(text.slice(keyAt, lines.end));
    if (found === null) return undefined;
    const key = scalar(found[1]!, keyAt, keyAt + found[1]!.length);
    const value = readPlain(lines, keyAt + found[0].length, indent);
    if (value === undefined) return undefined;
    entries.push({ key, value });
  } while (lines.next());
  return { kind: "map", at: start, entries };
}

function readFlowList(lines: ItemLines, start: number): SeqNode | undefined {
  const { text } = lines;
  const items: ScalarNode[] = [];
  let at = blanksEnd(lines, start + 1);
  while (at >= 0 && text[at] !== "]") {
    const isQuoted = text[at] === '"' || text[at] === "'";
    const item = isQuoted ? quoted(text, at, lines.end) : plainInFlow(text, at, lines.end);
    if (item === undefined) return undefined;
    items.push(item);
    at = blanksEnd(lines, item.end);
    if (text[at] === "]") break;
    if (text[at] !== ",") return undefined;
    at = blanksEnd(lines, at + 1);
  }
  if (at < 0 || text.slice(at + 1, lines.end).trim() !== "") return undefined;
  return hasNoMore(lines) ? { kind: "seq", at: start, items } : undefined;
}

/** Where a list in brackets goes on behind blanks and line ends; -1: the library knows. */
function blanksEnd(lines: ItemLines, from: number): number {
  const { text } = lines;
  let at = from;
  for (;;) {
    while (at < lines.end && text.charCodeAt(at) === 0x20) at++;
    if (at < lines.end) return at;
    if (!lines.next() || lines.isBlank()) return -1;
    at = lines.at + lines.indent;
    if (lines.indent < KEY_INDENT || lines.indent === KEY_INDENT && text[at] !== "]") return -1;
  }
}

function plainInFlow(text: string, at: number, last: number): ScalarNode | undefined {
  let end = at;
  while (end < last && text[end] !== "," && text[end] !== "]") end++;
  while (end > at && text.charCodeAt(end - 1) === 0x20) end--;
  const item = text.slice(at, end);
  return PLAIN_IN_FLOW.test(item) ? scalar(item, at, end) : undefined;
}
