// Arguments of the command line that are no UTF-8. The front (front-rs/) has put others in their
// place, since the runtime bears none: the descriptor of the file where there is one, else escapes.
// The kernel still has them as they were: with those bytes come the texts that keep them.
import { rawText } from "./raw_text.ts";

export interface GivenArguments {
  /** Descriptors stay, so that the files are read; what is no file yet has its own bytes. */
  readonly arguments: readonly string[];
  /** The name of a file to be written, where `path` is a descriptor that stands for it. */
  nameOf(path: string): string;
}

/** `seen`: what the runtime has; `line`: /proc/self/cmdline, as proc(5) has it. */
export function givenArguments(seen: readonly string[], line: Uint8Array): GivenArguments {
  const names = new Map<string, string>();
  const given = argumentsOf(line);
  // Another program in front of ours: nothing can be said.
  if (given.length !== seen.length + 1) return { arguments: seen, nameOf: (path) => path };
  const fixed = seen.map((argument, at) => {
    const raw = rawText(given[at + 1]!);
    if (raw.isWellFormed()) return argument;
    const descriptor = /^(.*?)(\/proc\/self\/fd\/\d+)$/s.exec(argument);
    if (descriptor === null) return raw;
    const [, before, path] = descriptor;
    names.set(path!, raw.slice(before!.length));
    return argument;
  });
  return { arguments: fixed, nameOf: (path) => names.get(path) ?? path };
}

function argumentsOf(line: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < line.length;) {
    const end = line.indexOf(0, at);
    const to = end < 0 ? line.length : end;
    found.push(line.subarray(at, to));
    at = to + 1;
  }
  return found;
}
