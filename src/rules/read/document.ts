// Text of a rules file in, plain YAML nodes with their offsets out. Large files are read some
// items at a time, so that memory holds one part's syntax tree, and everything that can grow out
// of a small file (aliases, nesting) has a bound. Where YAML leaves it open, it is read as
// yaml-cpp reads it, which Falco uses: an empty document ends the file, a text in quotes that is
// open at the end of the file is closed there.
import { type Document, isScalar, parseAllDocuments } from "yaml";
import { fillEmptyItems, openQuote, yamlMistake } from "../../words/yaml_mistakes.ts";
import { type Budget, Conversion, NODES_MAX, TOO_DEEP, Unreadable } from "./conversion.ts";
import { readPlainItem } from "./plain_items.ts";
import type { YamlNode } from "./yaml_node.ts";

export interface DocumentError {
  readonly message: string;
  readonly at: number;
}

export interface Documents {
  /** The root of each document. */
  readonly roots: readonly YamlNode[];
  readonly errors: readonly DocumentError[];
  /** Where the first document begins that an empty one before it keeps from being read. */
  readonly unreadFrom: number | undefined;
  /** Where a text in quotes begins that the file does not close. */
  readonly unclosedAt: number | undefined;
}

/** Characters of a file; the largest rules of the field have a hundredth. */
export const FILE_CHARS_MAX = 32 << 20;
/** Values of one part of a file, counted by its lines and commas before it is parsed. */
export const VALUES_MAX = 250_000;
/** Each of `[]{}` may be a mistake of its own to the library, which keeps and explains all. */
const BRACKETS_MAX = 20_000;
const MARKS_MAX = 200_000;
/** Parts of a file that cannot be read, until the rest is left unread. */
const ERRORS_MAX = 50;
const PART_CHARS = 64 << 10;

interface Reading {
  readonly roots: YamlNode[];
  readonly errors: DocumentError[];
  readonly budget: Budget;
  unreadFrom: number | undefined;
  unclosedAt: number | undefined;
  /** An empty document came: what follows is not read. */
  ended: boolean;
}

/** Reads all documents of a file. Never throws. */
export function readDocuments(text: string): Documents {
  const reading: Reading = {
    roots: [],
    errors: [],
    budget: { left: NODES_MAX },
    unreadFrom: undefined,
    unclosedAt: undefined,
    ended: false,
  };
  if (text.length > FILE_CHARS_MAX) {
    const message = `file is too large: ${text.length} characters, at most ${FILE_CHARS_MAX}`;
    return { ...reading, errors: [{ message, at: 0 }] };
  }
  const items = itemStarts(text);
  if (items !== undefined) {
    const nodes = readItems(text, items, reading);
    return {
      ...reading,
      roots: nodes.length > 0 ? [{ kind: "seq", at: items[0]!, items: nodes }] : [],
    };
  }
  for (const [start, end] of parts(text)) {
    readBounded({ text: text.slice(start, end), start, isLast: end === text.length }, reading);
  }
  return reading;
}

/**
 * Where the items of a file start that is one list of them, with nothing else at the margin but
 * comments; undefined for other files, and for those in which items may share an anchor.
 */
