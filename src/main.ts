// The entry: arguments → one command → exit code.
import { runProgram } from "./cli/program.ts";
import { systemTerminal } from "./cli/terminal.ts";

/** What is told at the end has so long to be read. */
const FLUSH_MS = 2_000;

const terminal = systemTerminal();
const code = await runProgram(Deno.args, terminal);
await terminal.flushed(FLUSH_MS);
Deno.exit(code);
