// The rules files of a host and those of a bundle → those that are in force.
import type { Contents } from "./contents.ts";

interface RulesFile {
  readonly name: string;
  readonly text: string;
}

/** In order: what comes later can change what came before, so the bundle has the last word. */
export function withBundle<File extends RulesFile>(
  own: readonly File[],
  bundle: Pick<Contents, "name" | "serial" | "combine" | "files"> | undefined,
): (File | RulesFile)[] {
  if (bundle === undefined || bundle.files.length === 0) return [...own];
  const files = bundle.files.map(({ name, text }) => ({
    name: `rollout ${bundle.name} ${bundle.serial}: ${name}`,
    text,
  }));
  return bundle.combine === "instead" ? files : [...own, ...files];
}
