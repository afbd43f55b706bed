// `saker plugin new NAME`: a plugin to begin with and the types for editors, in this directory.
import { reasonOf } from "../../files/reason.ts";
import { authorTypes } from "../../plugins/typescript/shipped.ts";
import { templateOf } from "../../plugins/typescript/template.ts";
import type { Terminal } from "../terminal.ts";

const TYPES_FILE = "saker-plugin.d.ts";

export function newPlugin(name: string, terminal: Terminal): number {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) || name === "syscall") {
    throw new Error(`expected a name of letters, digits and _, found "${name}"`);
  }
  write(`${name}.ts`, templateOf(name));
  // The same for every plugin of the directory.
  Deno.writeTextFileSync(TYPES_FILE, authorTypes());
  terminal.out(`Wrote ${name}.ts and ${TYPES_FILE}. Try it: `);
  terminal.out(`saker plugin try ./${name}.ts --open-params 5\n`);
  return 0;
}

/** What is there stays. */
function write(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text, { createNew: true });
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}
