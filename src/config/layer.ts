// One configuration file as plain values: YAML text comes in, a tree of maps, sequences and
// strings goes out. Scalars stay strings, since Falco converts them where it reads a key; the
// schema does that. `${X}` in scalar values is replaced from the environment (not in keys).
import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { ConfigError } from "./problem.ts";

export type ConfigValue = string | ConfigValue[] | ConfigMap;
export interface ConfigMap {
  [key: string]: ConfigValue;
}

export type Environment = (name: string) => string | undefined;

export interface Layer {
  readonly file: string;
  readonly value: ConfigMap;
  /** Line of the value at a path, or of the nearest part of the path that the file has. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads the text of one file; throws a ConfigError on text that is not a YAML map. */
export function parseLayer(file: string, text: string, environment: Environment): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: "failsafe",
    lineCounter: lines,
    prettyErrors: false,
  });
  const error = document.errors[0];
  if (error !== undefined) {
    const position = lines.linePos(error.pos[0]);
    throw new ConfigError(`${file}:${position.line}`, "", `invalid YAML: ${error.message}`);
  }
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
  const empty = document.contents === null ||
    (isScalar(document.contents) && document.contents.value === "");
  const value = empty ? {} : valueOf(document, file);
  return { file, value, lineOf };
}

/** Parses the value of `-o key={…}`. */
export function parseInline(text: string): ConfigValue {
  const document = parseDocument(text, { schema: "failsafe", prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) throw new Error(`invalid YAML: ${error.message}`);
  return document.toJS() as ConfigValue;
}

/** `${X}` becomes the variable or nothing, `$${X}` the text `${X}`; an unclosed `${` stays. */
export function expandEnvironment(text: string, environment: Environment): string {
  return text.replace(/(\$?)\$\{([^}]*)\}/g, (whole, escape: string, name: string) => {
    return escape === "$" ? whole.slice(1) : environment(name) ?? "";
  });
}

function valueOf(document: ReturnType<typeof parseDocument>, file: string): ConfigMap {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // The library's own bound on aliases, which is what stops a YAML bomb.
    throw new ConfigError(file, "", `invalid YAML: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(file, "", "expected a map of configuration keys");
  }
  return value as ConfigMap;
}
