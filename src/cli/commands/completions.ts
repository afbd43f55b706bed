// `saker completions SHELL`: what makes a shell complete saker's commands and options.
import type { Command } from "commander";
import { commandTable } from "../print/command_table.ts";
import { completionScript, SHELLS } from "../print/completion_scripts.ts";
import type { Terminal } from "../terminal.ts";

export function printCompletions(name: string, program: Command, terminal: Terminal): number {
  const shell = SHELLS.find((one) => one === name);
  if (shell === undefined) {
    throw new Error(`completions ${name}: expected one of ${SHELLS.join(", ")}`);
  }
  terminal.out(completionScript(shell, commandTable(program)));
  return 0;
}
