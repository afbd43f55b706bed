// The commands as rows, for whoever tells of all of them: completions and the man page. In: the
// program as commander has it. Out: each command that help shows, with its options (its own, then
// those of the program that hold for it) and what may stand in their values' place.
import type { Argument, Command, Option } from "commander";
import { sharedOptions, summaryOf } from "../help.ts";

/** What a shell can offer for a value. */
export type ValueKind = "file" | "directory" | "text" | readonly string[];

export interface OptionRow {
  /** `-c`, `--config`; short ones first. */
  readonly names: readonly string[];
  /** `<file>`, `[source]`; empty where it takes none. */
  readonly value: string;
  readonly kind: ValueKind;
  readonly description: string;
}

export interface CommandRow {
  /** Words behind `saker`; none for saker itself. */
  readonly path: readonly string[];
  /** In a few words. */
  readonly summary: string;
  readonly description: string;
  /** `<files...>` and their like, in order. */
  readonly values: readonly string[];
  readonly kind: ValueKind;
  readonly own: readonly OptionRow[];
  readonly shared: readonly OptionRow[];
  readonly below: readonly string[];
}

/** Saker itself first; a command before those below it. */
export function commandTable(program: Command): CommandRow[] {
  return rowsOf(program, []);
}

function rowsOf(command: Command, path: readonly string[]): CommandRow[] {
  const shown = command.createHelp().visibleCommands(command);
  const values = command.registeredArguments;
  const help: OptionRow = {
    names: ["-h", "--help"],
    value: "",
    kind: "text",
    description: "show this help and exit",
  };
  const row: CommandRow = {
    path,
    summary: summaryOf(command),
    description: command.description(),
    values: values.map(nameOf),
    kind: values.length === 0 ? "text" : kindOf(values.at(-1)!.name()),
    own: [...command.options.filter(({ hidden }) => !hidden).map(optionRow), help],
    shared: sharedOptions(command).map(optionRow),
    below: shown.map((one) => one.name()),
  };
  return [row, ...shown.flatMap((one) => rowsOf(one, [...path, one.name()]))];
}

function optionRow(option: Option): OptionRow {
  const { short, long, flags, description, required, optional } = option;
  const value = required || optional ? /[<[][^>\]]*[>\]]/.exec(flags)?.[0] ?? "" : "";
  return {
    names: [short, long].filter((name) => name !== undefined),
    value,
    kind: kindOf(value.slice(1, -1)),
    description,
  };
}

function nameOf(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** By what the value is called: help and completions say the same. */
function kindOf(name: string): ValueKind {
  const word = name.replace(/\.\.\.$/, "");
  if (word.includes("|")) return word.split("|");
  if (/^(file|files|path|paths|capture)$/.test(word)) return "file";
  return word === "directory" ? "directory" : "text";
}
