// The entry: arguments → one command → exit code.
import { runProgram } from "./cli/program.ts";
import { systemTerminal } from "./cli/terminal.ts";
import { givenArguments } from "./words/raw_arguments.ts";

/** What is told at the end has so long to be read. */
const FLUSH_MS = 2_000;

const given = givenArguments(Deno.args, commandLine());
const terminal = systemTerminal(given.nameOf);
const code = await runProgram(given.arguments, terminal);
await terminal.flushed(FLUSH_MS);
Deno.exit(code);

function commandLine(): Uint8Array {
  try {
    return Deno.readFileSync("/proc/self/cmdline");
  } catch {
    return new Uint8Array(0);
  }
}
