// The command line: arguments come in, one command runs, the exit code goes out. Every failure
// is one line on standard error that begins with "Error: ".
import { Command, CommanderError } from "commander";
import type { InstallFlags } from "./commands/install.ts";
import { addAlerts } from "./commands/alerts_flags.ts";
import { addDriverCommands } from "./commands/driver_commands.ts";
import { addFleet } from "./commands/fleet_flags.ts";
import { addFlags, readFlags } from "./flags.ts";
import { addPage } from "./commands/page_flags.ts";
import { addRecord } from "./commands/record_flags.ts";
import { addTrace } from "./commands/trace_flags.ts";
import { reasonOf } from "../files/reason.ts";
import { addRollout } from "./commands/rollout_commands.ts";
import { addRulesCommands } from "./commands/rules_commands.ts";
import { addTune } from "./commands/tune_flags.ts";
import { addPluginCommands } from "./commands/plugin_commands.ts";
import { nearest } from "../words/nearest.ts";
import { visibleLine } from "../words/visible.ts";
import { addTop } from "./commands/top_flags.ts";
import { goneFlag } from "./gone_flags.ts";
import { OutputFailed, PipeClosed, type Terminal } from "./terminal.ts";

const ABOUT = `Watches this Linux host through the kernel and prints an alert for what its rules
match. Speaks Falco's language: rules, falco.yaml, alerts and flags.`;

const EXAMPLES = `
Examples:
  saker                               watch this host with the built-in rules
  saker | jq -r .rule                 alerts as JSON lines
  saker -r falco_rules.yaml           with Falco's rules
  saker -c falco.yaml -o json_output=true
  saker alerts --since 1h             what the saker that runs here told
  saker record trace.scap -M 10       ten seconds of this host as a capture
  saker replay trace.scap             alerts of a capture
  saker trace -- make install         what a command does, without any privilege
  saker COMMAND --help                more of a command

No configuration file is read without -c: then the built-in defaults and rules hold.`;

/** Runs what the arguments ask for and returns the exit code. */
export async function runProgram(
  given: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let code = 0;
  const args = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  const wantsHelp = args.some((arg) => arg === "--help" || arg === "-h");
  const help = wantsHelp ? await import("./help.ts") : undefined;
  const columns = help?.helpWidth(terminal) ?? 80;
  const program = new Command("saker")
    .description(ABOUT)
    .helpOption("-h, --help", "show this help and exit")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureHelp(help?.helpSettings(terminal) ?? {})
    .configureOutput({
      // All of it is ours, colours included.
      writeOut: (text) => terminal.paint(help?.fitted(text, columns) ?? text),
      writeErr: () => {},
      getOutHelpWidth: () => columns,
      getOutHasColors: () => terminal.colour,
    });
  addFlags(program);
  program.action(async () => {
    const { runDefault } = await import("./commands/default_command.ts");
    code = await runDefault(readFlags(program), terminal);
  });
  const onEnd = (exitCode: number) => {
    code = exitCode;
  };
  program.commandsGroup("The saker that runs here:");
  addTop(program, onEnd, terminal);
  addAlerts(program, onEnd, terminal);
  addPage(program, onEnd, terminal);
  addTune(program, onEnd, terminal);
  program.commandsGroup("Many hosts:");
  addFleet(program, onEnd, terminal);
  program.commandsGroup("Captures:");
  addRecord(program, onEnd, terminal);
  program.command("replay")
    .description("run captures (.scap) through the rules and exit; - reads standard input")
    .argument("<files...>", "capture files, in order")
    .action(async (files: string[]) => {
      const { replay } = await import("./commands/replay.ts");
      code = await replay(files, readFlags(program), terminal);
    });
  program.commandsGroup("Rules and plugins:");
  addRulesCommands(program, onEnd, terminal);
  addPluginCommands(program, onEnd, terminal);
  addRollout(program, onEnd, terminal);
  program.commandsGroup("This host:");
  addDoctor(program, onEnd, terminal);
  addDriverCommands(program, onEnd, terminal);
  addTrace(program, onEnd, terminal);
  program.command("config")
    .description("print the configuration that holds without a file, every key with its meaning")
    .option("--explain <file>", "tell what saker does with each key of this configuration")
    .action(async (options: { readonly explain?: string }) => {
      const { printConfig } = await import("./commands/config.ts");
      code = printConfig(options, readFlags(program), terminal);
    });
  addInstall(program, onEnd, terminal);
  addPrinted(program, onEnd, terminal);
  program.command("plugin-process", { hidden: true })
    .description("the process of a plugin in TypeScript; saker starts it")
    .argument("[name]", "which plugin's, for ps")
    .action(async () => {
      const { runPluginProcess } = await import("../plugins/typescript/own_process.ts");
      code = await runPluginProcess((code) => Deno.exit(code));
    });
  program.command("version")
    .description("print the version and exit")
    .action(async () => {
      const { version } = await import("./commands/version.ts");
      code = version(readFlags(program), terminal);
    });

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return failure(error, program, terminal);
  }
}

