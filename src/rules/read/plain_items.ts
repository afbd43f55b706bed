// The YAML that rules are written in almost always, read without the library, which takes ten times
// as long: items of keys whose values are plain or quoted on their line, folded or literal blocks,
// and lists of plain values. Whatever goes beyond is left to the library, item by item; the two
// give the same nodes (plain_items_test.ts).
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
  let end = lines.end;
  while (end > at && text.charCodeAt(end - 1) === 0x20) end--;
  const rest = text.slice(at, end);
  if (rest === "") return readBlockList(lines);
  if (/^[>|]-?$/.test(rest)) return readBlock(lines, at, rest);
  if (rest[0] === "[") return readFlowList(lines, at);
  if (rest[0] === '"' || rest[0] === "'") {
    const inner = rest.slice(1, -1);
    if (rest.length < 2 || rest.at(-1) !== rest[0] || /["'\\\t]/.test(inner)) return undefined;
    return alone(lines, scalar(inner, at, end, false));
  }
  return PLAIN.test(rest) ? alone(lines, scalar(rest, at, end)) : undefined;
}

/** A value of one line: the next line must not go on with it. */
function alone(lines: ItemLines, value: ScalarNode): ScalarNode | undefined {
  while (lines.next()) {
    if (lines.isBlank()) continue;
    const goesOn = lines.indent > KEY_INDENT;
    lines.undo();
    return goesOn ? undefined : value;
  }
  return value;
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
    if (/[ \t\r]$|^\t/.test(line)) return undefined;
    result += line;
    end = lines.readTo;
  }
  if (indent === 0) return undefined;
  return scalar(header.endsWith("-") ? result : `${result}\n`, at, end, false);
}

function readBlockList(lines: ItemLines): SeqNode | undefined {
  const { text } = lines;
  const items: ScalarNode[] = [];
  let indent = 0;
  let first = 0;
  while (lines.next()) {
    if (lines.isBlank()) continue;
    if (lines.indent <= KEY_INDENT) {
      // A list may also stand right below its key.
      if (text.startsWith("- ", lines.at + lines.indent)) return undefined;
      lines.undo();
      break;
    }
    if (indent === 0) {
      indent = lines.indent;
      first = lines.at + indent;
    }
    const at = lines.at + lines.indent + 2;
    if (lines.indent !== indent || !text.startsWith("- ", at - 2)) return undefined;
    const item = text.slice(at, lines.end).trimEnd();
    if (!PLAIN.test(item) || /: |:$/.test(item)) return undefined;
    items.push(scalar(item, at, at + item.length));
  }
  return items.length === 0 ? undefined : { kind: "seq", at: first, items };
}

function readFlowList(lines: ItemLines, start: number): SeqNode | undefined {
  const { text } = lines;
  const close = text.indexOf("]", start);
  if (close < 0) return undefined;
  while (lines.end < close) {
    if (!lines.next() || lines.indent <= KEY_INDENT) return undefined;
  }
  if (close >= lines.end || text.slice(close + 1, lines.end).trim() !== "") return undefined;
  const items: ScalarNode[] = [];
  for (let at = start + 1; at < close;) {
    const comma = text.indexOf(",", at);
    const end = comma < 0 || comma > close ? close : comma;
    const raw = text.slice(at, end);
    const item = raw.trim();
    if (item === "") {
      // Nothing between two commas is no value; behind the last one it is nothing.
      if (end === close && (items.length > 0 || raw.length === close - start - 1)) break;
      return undefined;
    }
    if (!PLAIN_IN_FLOW.test(item)) return undefined;
    const itemAt = at + raw.indexOf(item);
    items.push(scalar(item, itemAt, itemAt + item.length));
    at = end + 1;
  }
  return { kind: "seq", at: start, items };
}
