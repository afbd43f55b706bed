// How a process of a plugin in TypeScript is started: this program, told so by its argument.

/** The argument: no command for people. */
export const PROCESS_COMMAND = "plugin-process";

/** From here. */
const MAIN = ["..", "..", "main.ts"].join("/");

/** The program and its arguments. From the sources, where it is not compiled, they are run. */
export function processCommand(): readonly string[] {
  const program = Deno.execPath();
  if (Deno.build.standalone) return [program, PROCESS_COMMAND];
  const main = import.meta.resolve(MAIN);
  return [program, "run", "--quiet", "-A", main, PROCESS_COMMAND];
}
