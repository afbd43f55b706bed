// What becomes of the keys that a configuration gives: the tree as it was given and the Config that
// came of it go in, one line for each key that has a use of its own goes out.
import type { ConfigMap } from "./layer.ts";
import { keyText } from "./problem.ts";
import { type Config, schema } from "./schema.ts";
import { type Fate, needsRestart, type Use, USES } from "./uses.ts";

export interface KeyFate {
  readonly key: string;
  readonly path: readonly string[];
  /** As given. */
  readonly value: unknown;
  readonly fate: Fate;
  readonly why?: string;
  /** Why the given value does not do what it says. */
  readonly told?: string;
  /** A change of it waits for the next start. */
  readonly restart: boolean;
}

type AnyUses = Use<unknown> | { readonly [key: string]: AnyUses };

export function fatesOf(tree: ConfigMap, config: Config): KeyFate[] {
  const initial = schema.initial();
  const walk = (use: AnyUses, path: readonly string[]): KeyFate[] => {
    const given = valueAt(tree, path);
    if (given === undefined) return [];
    if (!isUse(use)) {
      return Object.entries(use).flatMap(([key, inner]) => walk(inner, [...path, key]));
    }
    const told = use.told(valueAt(config, path), config, valueAt(initial, path));
    const about = givenAt(tree, path);
    const common = { fate: use.fate, restart: needsRestart(path) };
    const why = use.why === undefined ? {} : { why: use.why };
    return keysOf(use, given, path).map((one) => ({
      key: keyText(one),
      path: one,
      value: valueAt(tree, one),
      ...common,
      ...why,
      ...(told === undefined || keyText(one) !== keyText(about) ? {} : { told }),
    }));
  };
  return walk(USES as AnyUses, []);
}

function isUse(uses: AnyUses): uses is Use<unknown> {
  return typeof uses["told"] === "function";
}

/** A use of a whole group is one of each key of it. */
function keysOf(use: Use<unknown>, given: unknown, path: readonly string[]) {
  const isGroup = "whole" in use && typeof given === "object" && !Array.isArray(given);
  const keys = isGroup ? Object.keys(given as object) : [];
  return keys.length === 0 ? [path] : keys.map((key) => [...path, key]);
}

/** What a group's reason is told of: the key that switches it on, or its first one. */
function givenAt(tree: ConfigMap, path: readonly string[]): readonly string[] {
  const inner = [...path, "enabled"];
  if (valueAt(tree, inner) !== undefined) return inner;
  const given = valueAt(tree, path);
  const first = typeof given === "object" && !Array.isArray(given)
    ? Object.keys(given as object)[0]
    : undefined;
  return first === undefined ? path : [...path, first];
}

export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let node: unknown = tree;
  for (const step of path) node = (node as Record<PropertyKey, unknown> | undefined)?.[step];
  return node;
}
