// How a process of a plugin in TypeScript is started: this program, told so by its argument.

/** The argument: no command for people. */
export const PROCESS_COMMAND = "plugin-process";

const SHOWN_MAX = 64;

/** From here. */
const MAIN = ["..", "..", "main.ts"].join("/");

/** The program and its arguments, the last of which is for `ps`. From the sources, where it is not
 * compiled, they are run. */
export function processCommand(name: string): readonly string[] {
  const program = Deno.execPath();
  const shown = `plugin:${name.replaceAll(/[^\w.-]/g, "_").slice(0, SHOWN_MAX)}`;
  if (Deno.build.standalone) return [program, PROCESS_COMMAND, shown];
  const main = new URL(MAIN, import.meta.url).href;
  return [program, "run", "--quiet", "-A", main, PROCESS_COMMAND, shown];
}
