// A file exchanged in one step: bytes come in, and whoever opens the name meanwhile finds the old
// ones or the new ones, whole, also after the power failed.
import { basename, dirname, join } from "node:path";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { reasonOf } from "../files/reason.ts";

/** Throws one line. */
export function replaceFile(path: string, bytes: Uint8Array, mode: number): void {
  const beside = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    using file = Deno.openSync(beside, { write: true, createNew: true, mode });
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    Deno.renameSync(beside, path);
    const directory = openSync(dirname(path), "r");
    fsyncSync(directory);
    closeSync(directory);
  } catch (error) {
    try {
      Deno.removeSync(beside);
    } catch {
      // It was not made, or has its name already.
    }
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}
