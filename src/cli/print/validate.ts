// `-V`: are these rules files right? Every file's result on standard output, as text or as one
// line of JSON; the exit code says whether all are.
import { describeAll, describeOne } from "../../rules/tools/describe.ts";
import { type LoadOptions, loadRules, type RulesText } from "../../rules/load.ts";
import { shownText } from "../../words/raw_text.ts";
import { contentsOf, resultJson, verboseText } from "../../rules/report.ts";
import { listText } from "./list_rules.ts";

export interface ValidateOptions {
  /** Reads the files; throws one line where one of them cannot be read. */
  readonly files: () => readonly RulesText[];
  readonly json: boolean;
  /** `-L`, or `-l` with a rule's name. */
  readonly describe?: "all" | { readonly rule: string };
  readonly load: LoadOptions;
  /** Both outputs go to the same terminal. */
  readonly isOnTerminal?: boolean;
}

export interface Outlets {
  /** Standard output. */
  readonly write: (text: string) => void;
  /** Standard error. */
  readonly writeError: (text: string) => void;
  /** The log, at the level of warnings. */
  readonly warn: (text: string) => void;
}

/** JSON is UTF-8, whatever bytes a rules file has in it. */
function shownValue(_key: string, value: unknown): unknown {
  return typeof value === "string" ? shownText(value) : value;
}

/** Validates files and returns the exit code. */
export function validate(options: ValidateOptions, outlets: Outlets): number {
  let files: readonly RulesText[];
  try {
    files = options.files();
  } catch (error) {
    outlets.writeError(`Error: ${(error as Error).message}\n`);
    return 1;
  }
  const loaded = loadRules(files, { ...options.load, eachFile: true });
  if (loaded.pluginError !== undefined) {
    outlets.writeError(`Error: ${loaded.pluginError}\n`);
    return 1;
  }
  const { results } = loaded;
  const contents = contentsOf(results);
  const successful = results.every((result) => result.successful);
  const summary = results.map((result) => {
    const full = verboseText(result, contents);
    if (!result.successful || result.warnings.length === 0) return full;
    outlets.warn(full);
    return `${result.name}: Ok, with warnings`;
  }).join("\n");
  const description = !successful || options.describe === undefined
    ? undefined
    : options.describe === "all"
    ? describeAll(loaded)
    : describeOne(options.describe.rule, loaded);
  if (options.json) {
    outlets.write(
      JSON.stringify({
        ...description && { falco_describe_results: description },
        falco_load_results: results.map((result) => resultJson(result, contents)),
      }, shownValue) + "\n",
    );
  } else {
    outlets.write(`${summary}\n`);
    if (description !== undefined) outlets.write(`\n${listText(description)}`);
  }
  if (successful) return 0;
  // On a terminal both outputs are one, and the report would stand there twice.
  if (!options.isOnTerminal) outlets.writeError(`Error: ${summary}\n`);
  return 1;
}
