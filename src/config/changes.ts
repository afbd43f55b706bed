// What two configurations differ in: the top-level keys, told apart by what a change of them asks
// for.
import type { Config } from "./schema.ts";
import { isOutputKey, needsRestart } from "./uses.ts";

export interface ConfigChanges {
  /** Changed keys that wait for the next start, dotted down to the value. */
  readonly restart: readonly string[];
  /** Whether outputs have to be made anew. */
  readonly outputs: boolean;
}

export function changesOf(before: Config, after: Config): ConfigChanges {
  const changed = (Object.keys(after) as (keyof Config)[]).filter((key) =>
    JSON.stringify(before[key]) !== JSON.stringify(after[key])
  );
  return {
    restart: changed.flatMap((key) => leaves(before[key], after[key], key))
      .filter((path) => needsRestart(path.split("."))),
    outputs: changed.some(isOutputKey),
  };
}

function leaves(before: unknown, after: unknown, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isGroup(before) || !isGroup(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => leaves(before[key], after[key], `${path}.${key}`));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
