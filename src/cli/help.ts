// How --help looks: groups of commands before options, of the options of all commands those alone
// that mean something for the one that is asked about, in lines of the terminal's width. Read where
// help is asked for.
import { type Argument, type Command, Help, type Option } from "commander";
import { wrap } from "../screen/columns.ts";
import type { Terminal } from "./terminal.ts";

/** Lines longer than that are hard to read. */
const COLUMNS_MAX = 100;
/** A description has at least so many beside its term, else it stands below. */
const BESIDE_MIN = 30;

/** Options of the program that hold for a command, by their short or long name. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  replay: ["-c", "-r", "-o", "-M", "-v", "--enable-source", "--disable-source"],
  record: ["-c", "-r", "-o", "-M", "-v", "--enable-source", "--disable-source"],
  top: ["-c", "-o", "--listen"],
  alerts: ["-c", "-o", "--listen"],
  tune: ["-c", "-r", "-o"],
  "rules lint": ["-c", "-r", "-o"],
  "rules filter": ["-c", "-r", "-o"],
  "rules test": ["-c", "-r", "-o", "-v"],
  explain: ["-c", "-r", "-o"],
  config: ["-c", "-o"],
  doctor: ["-c", "-o", "-v"],
  version: ["-o"],
};

/** What the list of commands says of each; its own help says more. */
const SUMMARIES: Readonly<Record<string, string>> = {
  top: "what it sees now, drawn in place",
  alerts: "follow its alerts, the last ones first",
  tune: "propose exceptions for alerts that are noise",
  record: "record this host into a capture (.scap)",
  replay: "run captures through the rules",
  rules: "check and test rules: lint, filter, test",
  explain: "why a rule fires on an event, or does not",
  plugin: "write plugins in TypeScript: new, types, try",
  doctor: "does this host offer what saker needs, does the probe see",
  driver: "the kernel module: build, load, unload, status, install",
  config: "every key of the configuration; what saker does with a file",
  install: "program, configuration and a systemd unit",
  uninstall: "remove what install put there",
  completions: "completions of commands and options for a shell",
  man: "the man page, in roff",
  version: "print the version",
};

const BOLD = "\x1b[1m";
const RESET = "\x1b[0m";

/** What commander is told of it: see its `Help`. */
export function helpSettings(terminal: Terminal): Partial<Help> & { showGlobalOptions: boolean } {
  return {
    showGlobalOptions: true,
    visibleGlobalOptions: (command) => sharedOptions(command),
    formatHelp: (command, helper) => inOrder(command, helper),
    formatItem: (term, termWidth, description, { helpWidth = COLUMNS_MAX }) =>
      item(term, termWidth, description, helpWidth),
    boxWrap: (text, width) => text.split("\n").flatMap((line) => wrap(line, width)).join("\n"),
    subcommandTerm: (command) =>
      [command.name(), ...command.registeredArguments.map(argumentOf)].join(" "),
    subcommandDescription: (command) => summaryOf(command),
    styleTitle(title) {
      const told = title === "Global Options:" ? "Also:" : title;
      const lines = wrap(told, helpWidth(terminal));
      return (terminal.colour ? lines.map((line) => `${BOLD}${line}${RESET}`) : lines).join("\n");
    },
  };
}

/** Columns that help is written for. */
export function helpWidth(terminal: Terminal): number {
  return Math.min(terminal.columns() ?? COLUMNS_MAX, COLUMNS_MAX);
}

/** Breaks what is longer, such as examples, below its own beginning. */
export function fitted(text: string, columns: number): string {
  return text.split("\n").flatMap((line) => {
    if (line.length <= columns || line.includes("\x1b")) return [line];
    const lead = /^ */.exec(line)![0];
    const [first = "", ...others] = wrap(line.trimStart(), columns, {
      indent: `${lead}    `,
      taken: lead.length,
    });
    return [lead + first, ...others];
  }).join("\n");
}

/** What the list of commands says of one. */
export function summaryOf(command: Command): string {
  return SUMMARIES[nameOf(command)] ?? command.description();
}

function argumentOf(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}

/** Options of the program that hold for a command. */
export function sharedOptions(command: Command): Option[] {
  if (command.parent === null) return [];
  let program = command;
  while (program.parent !== null) program = program.parent;
  const wanted = SHARED[nameOf(command)] ?? [];
  return program.options.filter(({ short = "", long = "" }) =>
    wanted.includes(short) || wanted.includes(long)
  );
}

/** Of the program its commands first: whoever asks for the first time looks for them. */
function inOrder(command: Command, helper: Help): string {
  const text = Help.prototype.formatHelp.call(helper, command, helper);
  if (command.parent !== null) return text;
  const sections = text.trimEnd().split("\n\n");
  const titles = new Set(command.commands.map((one) => one.helpGroup()));
  const isOfCommands = (section: string) =>
    [...titles].some((title) => title !== "" && section.split("\n", 1)[0]!.includes(title));
  const [usage = "", about = "", ...others] = sections;
  const commands = others.filter(isOfCommands);
  const options = others.filter((section) => !isOfCommands(section));
  return `${[usage, about, ...commands, ...options].join("\n\n")}\n`;
}

function item(term: string, termWidth: number, description: string, columns: number): string {
  if (description === "") return `  ${term}`;
  const beside = columns - termWidth - 4;
  if (beside >= BESIDE_MIN) {
    const lines = wrap(description, beside);
    const indent = " ".repeat(termWidth + 4);
    return `  ${term.padEnd(termWidth)}  ${lines.join(`\n${indent}`)}`;
  }
  return `  ${term}\n      ${wrap(description, columns - 6).join("\n      ")}`;
}