function itemStarts(text: string): number[] | undefined {
  if (/[\s[,]&[^\s&]|^[^-#\n\r ]|^-(?! )|\r|^ *\t/m.test(text)) return undefined;
  const starts: number[] = [];
  const margin = /^(?:- |( +)[^ #\n])/mg;
  for (let found = margin.exec(text); found !== null; found = margin.exec(text)) {
    if (found[1] === undefined) starts.push(found.index);
    else if (starts.length === 0) return undefined;
  }
  return starts.length === 0 ? undefined : starts;
}

/** Reads items one by one: by hand where they are plain, else with the library. */
function readItems(
  text: string,
  starts: readonly number[],
  reading: Reading,
): YamlNode[] {
  const nodes: YamlNode[] = [];
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? text.length;
    // An item of so few characters cannot have too many values.
    const isBounded = end - start <= VALUES_MAX ||
      countValues(text.slice(start, end)) <= VALUES_MAX;
    const plain = isBounded ? readPlainItem(text, start, end) : undefined;
    if (plain !== undefined) {
      nodes.push(plain);
      continue;
    }
    const before = reading.roots.length;
    readBounded({ text: text.slice(start, end), start, isLast: end === text.length }, reading);
    for (const root of reading.roots.splice(before)) {
      if (root.kind === "seq") nodes.push(...root.items);
    }
  }
  return nodes;
}

/** A piece of a file that is parsed by itself. */
interface Part {
  readonly text: string;
  readonly start: number;
  /** It goes up to the file's end. */
  readonly isLast: boolean;
}

function readBounded(part: Part, reading: Reading): void {
  if (reading.errors.length >= ERRORS_MAX) return;
  const message = excess(part.text);
  if (message === undefined) return readPart(part, reading);
  reading.errors.push({ message, at: part.start });
}

/** What there is too much of, before a library that has no bounds reads it. */
function excess(text: string): string | undefined {
  const values = countValues(text);
  if (values > VALUES_MAX) {
    return `too many values: about ${values}, at most ${VALUES_MAX} in one item`;
  }
  const brackets = countOf(text, "[]{}");
  if (brackets > BRACKETS_MAX) {
    return `too many brackets: ${brackets}, at most ${BRACKETS_MAX} in one item`;
  }
  const marks = countOf(text, `"'!&*`);
  if (marks > MARKS_MAX + values * 2) {
    return `too many quotes and marks: ${marks}, at most ${MARKS_MAX} in one item`;
  }
  return undefined;
}

function readPart(part: Part, reading: Reading): void {
  try {
    const documents = parsePart(part, reading);
    // What looks empty at a cut goes on in the next part.
    const last = part.isLast ? undefined : documents.at(-1);
    for (const document of documents) readDocument(document, part, document === last, reading);
  } catch (error) {
    // The library recurses into what is nested; a bound of the stack is one of the nesting.
    const message = error instanceof Unreadable
      ? error.message
      : error instanceof RangeError
      ? TOO_DEEP
      : "cannot be read as YAML";
    reading.errors.push({ message, at: part.start });
  }
}

function readDocument(
  document: Document.Parsed,
  part: Part,
  goesOn: boolean,
  reading: Reading,
): void {
  const { roots, errors, budget } = reading;
  if (reading.ended) {
    if (!isEmpty(document)) reading.unreadFrom ??= part.start + document.range[0];
    return;
  }
  // What the library makes of the text behind a mistake is no other mistake.
  const error = document.errors[0];
  if (error !== undefined) {
    const message = STACK.test(error.message) ? TOO_DEEP : yamlMistake(error);
    errors.push({ message, at: part.start + error.pos[0] });
    return;
  }
  if (isEmpty(document)) {
    // Two marks of an end, one behind the other, are no document.
    const isMarked = part.text.startsWith("---", document.range[0]);
    const isWritten = isMarked || document.range[1] > document.range[0];
    if (isWritten && !goesOn) reading.ended = true;
    return;
  }
  const root = new Conversion(part.start, budget).convert(document.contents, 0);
  const before = roots.at(-1);
  const goesOnHere = part.start > 0 && document.range[0] === 0;
  if (goesOnHere && root.kind === "seq" && before?.kind === "seq") {
    roots[roots.length - 1] = { ...before, items: [...before.items, ...root.items] };
  } else roots.push(root);
}

function isEmpty({ contents }: Document.Parsed): boolean {
  return contents === null ||
    (isScalar(contents) && contents.type === "PLAIN" && !contents.tag &&
      /^(|~|null|Null|NULL)$/.test(String(contents.value)));
}

const STACK = /call stack/;

function parsePart(part: Part, reading: Reading): Document.Parsed[] {
  const documents = parseText(part.text);
  const open = part.isLast ? documents.at(-1)?.errors.find(openQuote) : undefined;
  if (open === undefined) return documents;
  const quote = openQuote(open)!;
  const closed = parseText(part.text.trimEnd() + quote);
  if (closed.some(({ errors }) => errors.length > 0)) return documents;
  reading.unclosedAt = part.start + part.text.lastIndexOf(quote);
  return closed;
}

function parseText(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    // All scalars are their text; what they mean is decided by who reads the key.
    schema: "failsafe",
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  if (!Array.isArray(documents)) return [];
  documents.forEach(fillEmptyItems);
  return documents;
}

/**
 * Cuts a file before items of the top sequence. Files with anchors stay whole, since an alias may
 * stand in another item than its anchor; so do those with directives.
 */
function parts(text: string): [number, number][] {
  if (text.length <= PART_CHARS || /[\s[,]&[^\s&]|^%/m.test(text)) return [[0, text.length]];
  const cuts: [number, number][] = [];
  for (let start = 0; start < text.length;) {
    const found = text.indexOf("\n- ", start + PART_CHARS);
    const end = found < 0 ? text.length : found + 1;
    cuts.push([start, end]);
    start = end;
  }
  return cuts;
}

function countOf(text: string, characters: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (characters.includes(text[at]!)) count++;
  return count;
}

function countValues(text: string): number {
  let count = 1;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x0a || unit === 0x2c) count++;
  }
  return count;
}
