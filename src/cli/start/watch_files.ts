// Tells when files change, so that configuration and rules can be read anew: paths of files and
// directories come in, one call comes out for each burst of changes.
//
// A path may lead through links, as where Kubernetes mounts a ConfigMap: `rules.yaml` is a link to
// `..data/rules.yaml`, `..data` one to a directory with the time in its name, and an update renames
// another link over `..data`. So every link on the way is watched, and the way is found anew after
// each change. A path that is not there yet is waited for in the nearest directory that is.
import { dirname, join, resolve } from "node:path";

export interface FileWatch {
  /** Other paths from now on; a change that is about to be told is told. */
  watch(paths: readonly string[]): void;
  close(): void;
}

/** A file is often written in several steps; the changes of this time are one. */
const QUIET_MS = 100;
/** Somebody who never stops writing is not waited for. */
const BURST_MAX_MS = 2_000;
/** What a watch has not told by then, it will not tell. */
const RETIRED_MS = 2_000;
/** As in the kernel, for links that lead round in a circle. */
const LINKS_MAX = 40;

/** Entries of a directory that are looked at. */
const ENTRIES_MAX = 1_000;

/**
 * Calls `onChange` after a file, or anything in a directory, was changed, replaced or removed: from
 * now on, or since `stampOf` gave that stamp. Waits where a path leads to a mount that hangs.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  stamp?: string,
): FileWatch {
  const watch = new Watch(paths, onChange, stamp);
  return {
    watch: (others) => watch.turnTo(others),
    close: () => watch.close(),
  };
}

class Watch {
  readonly #onChange: () => void;
  #paths: readonly string[];
  #way: Way;
  #watcher: Deno.FsWatcher | undefined;
  #timer: number | undefined;
  #firstMs: number | undefined;
  /** Those of a way that is no more, by the timers that will close them. */
  readonly #retired = new Map<number, Deno.FsWatcher>();

  constructor(paths: readonly string[], onChange: () => void, stamp: string | undefined) {
    this.#onChange = onChange;
    this.#paths = paths;
    this.#way = wayOf(paths);
    this.#watcher = open(this.#way);
    this.#follow();
    if (stamp !== undefined && stampOf(paths) !== stamp) this.#changed();
  }

  turnTo(paths: readonly string[]): void {
    this.#paths = paths;
    this.#find();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
    for (const [timer, watcher] of this.#retired) {
      clearTimeout(timer);
      watcher.close();
    }
    this.#retired.clear();
  }

  /** Finds the way anew, and watches it where it leads elsewhere than before. */
  #find(): void {
    const way = wayOf(this.#paths);
    if (way.stamp === this.#way.stamp) return;
    // The old one goes on for a while: it may still have to tell of what was before the new one.
    const watcher = open(way);
    this.#retire(this.#watcher);
    this.#watcher = watcher;
    this.#way = way;
    this.#follow();
  }

  #retire(watcher: Deno.FsWatcher | undefined): void {
    if (watcher === undefined) return;
    const timer = setTimeout(() => {
      watcher.close();
      this.#retired.delete(timer);
    }, RETIRED_MS);
    this.#retired.set(timer, watcher);
  }

  async #read(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind !== "access" && paths.some((path) => concerns(this.#way, path))) this.#changed();
    }
  }

  #follow(): void {
    // A watch that breaks off under way is no reason to end: SIGHUP still reads all anew.
    if (this.#watcher !== undefined) this.#read(this.#watcher).catch(() => {});
  }

  #changed(): void {
    const nowMs = performance.now();
    this.#firstMs ??= nowMs;
    if (this.#timer !== undefined && nowMs - this.#firstMs > BURST_MAX_MS) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#told(), QUIET_MS);
  }

  #told(): void {
    this.#timer = undefined;
    this.#firstMs = undefined;
    try {
      this.#find();
    } catch {
      // No more watches are to be had: those of before go on.
    }
    this.#onChange();
  }
}

interface Way {
  /** Directories to watch. */
  readonly places: readonly string[];
  /** Names in them that matter. */
  readonly names: ReadonlySet<string>;
  /** Directories of which every name matters. */
  readonly whole: ReadonlySet<string>;
  /** Differs where a link leads elsewhere, or a directory is another one. */
  readonly stamp: string;
}

function wayOf(given: readonly string[]): Way {
  const paths = given.map((path) => resolve(path));
  const places = new Set<string>();
  const names = new Set<string>();
  const whole = new Set<string>();
  const stamp: string[] = [];
  for (const path of paths) {
    const { steps, end, missing } = stepsOf(path);
    for (const step of [...steps, end]) {
      names.add(step);
      places.add(dirname(step));
    }
    stamp.push(steps.join(">"), end, missing ? "-" : "");
    if (!isDirectory(end)) continue;
    places.add(end);
    whole.add(end);
    for (const link of linksIn(end)) {
      const way = stepsOf(link);
      for (const step of [...way.steps, way.end]) {
        names.add(step);
        places.add(dirname(step));
      }
      stamp.push(way.steps.join(">"), way.end);
    }
  }
  const there = [...places].filter(isDirectory).sort();
  return { places: there, names, whole, stamp: [...stamp, ...there.map(identity)].join("\n") };
}

/** The links on the way to a path, and where it ends: at what is there, or at what is missing. */
function stepsOf(path: string): { steps: string[]; end: string; missing: boolean } {
  const steps: string[] = [];
  let parts = path.split("/").filter((part) => part !== "");
  let at = "/";
  while (parts.length > 0) {
    const [part, ...rest] = parts;
    const next = join(at, part!);
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(next);
    } catch {
      return { steps, end: next, missing: true };
    }
    if (info.isSymlink && steps.length < LINKS_MAX) {
      steps.push(next);
      const target = resolve(at, Deno.readLinkSync(next));
      parts = [...target.split("/").filter((one) => one !== ""), ...rest];
      at = "/";
    } else {
      parts = rest;
      at = next;
    }
  }
  return { steps, end: at, missing: false };
}

function concerns({ names, whole }: Way, path: string): boolean {
  return names.has(path) || whole.has(dirname(path));
}

/** Differs where something of what is watched is another file than before, or was written to. */
export function stampOf(paths: readonly string[]): string {
  const { stamp, names, whole } = wayOf(paths);
  const inside = [...whole].flatMap((directory) => entriesOf(directory).map(({ path }) => path));
  const files = [...names, ...inside].sort().map((path) => {
    try {
      const { dev, ino, size, mtime } = Deno.lstatSync(path);
      return `${path} ${dev}:${ino} ${size} ${mtime?.getTime()}`;
    } catch {
      return path;
    }
  });
  return [stamp, ...files].join("\n");
}

function open({ places }: Way): Deno.FsWatcher | undefined {
  return places.length === 0 ? undefined : Deno.watchFs([...places], { recursive: false });
}

/** The first entries of a directory. */
function entriesOf(directory: string): { path: string; isSymlink: boolean }[] {
  const found: { path: string; isSymlink: boolean }[] = [];
  try {
    for (const { name, isSymlink } of Deno.readDirSync(directory)) {
      if (found.length === ENTRIES_MAX) break;
      found.push({ path: join(directory, name), isSymlink });
    }
  } catch {
    // It is gone again.
  }
  return found;
}

function linksIn(directory: string): string[] {
  return entriesOf(directory).filter(({ isSymlink }) => isSymlink).map(({ path }) => path).sort();
}

function identity(path: string): string {
  try {
    const { dev, ino, isDirectory } = Deno.statSync(path);
    return isDirectory ? `${dev}:${ino}` : "";
  } catch {
    return "-";
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
