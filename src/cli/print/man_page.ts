// The man page, in roff's macros for man(1): rows of commands come in, a text that man, groff and
// mandoc show goes out.
import type { CommandRow, OptionRow } from "./command_table.ts";

export interface ManFacts {
  readonly version: string;
  /** Such as 2026-11-27; empty: none is told. */
  readonly date: string;
  readonly examples: string;
}

const ENDS = [
  ["0", "the end that was asked for, and whatever only prints"],
  ["1", "a mistake, told in one line on standard error"],
  ["255", "the file of \\-\\-pidfile cannot be written"],
] as const;

const FILES = [
  ["/etc/saker/falco.yaml", "the configuration of the service that the package installs"],
  ["/etc/saker/config.d", "files that are read after it"],
  ["/etc/saker/rules.d", "rules of this host, read after the default ones"],
  ["/usr/share/saker/rules", "the default rules, which are in the program as well"],
  ["/var/lib/saker", "the service's state: alerts that wait for an output"],
] as const;

const SIGNALS = [
  ["SIGHUP", "reads configuration and rules anew"],
  ["SIGUSR1", "opens the files of outputs anew"],
  ["SIGINT, SIGTERM", "end the watch; a second one ends it at once"],
] as const;

export function manPage(rows: readonly CommandRow[], facts: ManFacts): string {
  const [program, ...commands] = rows;
  const lines = [
    `.TH SAKER 8 "${facts.date}" "saker ${facts.version}" "System administration"`,
    ".SH NAME",
    "saker \\- watch a Linux host through the kernel, by Falco's rules",
    ".SH SYNOPSIS",
    ".B saker",
    "[\\fIoptions\\fR]",
    ".br",
    ".B saker",
    "\\fIcommand\\fR [\\fIoptions\\fR]",
    ".SH DESCRIPTION",
    escaped(program!.description),
    ".SH OPTIONS",
    ...program!.own.flatMap(optionLines),
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH EXIT STATUS",
    ...ENDS.flatMap(([code, why]) => tagged(code, why)),
    ".SH SIGNALS",
    ...SIGNALS.flatMap(([signal, what]) => tagged(signal, what)),
    ".SH FILES",
    ...FILES.flatMap(([path, what]) => tagged(escaped(path), what)),
    ".SH EXAMPLES",
    ".nf",
    ...facts.examples.split("\n").filter((line) => line.startsWith("  ")).map((line) =>
      escaped(line.slice(2))
    ),
    ".fi",
    ".SH SEE ALSO",
    ".BR systemctl (1),",
    ".BR journalctl (1)",
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines({ path, description, values, own, shared }: CommandRow): string[] {
  const synopsis = ["saker", ...path].join(" ");
  const also = shared.map(({ names }) => `\\fB${escaped(names[0]!)}\\fR`);
  return [
    `.SS ${synopsis}${values.length === 0 ? "" : ` ${escaped(values.join(" "))}`}`,
    escaped(description),
    ...own.filter(({ names }) => !names.includes("--help")).flatMap(optionLines),
    ...(also.length === 0 ? [] : [".PP", `Also: ${also.join(", ")}`]),
  ];
}

function optionLines({ names, value, description }: OptionRow): string[] {
  const flags = names.map((name) => `\\fB${escaped(name)}\\fR`).join(", ");
  return tagged(value === "" ? flags : `${flags} \\fI${escaped(value)}\\fR`, escaped(description));
}

function tagged(tag: string, text: string): string[] {
  return [".TP", tag, text];
}

/** What roff would take for its own: backslashes, hyphens that are to stay hyphens, and a dot or an
 * apostrophe at the beginning of a line; and what a terminal of ASCII cannot show. */
function escaped(text: string): string {
  return text.replaceAll("…", "...").replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}
