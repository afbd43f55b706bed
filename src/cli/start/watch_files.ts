// Tells when files change, so that rules can be read anew: paths of files and directories come
// in, one call comes out for each burst of changes.
import { dirname, resolve } from "node:path";

export interface FileWatch {
  close(): void;
}

/** A file is often written in several steps; the changes of this time are one. */
const QUIET_MS = 100;

/**
 * Calls `onChange` after a file, or anything in a directory, was changed, replaced or removed.
 * The directories of files are watched, since a replaced file is another one.
 */
export function watchFiles(paths: readonly string[], onChange: () => void): FileWatch {
  const files = new Set<string>();
  const directories = new Set<string>();
  const watched = new Set<string>();
  for (const path of paths.map((one) => resolve(one))) {
    const isDirectory = directoryAt(path);
    (isDirectory ? directories : files).add(path);
    watched.add(isDirectory ? path : dirname(path));
  }
  const places = [...watched].filter(directoryAt);
  if (places.length === 0) return { close() {} };
  const watcher = Deno.watchFs(places, { recursive: false });
  const concerns = (path: string) => files.has(path) || directories.has(dirname(path));
  let timer: number | undefined;
  const follow = async () => {
    for await (const { kind, paths: changed } of watcher) {
      if (kind === "access" || !changed.some(concerns)) continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, QUIET_MS);
    }
  };
  // A watch that breaks off under way is no reason to end: SIGHUP still reads the rules anew.
  follow().catch(() => {});
  return {
    close(): void {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

function directoryAt(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
