// Which rules files to read: paths of files and directories come in, the files go out in the
// order in which they are loaded.
import { join } from "node:path";
import { NotRegular, reasonOf } from "../files/reason.ts";
import { ConfigError } from "./problem.ts";

export interface RulesFilesOptions {
  /** The paths of `-r`, which replace those of the configuration. */
  readonly given: readonly string[];
  /** `rules_files` (or `rules_file`) of the configuration; undefined where it has neither. */
  readonly configured: readonly string[] | undefined;
  /** The flag that gave `given`, for messages. */
  readonly flag?: string;
}

/** More are not meant: each costs a look, and the names of all stand in messages. */
const FILES_MAX = 1_000;
/** Names of a directory that are looked at. */
const NAMES_MAX = 100_000;

/**
 * Files to load; undefined where nobody named any, so that the built-in rules hold. A path of
 * `-r` must exist; of the configured ones those that do not exist are left out, as in Falco,
 * but one must remain.
 */
export function rulesFiles(options: RulesFilesOptions): string[] | undefined {
  const { given, configured, flag = "-r" } = options;
  if (given.length > 0) {
    const files = given.flatMap((path) => {
      const found = rulesAt(path);
      if (found !== undefined) return found;
      throw new ConfigError("", "", `Cannot find the rules file or directory ${path} (${flag})`);
    });
    if (files.length > 0) return files;
    throw new ConfigError("", "", `No *.yaml or *.yml file in ${given.join(", ")} (${flag})`);
  }
  if (configured === undefined) return undefined;
  const files = configured.flatMap((path) => rulesAt(path) ?? []);
  if (files.length > 0) return files;
  throw new ConfigError(
    "",
    "rules_files",
    configured.length === 0
      ? "You must specify at least one rules file/directory via -r or a rules_file entry in " +
        "falco.yaml"
      : `no rules file at ${configured.join(", ")}; expected a file, or a directory with *.yaml`,
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
    throw new ConfigError("", "", `Cannot read the rules file ${path}: ${reasonOf(error)}`);
  }
  if (!info.isDirectory) return [path];
  try {
    return rulesIn(path);
  } catch (error) {
    throw new ConfigError("", "", `Cannot read the rules directory ${path}: ${reasonOf(error)}`);
  }
}

function rulesIn(directory: string): string[] {
  const files: string[] = [];
  let names = 0;
  for (const { name } of Deno.readDirSync(directory)) {
    if (++names > NAMES_MAX) throw new NotRegular(`it has more than ${NAMES_MAX} names`);
    // What is hidden is an editor's, or a step of an update of Kubernetes.
    if (name.startsWith(".") || !isRules(name)) continue;
    const path = join(directory, name);
    if (!isRegular(path)) continue;
    if (files.push(path) > FILES_MAX) {
      throw new NotRegular(`it has more than ${FILES_MAX} rules files`);
    }
  }
  return files.sort();
}

function isRules(name: string): boolean {
  return /\.ya?ml$/.test(name) && !/_test\.ya?ml$/.test(name);
}

/** A link that leads nowhere is none: some editors lock a file by one. */
function isRegular(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
