// The options of `saker trace`: arguments come in, TraceFlags go out.
import { type Command, InvalidArgumentError } from "commander";
import { type Flags, readFlags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import type { TraceFlags } from "./trace.ts";

const ABOUT = `follow a command, or a process, and what it starts with ptrace(2): no privileges and
no kernel support are needed`;

const EXAMPLES = `
Examples:
  saker trace -- make install            alerts on standard error, make's exit code
  saker trace --alerts alerts.json -- ./setup.sh
  saker trace -p 4711                    a process that runs; ctrl-C lets it go on
  saker trace --fast -- make -j8         only calls that rules need stop; make ends with saker

The command's standard streams, signals and exit code are its own. docs/drivers.md says what a
tracer does not see.`;

export function addTrace(
  program: Command,
  onCode: (code: number) => void,
  terminal: Terminal,
): void {
  program.command("trace")
    .description(ABOUT.replaceAll("\n", " "))
    .argument("[command...]", "the command and its arguments, behind --")
    .option("-p, --pid <pid>", "a process that runs, with all that it has started")
    .option("--alerts <file>", "append alerts to this file instead of standard error")
    .option("--fast", "stop only at calls that rules need (seccomp); the command ends with saker")
    .addHelpText("after", EXAMPLES)
    .action(async (command: string[], options: Omit<TraceFlags, "pid"> & { pid?: string }) => {
      const { trace } = await import("./trace.ts");
      const { print, ...flags } = readFlags(program);
      // The same letter is Falco's for the format of outputs, and is read first.
      const pid = options.pid ?? print;
      const { pid: _, ...others } = options;
      const wanted = { ...others, ...(pid === undefined ? {} : { pid: processOf(pid) }) };
      onCode(await trace(command, wanted, flags satisfies Flags, terminal));
    });
}

const PID_MAX = 4_194_304;

function processOf(value: string): number {
  const pid = /^\d{1,7}$/.test(value) ? Number(value) : 0;
  if (pid > 0 && pid <= PID_MAX) return pid;
  throw new InvalidArgumentError(`-p wants the id of a process, and not "${value}"`);
}
