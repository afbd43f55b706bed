// `saker man`: the man page, of all commands that there are.
import type { Command } from "commander";
import { commandTable } from "../print/command_table.ts";
import { manPage } from "../print/man_page.ts";
import { SAKER_VERSION } from "../start/versions.ts";
import type { Terminal } from "../terminal.ts";

export function printManPage(
  { date = "" }: { readonly date?: string },
  examples: string,
  program: Command,
  terminal: Terminal,
): number {
  if (date !== "" && !/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    throw new Error(`--date ${date}: expected a day such as 2026-11-27`);
  }
  const facts = { version: SAKER_VERSION, date, examples };
  terminal.out(manPage(commandTable(program), facts));
  return 0;
}
