// A tree of values against a schema: what holds goes out, defaults where the tree says nothing, and
// what is wrong with it, told with file, line and key.
import { nearest } from "../words/nearest.ts";
import { valueAt } from "./fates.ts";
import type { ConfigMap } from "./layer.ts";
import { type Option, refuseBelow } from "./option.ts";
import { ConfigError, type ConfigProblem, keyText } from "./problem.ts";
import type { Issue, Shape } from "./shape.ts";

const PROBLEMS_MAX = 100;

/** Where the value at a path was written. */
export type Where = (path: readonly PropertyKey[]) => string;

export interface HoldOptions {
  /** The options of the command line that the tree has parts of. */
  readonly options?: readonly Option[];
  /** The tree is a part of the configuration: the path of what holds it. */
  readonly inside?: readonly PropertyKey[];
  /** No value is left out where it is wrong. */
  readonly strict?: boolean;
}

/**
 * Holds the tree against the schema. What Falco merely ignores becomes a warning and is taken
 * out, so that the default stands there; what Falco refuses is thrown.
 */
export function holdTree<T>(
  schema: Shape<T>,
  tree: ConfigMap,
  where: Where,
  options: HoldOptions = {},
): { value: T; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  // One issue a round, since taking an item out of a sequence moves those behind it.
  while (problems.length < PROBLEMS_MAX) {
    const issues: Issue[] = [];
    const value = schema.hold(tree, [], issues);
    const issue = issues[0];
    if (issue === undefined) return { value, problems };
    const { inside = [], options: given = [] } = options;
    if ("expected" in issue && issue.isScalar) {
      for (const one of given) refuseBelow([...inside, ...issue.path], one);
    }
    problems.push(...settle(schema, tree, issue, where, options));
  }
  throw new ConfigError("", "", `more than ${PROBLEMS_MAX} keys are unknown or have bad values`);
}

function settle(
  schema: Shape<unknown>,
  tree: ConfigMap,
  issue: Issue,
  where: Where,
  { inside = [], strict = false }: HoldOptions,
): ConfigProblem[] {
  if ("unknown" in issue) {
    return issue.unknown.map((key) => {
      const path = [...issue.path, key];
      const whole = [...inside, ...path];
      const known = keysAt(schema, issue.path);
      remove(tree, path);
      return warning(where(whole), whole, unknownKey(key, known));
    });
  }
  const path = [...inside, ...issue.path];
  const found = valueAt(tree, issue.path);
  const shown = typeof found === "string" ? `found "${found}"` : `found ${kindOf(found)}`;
  const { expected } = issue;
  const message = expected.includes("%s")
    ? expected.replace("%s", typeof found === "string" ? found : kindOf(found))
    : `${expected}, ${shown}`;
  if (strict || issue.fatal === true) {
    throw new ConfigError(where(path), keyText(path), message);
  }
  const place = where(path);
  remove(tree, issue.path);
  return [warning(place, path, `${message}; the default is used`)];
}

/** Keys of Falco that went away in releases that people still have configurations of. */
const GONE = new Map([
  ["outputs", "removed in Falco 0.43"],
  ["syscall_buf_size_preset", "it is now engine.modern_ebpf.buf_size_preset"],
  ["syscall_drop_failed_exit", "it is now engine.modern_ebpf.drop_failed_exit"],
  ["modern_bpf", "it is now engine.modern_ebpf"],
]);

function unknownKey(key: string, known: readonly string[]): string {
  const gone = GONE.get(key);
  if (gone !== undefined) return `unknown key: ${gone}`;
  const near = nearest(key, known);
  return near === undefined ? "unknown key" : `unknown key, did you mean "${near}"?`;
}

function keysAt(schema: Shape<unknown>, path: readonly PropertyKey[]): string[] {
  let node: unknown = schema.initial();
  for (const step of path) node = (node as Record<PropertyKey, unknown> | undefined)?.[step];
  return typeof node === "object" && node !== null ? Object.keys(node) : [];
}

function warning(where: string, path: readonly PropertyKey[], message: string): ConfigProblem {
  return { severity: "warning", where, key: keyText(path), message };
}

function kindOf(value: unknown): string {
  return value === undefined ? "nothing" : Array.isArray(value) ? "a sequence" : "a map";
}

/** Takes out the value at the path, or the innermost of those around it that is there. */
function remove(tree: ConfigMap, path: readonly PropertyKey[]): void {
  for (let length = path.length; length > 0; length--) {
    const holder = valueAt(tree, path.slice(0, length - 1));
    const last = path[length - 1]!;
    if (Array.isArray(holder) && Number(last) < holder.length) {
      holder.splice(Number(last), 1);
      return;
    }
    if (typeof holder === "object" && holder !== null && last in holder) {
      delete (holder as Record<PropertyKey, unknown>)[last];
      return;
    }
  }
}
