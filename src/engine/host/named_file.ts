// Files to be written whose names are no UTF-8, which the runtime cannot name: a text that holds
// such bytes (src/words/raw_text.ts) comes in, a path that the runtime can open goes out.
import { getSystemErrorName } from "node:util";
import { bytesOf } from "../../words/raw_text.ts";
import { loadAddon } from "./addon.ts";

export interface ReachableFile {
  readonly path: string;
  /** To be called once it is opened. */
  release(): void;
}

/**
 * The file under that name, made where there is none and the name is no UTF-8. Throws an error with
 * the system's code. The addon is loaded for such a name alone.
 */
export function reachable(name: string): ReachableFile {
  if (name.isWellFormed()) return { path: name, release() {} };
  const file = loadAddon().NamedFile.open(bytesOf(name));
  const descriptor = file.descriptor();
  if (descriptor < 0) {
    const code = getSystemErrorName(descriptor);
    throw Object.assign(new Error(`${code}: cannot open it`), { code });
  }
  return { path: `/proc/self/fd/${descriptor}`, release: () => file.close() };
}
