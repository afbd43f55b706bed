// The options of `saker top`: arguments come in, TopFlags go out.
import { type Command, InvalidArgumentError } from "commander";
import { readFlags } from "../flags.ts";
import { addAskFlags } from "../start/ask_flags.ts";
import type { Terminal } from "../terminal.ts";
import type { TopFlags } from "./top.ts";

const EXAMPLES = `
Examples:
  saker top                          refreshed in place; ? tells the keys, q ends it
  saker top --view rules             begin with one table: types, processes or rules
  saker top --once | head -30        a page of text; so it is in any pipe
  saker top --json | jq .processes   the same numbers for programs

Exit codes: 0 ended by you, or all told; 1 a mistake, or it refuses; 2 no saker answers there.`;

/** As `TABLES`, which is read where the command runs. */
const VIEWS = ["all", "types", "processes", "rules"];

export function addTop(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const command = program.command("top")
    .description("what the saker that runs here sees now: events, processes, rules, losses")
    .option("--interval <seconds>", "time between two looks (2)", seconds)
    .option("--view <table>", "types, processes, rules or all of them (all)", view)
    .option("--rows <n>", "with --once: rows of each table (10)", rows)
    .option("--once", "print it once, over one interval, and exit")
    .option("--json", "the same as JSON");
  addAskFlags(command)
    .addHelpText("after", EXAMPLES)
    .action(async (options: TopFlags) => {
      const { top } = await import("./top.ts");
      onEnd(await top(options, readFlags(program), terminal));
    });
}

function seconds(value: string): number {
  const given = Number(value);
  if (/^\d{1,4}(\.\d{1,3})?$/.test(value) && given >= 0.2) return given;
  throw new InvalidArgumentError("expected a number of seconds of at least 0.2");
}

function view(value: string): string {
  if (VIEWS.includes(value)) return value;
  throw new InvalidArgumentError(`expected one of ${VIEWS.join(", ")}`);
}

function rows(value: string): number {
  if (/^\d{1,4}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("expected a number");
}
