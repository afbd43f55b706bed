// Which rules files to read: paths of files and directories come in, the files go out in the
// order in which they are loaded.
import { join } from "node:path";
import { ConfigError } from "./problem.ts";

export interface RulesFilesOptions {
  /** The paths of `-r`, which replace those of the configuration. */
  readonly given: readonly string[];
  /** `rules_files` (or `rules_file`) of the configuration; undefined where it has neither. */
  readonly configured: readonly string[] | undefined;
}

/**
 * Files to load; undefined where nobody named any, so that the built-in rules hold. A path of
 * `-r` must exist; of the configured ones those that do not exist are left out, as in Falco,
 * but one must remain.
 */
export function rulesFiles({ given, configured }: RulesFilesOptions): string[] | undefined {
  if (given.length > 0) {
    const files = given.flatMap((path) => {
      const found = rulesAt(path);
      if (found !== undefined) return found;
      throw new ConfigError("", "", `Cannot find the rules file or directory ${path} (-r)`);
    });
    if (files.length > 0) return files;
    throw new ConfigError("", "", `No *.yaml or *.yml file in ${given.join(", ")} (-r)`);
  }
  if (configured === undefined) return undefined;
  const files = configured.flatMap((path) => rulesAt(path) ?? []);
  if (files.length > 0) return files;
  throw new ConfigError(
    "",
    "",
    "You must specify at least one rules file/directory via -r or a rules_file entry in falco.yaml",
  );
}

/**
 * The rules files at a path, those of a directory sorted and without the tests that lie beside
 * them; undefined where it does not exist.
 */
function rulesAt(path: string): string[] | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ConfigError("", "", `Cannot read ${path}: ${(error as Error).message}`);
  }
  if (!info.isDirectory) return [path];
  return [...Deno.readDirSync(path)]
    .filter(({ name }) => /\.ya?ml$/.test(name) && !/_test\.ya?ml$/.test(name))
    .map((entry) => join(path, entry.name))
    .filter((entry) => Deno.statSync(entry).isFile)
    .sort();
}
