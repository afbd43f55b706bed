// What is wrong with a configuration, as a value: the reader collects all of them, the command
// prints them. Warnings leave a usable Config, notices tell what of a sound one saker does not do;
// an error ends the run.

export interface ConfigProblem {
  readonly severity: "error" | "warning" | "notice";
  /** `file`, `file:line`, or `-o` for an option of the command line; "" where none applies. */
  readonly where: string;
  /** Dotted key such as `engine.kind`; "" where the file as a whole is meant. */
  readonly key: string;
  /** What was found and what was expected. */
  readonly message: string;
}

/** One line: `falco.yaml:12: json_output: expected true or false, found "maybe"`. */
export function problemLine(problem: ConfigProblem): string {
  const parts = [problem.where, problem.key, problem.message].filter((part) => part !== "");
  return parts.map(shortened).join(": ");
}

/** Dotted key with indexes, such as `rules[1].enable`. */
export function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === "number"
        ? `${text}[${step}]`
        : text === ""
        ? String(step)
        : `${text}.${String(step)}`,
    "",
  );
}

/** What somebody gave as a key or a value may be of any length; who reads the line knows it. */
function shortened(text: string): string {
  return text.length <= PART_MAX ? text : `${text.slice(0, PART_MAX)}…`;
}

const PART_MAX = 1_000;

/** Thrown where reading cannot go on; carries one error. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problem: ConfigProblem;

  constructor(where: string, key: string, message: string) {
    const problem: ConfigProblem = { severity: "error", where, key, message };
    super(problemLine(problem));
    this.problem = problem;
  }
}
