// One configuration file as plain values: YAML text comes in, a tree of maps, sequences and
// strings goes out. Scalars stay strings, since Falco converts them where it reads a key; the
// schema does that. `${X}` in scalar values is replaced from the environment (not in keys).
//
// Where YAML leaves it open it is read as yaml-cpp reads it, which Falco uses: the first document
// counts, of a key that stands twice the last, a quote that is open at the end is closed there, an
// item of a sequence that is nothing is the text "null". What is lost so is told.
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Scalar,
  visit,
} from "yaml";
import { fillEmptyItems, openQuote, yamlMistake } from "../words/yaml_mistakes.ts";
import { ConfigError } from "./problem.ts";

export type ConfigValue = string | ConfigValue[] | ConfigMap;
export interface ConfigMap {
  [key: string]: ConfigValue;
}

export type Environment = (name: string) => string | undefined;

/** Something in a file that is not read as it stands there. */
export interface Remark {
  readonly line: number;
  readonly message: string;
}

export interface Layer {
  readonly file: string;
  readonly value: ConfigMap;
  readonly remarks: readonly Remark[];
  /** Line of the value at a path, or of the nearest part of the path that the file has. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads the text of one file; throws a ConfigError on text that is not a YAML map. */
export function parseLayer(file: string, text: string, environment: Environment): Layer {
  const lines = new LineCounter();
  const remarks: Remark[] = [];
  const remark = (offset: number, message: string): void => {
    remarks.push({ line: lines.linePos(offset).line, message });
  };
  const document = firstDocument(text.replace(/^\ufeff/, ""), lines, remark);
  if (document === undefined) return { file, value: {}, remarks, lineOf: () => undefined };
  const error = document.errors[0];
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    throw new ConfigError(`${file}:${line}`, "", `invalid YAML: ${yamlMistake(error)}`);
  }
  settle(document, remark);
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string") return;
      node.value = expandEnvironment(node.value, environment);
    },
  });
  const lineOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: readonly [number, number, number] }
        | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const { contents } = document;
  const empty = contents === null || (isScalar(contents) && contents.value === "");
  return { file, value: empty ? {} : valueOf(document, file), remarks, lineOf };
}

/** Parses the value of `-o key={…}`. */
export function parseInline(text: string): ConfigValue {
  const document = firstDocument(text, new LineCounter(), () => {});
  const error = document?.errors[0];
  if (document === undefined || error !== undefined) {
    throw new Error(`invalid YAML: ${error === undefined ? "nothing" : yamlMistake(error)}`);
  }
  settle(document, () => {});
  try {
    return document.toJS() as ConfigValue;
  } catch (failure) {
    throw new Error(`invalid YAML: ${aliasMistake(failure as Error)}`);
  }
}

/** `${X}` becomes the variable or nothing, `$${X}` the text `${X}`; an unclosed `${` stays. */
export function expandEnvironment(text: string, environment: Environment): string {
  return text.replace(/(\$?)\$\{([^}]*)\}/g, (whole, escape: string, name: string) => {
    return escape === "$" ? whole.slice(1) : environment(name) ?? "";
  });
}

type Tell = (offset: number, message: string) => void;

/** Undefined where the text holds nothing but comments. */
function firstDocument(
  text: string,
  lines: LineCounter,
  remark: Tell,
): Document.Parsed | undefined {
  let [document, ...later] = parse(text, lines);
  const quote = later.length === 0 ? document?.errors.find(openQuote) : undefined;
  if (quote !== undefined) {
    const [closed, ...more] = parse(text.trimEnd() + openQuote(quote)!, new LineCounter());
    if (closed !== undefined && closed.errors.length === 0 && more.length === 0) {
      const at = text.lastIndexOf(openQuote(quote)!);
      remark(at, "a quote is not closed: it ends with the file");
      document = closed;
    }
  }
  const lost = later.find(({ contents, errors }) =>
    errors.length > 0 || !(contents === null || isNothing(contents))
  );
  if (lost !== undefined) {
    remark(lost.range[0], "a second document begins here: only the first of a file is read");
  }
  return document;
}

function parse(text: string, lines: LineCounter): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  if (!Array.isArray(documents)) return [];
  documents.forEach(fillEmptyItems);
  return documents;
}

/** Takes out keys that another one follows, and gives what is nothing its text. */
function settle(document: Document.Parsed, remark: Tell): void {
  visit(document, {
    Map(_, map) {
      const last = new Map(map.items.map((pair) => [keyOf(pair.key), pair]));
      for (const pair of map.items) {
        const kept = last.get(keyOf(pair.key))!;
        if (kept === pair) continue;
        remark(
          offsetOf(kept.key),
          `${keyOf(pair.key)}: the key stands twice: this one holds, the one before is ignored`,
        );
      }
      map.items = [...last.values()];
    },
    Scalar(key, node, path) {
      if (key === "key" || !isNothing(node)) return;
      const isItem = isSeq(path.at(-1));
      if (isItem) {
        remark(offsetOf(node), 'an item that is nothing is read as the text "null"');
      }
      node.value = isItem ? "null" : "";
    },
  });
}

function isNothing(node: unknown): boolean {
  return isScalar(node) && !node.tag && (node.type === undefined || node.type === "PLAIN") &&
    /^(|~|null|Null|NULL)$/.test(String((node as Scalar).value ?? ""));
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly [number, number, number] | null }).range?.[0] ?? 0;
}

function valueOf(document: Document.Parsed, file: string): ConfigMap {
  if (!isMap(document.contents)) {
    throw new ConfigError(file, "", "expected a map of configuration keys");
  }
  try {
    return document.toJS() as ConfigMap;
  } catch (error) {
    throw new ConfigError(file, "", `invalid YAML: ${aliasMistake(error as Error)}`);
  }
}

/** The library's own bound on aliases is what stops a YAML bomb. */
function aliasMistake({ message }: Error): string {
  const name = /^Unresolved alias.*: (.*)$/.exec(message)?.[1];
  return name === undefined
    ? "its aliases make too much of a small text"
    : `there is no anchor &${name} before the alias *${name}`;
}
