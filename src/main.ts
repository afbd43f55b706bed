// The entry: arguments → one command → exit code.
import { runProgram } from "./cli/program.ts";
import { systemTerminal } from "./cli/terminal.ts";

Deno.exit(await runProgram(Deno.args, systemTerminal()));
