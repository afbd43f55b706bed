// Joins a directory and a path the way Falco shows paths: textually, without asking the kernel.
// An absolute path stands for itself; `.`, `..` and repeated slashes are taken out, a slash at the
// end is dropped; a result that Falco's buffer would not hold becomes TOO_LONG.
import { EMPTY, MISSING, type Strings } from "./strings.ts";

/** Bytes of the longest path, both parts and a NUL together. */
const PATH_MAX = 1024;
const SLASH = 47;
const DOT = 46;
/** Pairs remembered; a power of two. A newer pair replaces an older one in the same place. */
const MEMO_SIZE = 1 << 15;

const DELETED = " (deleted)";

/** The directory that a path starts from where a call was given none. */
export const AT_FDCWD = -100;

export class Paths {
  readonly #strings: Strings;
  readonly #out = new Uint8Array(2 * PATH_MAX + 2);
  readonly #outView = new DataView(this.#out.buffer);
  readonly #tooLong: number;
  /** Directory, path and what they make, side by side; the fourth place is free. */
  readonly #memo = new Int32Array(MEMO_SIZE << 2).fill(MISSING);
  #generation = 0;

  constructor(strings: Strings) {
    this.#strings = strings;
    this.#tooLong = strings.internText("/DIR_TOO_LONG/FILENAME_TOO_LONG");
  }

  /** Id of `path` as seen from `directory`, which ends with a slash or is EMPTY. */
  join(directory: number, path: number): number {
    if (path === EMPTY) return EMPTY;
    const strings = this.#strings;
    if (this.#generation !== strings.generation) this.#forget();
    return this.#recall(directory, path) ??
      this.#remember(directory, path, this.#compute(directory, path));
  }

  /** As `join` for a directory that may lack the slash at its end; EMPTY is the path alone. */
  joinBelow(directory: number, path: number): number {
    if (path === EMPTY || directory === EMPTY) return this.join(EMPTY, path);
    const strings = this.#strings;
    if (this.#generation !== strings.generation) this.#forget();
    // Kept apart from what `join` remembers of the same directory.
    const key = -2 - directory;
    return this.#recall(key, path) ??
      this.#remember(key, path, this.#compute(this.withSlash(directory), path));
  }

  /** As `join`, a slash put behind where there is none: how a working directory is kept. */
  joinDirectory(directory: number, path: number): number {
    return this.withSlash(this.join(directory, path));
  }

  /** The path without the kernel's " (deleted)" behind it. */
  withoutDeleted(path: number): number {
    const strings = this.#strings;
    const length = strings.length(path);
    if (length <= DELETED.length || strings.byteAt(path, length - 1) !== 41) return path;
    const text = strings.bytes(path);
    for (let at = 0; at < DELETED.length; at++) {
      if (text[length - DELETED.length + at] !== DELETED.charCodeAt(at)) return path;
    }
    return strings.intern(text.slice(), 0, length - DELETED.length);
  }

  /** The id of the string with a slash at its end. */
  withSlash(id: number): number {
    const strings = this.#strings;
    const length = strings.length(id);
    if (length > 0 && strings.byteAt(id, length - 1) === SLASH) return id;
    const out = length < this.#out.length ? this.#out : new Uint8Array(length + 1);
    const end = strings.copyTo(id, out, 0);
    out[end] = SLASH;
    return strings.intern(out, 0, end + 1);
  }

  #recall(key: number, path: number): number | undefined {
    const memo = this.#memo;
    const at = slotOf(key, path);
    return memo[at] === key && memo[at + 1] === path ? memo[at + 2]! : undefined;
  }

  #remember(key: number, path: number, joined: number): number {
    const memo = this.#memo;
    const at = slotOf(key, path);
    memo[at] = key;
    memo[at + 1] = path;
    return memo[at + 2] = joined;
  }

  #forget(): void {
    this.#memo.fill(MISSING);
    this.#generation = this.#strings.generation;
  }

  #compute(directory: number, path: number): number {
    const strings = this.#strings;
    const absolute = strings.byteAt(path, 0) === SLASH;
    if (strings.length(directory) + strings.length(path) + 1 > PATH_MAX) return this.#tooLong;
    const out = this.#out;
    const base = absolute ? 0 : strings.copyTo(directory, out, 0);
    const end = normalize(out, base, strings.bytes(path));
    return strings.internView(this.#outView, out, 0, end);
  }
}

function slotOf(key: number, path: number): number {
  return (Math.imul(key, 0x9e3779b1) ^ Math.imul(path, 0x85ebca6b)) >>> 17 << 2;
}

/**
 * Appends `path` to the `base` bytes in `out`, resolving dots against what is there. Returns the
 * new length.
 */
function normalize(out: Uint8Array, base: number, path: Uint8Array): number {
  const empty = base === 0;
  let to = base;
  let from = 0;
  while (from < path.length) {
    const byte = path[from]!;
    if (byte === 0) break;
    if (byte === DOT && (to === 0 || out[to - 1] === SLASH)) {
      const next = path[from + 1] ?? 0;
      const after = path[from + 2] ?? 0;
      if (next === DOT && (after === SLASH || after === 0)) {
        to = parentEnd(out, to);
        from += after === SLASH ? 3 : 2;
        continue;
      }
      if (next === SLASH || next === 0) {
        from += next === SLASH ? 2 : 1;
        continue;
      }
    } else if (byte === SLASH) {
      const repeated = to > 0 ? out[to - 1] === SLASH : !empty;
      if (repeated) {
        from++;
        continue;
      }
    }
    out[to++] = byte;
    from++;
  }
  return to > 1 && out[to - 1] === SLASH ? to - 1 : to;
}

/** Length of what is left when the last component goes, its parent's slash kept. */
function parentEnd(out: Uint8Array, to: number): number {
  if (to <= 1) return to;
  to--;
  while (to >= 1 && out[to - 1] !== SLASH) to--;
  return to;
}