function addDoctor(program: Command, onEnd: (code: number) => void, terminal: Terminal): void {
  program.command("doctor")
    .description("check what saker needs of this host, and that the probe sees")
    .option("--json", "as JSON, with every program of the probe")
    .action(async (options: { readonly json?: boolean }) => {
      const { doctor } = await import("./commands/doctor.ts");
      onEnd(await doctor({ ...readFlags(program), ...options }, terminal));
    });
}

function addInstall(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const root = ["--root <directory>", "below this directory instead of /"] as const;
  program.command("install")
    .description("install the program, its configuration and a systemd unit; changed files stay")
    .option(...root)
    .option("--falco", "use /etc/falco/falco.yaml as it is")
    .action(async (options: InstallFlags) => {
      const { install } = await import("./commands/install.ts");
      onEnd(install(options, terminal));
    });
  program.command("uninstall")
    .description("remove what install put there, unless it was changed since")
    .option(...root)
    .action(async (options: InstallFlags) => {
      const { uninstall } = await import("./commands/install.ts");
      onEnd(uninstall(options, terminal));
    });
}

/** What a package brings besides the program, made of the commands themselves. */
function addPrinted(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  program.command("completions")
    .description("print completions of commands and options for bash, zsh or fish")
    .argument("<bash|zsh|fish>", "for which shell")
    .action(async (shell: string) => {
      const { printCompletions } = await import("./commands/completions.ts");
      onEnd(printCompletions(shell, program, terminal));
    });
  program.command("man")
    .description("print the man page in roff: saker man | man -l -")
    .option("--date <day>", "what it says of its date, such as 2026-11-27")
    .action(async (options: { readonly date?: string }) => {
      const { printManPage } = await import("./commands/man.ts");
      onEnd(printManPage(options, EXAMPLES, program, terminal));
    });
}

/** Commander's "too many arguments[ for 'doctor']. Expected 0 arguments but got 1: x." */
function excess(message: string, program: Command): string {
  const argument = /got \d+: ([^]*)\.$/.exec(message)?.[1] ?? "";
  const command = /for '([^']+)'/.exec(message)?.[1];
  if (command !== undefined && command !== "saker") {
    return `unexpected argument "${argument}" of ${command}`;
  }
  const meant = nearest(argument, program.commands.map((one) => one.name()));
  return `unknown command "${argument}"${meant === undefined ? "" : `, did you mean ${meant}?`}`;
}

/** Commander's "option '-M, --seconds <n>' argument 'x' is invalid. expected a number". */
function invalid(message: string): string {
  const parts = /^error: option '(?:-\w, )?(\S+)[^']*' argument '([^]*)' is invalid\. ([^]*)$/
    .exec(message);
  return parts === null ? message : `${parts[1]} ${parts[2]}: ${parts[3]}`;
}

function wordsOf({ code, message }: CommanderError, program: Command): string {
  switch (code) {
    case "commander.excessArguments":
      return excess(message, program);
    case "commander.invalidArgument":
      return invalid(message);
    default:
      return message;
  }
}

function failure(error: unknown, program: Command, terminal: Terminal): number {
  if (error instanceof PipeClosed) return 0;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const text = wordsOf(error, program).replace(/^error: /, "");
    const command = program.commands.find((one) => program.args[0] === one.name());
    const name = command === undefined ? "saker" : `saker ${command.name()}`;
    const hint = goneFlag(error.message) ?? `${name} --help shows what there is`;
    terminal.error(`Error: ${visibleLine(text)} (${hint})\n`);
    return 1;
  }
  if (error instanceof OutputFailed) {
    terminal.error(`Error: ${error.message}: ${reasonOf(error.cause)}\n`);
    return 1;
  }
  terminal.error(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}
