// Text of a rules file in, plain YAML nodes with their offsets out. Large files are read some
// items at a time, so that memory holds one part's syntax tree, and everything that can grow out
// of a small file (aliases, nesting) has a bound.
import { isAlias, isMap, isNode, isScalar, isSeq, parseAllDocuments } from "yaml";
import { readPlainItem } from "./plain_items.ts";
import type { ScalarNode, YamlNode } from "./yaml_node.ts";

export interface DocumentError {
  readonly message: string;
  readonly at: number;
}

export interface Documents {
  /** The root of each document that is not empty; one file may give several for one document. */
  readonly roots: readonly YamlNode[];
  readonly errors: readonly DocumentError[];
}

/** Characters of a file; the largest rules of the field have a hundredth. */
export const FILE_CHARS_MAX = 32 << 20;
/** Values of one part of a file, counted by its lines and commas before it is parsed. */
export const VALUES_MAX = 250_000;
/** Values after aliases were followed. */
const NODES_MAX = 1_000_000;
const DEPTH_MAX = 64;
const PART_CHARS = 64 << 10;

/** Reads all documents of a file. Never throws. */
export function readDocuments(text: string): Documents {
  const roots: YamlNode[] = [];
  const errors: DocumentError[] = [];
  if (text.length > FILE_CHARS_MAX) {
    const message = `file is too large: ${text.length} characters, at most ${FILE_CHARS_MAX}`;
    return { roots, errors: [{ message, at: 0 }] };
  }
  const budget = { left: NODES_MAX };
  const items = itemStarts(text);
  if (items !== undefined) {
    const nodes = readItems(text, items, budget, errors);
    return {
      roots: nodes.length > 0 ? [{ kind: "seq", at: items[0]!, items: nodes }] : [],
      errors,
    };
  }
  for (const [start, end] of parts(text)) {
    readBounded(text.slice(start, end), start, budget, roots, errors);
  }
  return { roots, errors };
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
  budget: { left: number },
  errors: DocumentError[],
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
    const roots: YamlNode[] = [];
    readBounded(text.slice(start, end), start, budget, roots, errors);
    for (const root of roots) if (root.kind === "seq") nodes.push(...root.items);
  }
  return nodes;
}

function readBounded(
  part: string,
  start: number,
  budget: { left: number },
  roots: YamlNode[],
  errors: DocumentError[],
): void {
  const values = countValues(part);
  if (values <= VALUES_MAX) return readPart(part, start, budget, roots, errors);
  const message = `too many values: about ${values}, at most ${VALUES_MAX} in one item`;
  errors.push({ message, at: start });
}

function readPart(
  part: string,
  start: number,
  budget: { left: number },
  roots: YamlNode[],
  errors: DocumentError[],
): void {
  try {
    const documents = parseAllDocuments(part, {
      // All scalars are their text; what they mean is decided by who reads the key.
      schema: "failsafe",
      uniqueKeys: false,
      strict: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    if (!Array.isArray(documents)) return;
    for (const document of documents) {
      for (const error of document.errors) {
        const message = STACK.test(error.message) ? TOO_DEEP : error.message;
        errors.push({ message, at: start + error.pos[0] });
      }
      if (document.errors.length > 0 || document.contents === null) continue;
      const root = new Conversion(start, budget).convert(document.contents, 0);
      if (root.kind !== "scalar" || !root.isNull) roots.push(root);
    }
  } catch (error) {
    // The library recurses into what is nested; a bound of the stack is one of the nesting.
    const message = error instanceof TooMuch
      ? error.message
      : error instanceof RangeError
      ? TOO_DEEP
      : `cannot read YAML: ${error}`;
    errors.push({ message, at: start });
  }
}

const STACK = /call stack/;
const TOO_DEEP = `nested too deeply: more than ${DEPTH_MAX} levels`;

class TooMuch extends Error {}

/** Turns the library's nodes of one document into ours, aliases followed. */
class Conversion {
  readonly #start: number;
  readonly #budget: { left: number };
  readonly #anchors = new Map<string, unknown>();

  constructor(start: number, budget: { left: number }) {
    this.#start = start;
    this.#budget = budget;
  }

  convert(node: unknown, depth: number): YamlNode {
    if (depth > DEPTH_MAX) throw new TooMuch(TOO_DEEP);
    if (--this.#budget.left < 0) {
      throw new TooMuch(`too many values: aliases make more than ${NODES_MAX} of them`);
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) throw new TooMuch(`unknown alias *${node.source}`);
      return this.convert(target, depth + 1);
    }
    if (!isNode(node)) return EMPTY_SCALAR;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const at = this.#start + (node.range?.[0] ?? 0);
    if (isScalar(node)) {
      const text = typeof node.value === "string" ? node.value : "";
      const isPlain = node.type === undefined || node.type === "PLAIN";
      return {
        kind: "scalar",
        text,
        isNull: isPlain && /^(|~|null|Null|NULL)$/.test(text),
        at,
        end: this.#start + (node.range?.[1] ?? 0),
      };
    }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }) => {
        const converted = this.convert(key, depth + 1);
        return {
          key: converted.kind === "scalar" ? converted : { ...EMPTY_SCALAR, at, end: at },
          value: this.convert(value, depth + 1),
        };
      });
      return { kind: "map", at, entries };
    }
    if (isSeq(node)) {
      return { kind: "seq", at, items: node.items.map((item) => this.convert(item, depth + 1)) };
    }
    return EMPTY_SCALAR;
  }
}

const EMPTY_SCALAR: ScalarNode = { kind: "scalar", text: "", isNull: true, at: 0, end: 0 };

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

function countValues(text: string): number {
  let count = 1;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x0a || unit === 0x2c) count++;
  }
  return count;
}
