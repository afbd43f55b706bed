// `saker rollout key FILE`: a new pair of keys as two files. What is there is never written over: a
// private key that is gone cannot be had again.
import { reasonOf } from "../../files/reason.ts";
import { makeKeys } from "../../rollout/keys.ts";
import { visibleLine } from "../../words/visible.ts";
import type { Terminal } from "../terminal.ts";

export async function makeKeyFiles(file: string, terminal: Terminal): Promise<number> {
  const { privatePem, publicPem, id } = await makeKeys();
  write(file, privatePem, 0o600);
  write(`${file}.pub`, publicPem, 0o644);
  terminal.out(
    `Key ${id}: ${visibleLine(file)} signs and stays secret, ` +
      `${visibleLine(file)}.pub is for the hosts (rollout.public_keys)\n`,
  );
  return 0;
}

function write(file: string, text: string, mode: number): void {
  try {
    Deno.writeTextFileSync(file, text, { createNew: true, mode });
  } catch (error) {
    throw new Error(`Cannot write ${visibleLine(file)}: ${reasonOf(error)}`);
  }
}
