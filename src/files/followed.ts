// A file, or all plain files of a directory, that somebody appends lines to and begins anew from
// time to time: pieces of whole lines come out. A file that gives way to another one of its name is
// read to its end, for some seconds longer than that, since its writer may not know yet.
//
// To be called from a thread of its own: it waits where a mount hangs.
import { basename, dirname, join } from "node:path";
import { codeOf, NotRegular, reasonOf } from "./reason.ts";
import { Tail, type TailPosition } from "./tail.ts";

export interface FollowOptions {
  readonly path: string;
  readonly lineBytesMax: number;
  /** Where somebody was before; undefined: what is there is passed over. */
  readonly positions?: readonly TailPosition[];
}

export interface FollowedPiece {
  readonly bytes: Uint8Array;
  /** The file that the lines are from. */
  readonly origin: string;
}

export interface FollowStats {
  /** Files that are open. */
  readonly files: number;
  readonly tooLong: number;
  /** Files that were made shorter, and such that gave way to another one. */
  readonly shortened: number;
  readonly rotated: number;
  /** Files of the directory beyond what may be open. */
  readonly refused: number;
  /** Why nothing comes; absent where all is well. */
  readonly problem?: string;
}

/** Of a directory. */
const FILES_MAX = 256;
/** A writer goes on for some time in a file that was renamed. */
const LEAVING_MS = 10_000;
const LIST_MS = 1_000;
/** Compressed when they were rotated; what was in them was read before. */
const PACKED = /\.(gz|bz2|xz|zst|zip)$/;

interface Followed {
  readonly tail: Tail;
  readonly origin: string;
  /** When it is let go. */
  readonly untilMs: number;
}

export class Follower {
  readonly #options: FollowOptions;
  readonly #isDirectory: boolean;
  /** The present file of the path, or those of the directory, behind such as give way. */
  #tails: Followed[] = [];
  #positions: readonly TailPosition[];
  #isFirst = true;
  #listMs = -Infinity;
  #problem: string | undefined;
  #rotated = 0;
  #refused = 0;
  #tooLong = 0;
  #shortened = 0;

  /** Throws where there is no directory that the file could come to be in. */
  constructor(options: FollowOptions) {
    this.#options = options;
    this.#positions = options.positions ?? [];
    this.#isDirectory = isDirectory(options.path);
    if (!this.#isDirectory && !isDirectory(dirname(options.path))) {
      throw new NotRegular("there is no such directory");
    }
  }

  stats(): FollowStats {
    const sum = (of: (tail: Tail) => number) =>
      this.#tails.reduce((all, { tail }) => all + of(tail), 0);
    return {
      files: this.#tails.length,
      tooLong: this.#tooLong + sum(({ tooLong }) => tooLong),
      shortened: this.#shortened + sum(({ shortened }) => shortened),
      rotated: this.#rotated,
      refused: this.#refused,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /** Where to go on after a restart. */
  positions(): TailPosition[] {
    return this.#tails.map(({ tail }) => tail.position());
  }

  /** The next lines; undefined where there are none at the moment. */
  read(nowMs: number): FollowedPiece | undefined {
    this.#look(nowMs);
    for (const one of this.#tails) {
      const bytes = this.#readFrom(one, nowMs);
      if (bytes !== undefined) return { bytes, origin: one.origin };
    }
    return this.#letGo(nowMs);
  }

  close(): void {
    for (const { tail } of this.#tails) tail.close();
    this.#tails = [];
  }

  #readFrom({ tail, origin }: Followed, nowMs: number): Uint8Array | undefined {
    try {
      return tail.read(nowMs);
    } catch (error) {
      this.#problem = `Cannot read ${origin}: ${reasonOf(error)}`;
      return undefined;
    }
  }

  /** The first of those whose time is over; its last line may lack its end. */
  #letGo(nowMs: number): FollowedPiece | undefined {
    const one = this.#tails.find(({ untilMs, tail }) => untilMs <= nowMs || isGone(tail, this));
    if (one === undefined) return undefined;
    const bytes = one.tail.rest();
    this.#forget(one);
    return bytes === undefined ? undefined : { bytes, origin: one.origin };
  }

  #forget(one: Followed): void {
    this.#tooLong += one.tail.tooLong;
    this.#shortened += one.tail.shortened;
    one.tail.close();
    this.#tails = this.#tails.filter((other) => other !== one);
  }

  /** Files of a directory that were removed are let go; that of a path may come again. */
  get letsRemovedGo(): boolean {
    return this.#isDirectory;
  }

  #look(nowMs: number): void {
    if (this.#isFirst) this.#resume(nowMs);
    if (this.#isDirectory) {
      if (nowMs - this.#listMs < LIST_MS) return;
      this.#listMs = nowMs;
      this.#lookAtDirectory(nowMs);
    } else this.#lookAtPath(nowMs);
    this.#isFirst = false;
  }

  /** Files that were read before and have another name by now come first. */
  #resume(nowMs: number): void {
    if (this.#positions.length === 0 || this.#isDirectory) return;
    const { path } = this.#options;
    const siblings = entriesOf(dirname(path)).filter((name) => name !== basename(path));
    for (const name of siblings) {
      const sibling = join(dirname(path), name);
      const info = statOf(sibling);
      const known = this.#positions.find(({ dev, ino }) => dev === info?.dev && ino === info?.ino);
      if (known === undefined) continue;
      const tail = this.#open(sibling, "start", nowMs);
      if (tail === undefined) continue;
      if (!tail.isAt(known)) {
        tail.close();
        continue;
      }
      tail.goTo(known);
      this.#tails.push({ tail, origin: sibling, untilMs: nowMs + LEAVING_MS });
    }
  }

  #lookAtPath(nowMs: number): void {
    const { path } = this.#options;
    const info = statOf(path);
    // Renamed or removed: what is still written into it is read.
    if (info === undefined || !info.isFile) return;
    const present = this.#tails.find(({ untilMs }) => untilMs === Infinity);
    if (present?.tail.ino === info.ino && present.tail.dev === info.dev) return;
    const tail = this.#begin(path, nowMs);
    if (tail === undefined) return;
    if (present !== undefined) {
      this.#rotated++;
      const leaving = { ...present, untilMs: nowMs + LEAVING_MS };
      this.#tails = this.#tails.map((one) => one === present ? leaving : one);
    }
    this.#tails.push({ tail, origin: path, untilMs: Infinity });
  }

  #lookAtDirectory(nowMs: number): void {
    this.#refused = 0;
    for (const name of entriesOf(this.#options.path)) {
      if (PACKED.test(name)) continue;
      const path = join(this.#options.path, name);
      const info = statOf(path);
      if (info === undefined || !info.isFile) continue;
      if (this.#tails.some(({ tail }) => tail.ino === info.ino && tail.dev === info.dev)) continue;
      if (this.#tails.length >= FILES_MAX) {
        this.#refused++;
        continue;
      }
      const tail = this.#begin(path, nowMs);
      if (tail !== undefined) this.#tails.push({ tail, origin: path, untilMs: Infinity });
    }
    const { path } = this.#options;
    if (this.#refused > 0) this.#problem = `${path}: more than ${FILES_MAX} files`;
  }

  /** At the end of what was there at the start, unless somebody was in it before. */
  #begin(path: string, nowMs: number): Tail | undefined {
    const wasBefore = this.#positions.length > 0;
    const tail = this.#open(path, this.#isFirst && !wasBefore ? "end" : "start", nowMs);
    const known = tail === undefined ? undefined : this.#positions.find((one) => tail.isAt(one));
    if (tail !== undefined && known !== undefined && this.#isFirst) tail.goTo(known);
    return tail;
  }

  #open(path: string, from: "start" | "end", nowMs: number): Tail | undefined {
    try {
      const { lineBytesMax } = this.#options;
      const tail = new Tail(path, { lineBytesMax, from, nowMs });
      this.#problem = undefined;
      return tail;
    } catch (error) {
      if (codeOf(error) !== "ENOENT") this.#problem = `Cannot read ${path}: ${reasonOf(error)}`;
      return undefined;
    }
  }
}

function isGone(tail: Tail, { letsRemovedGo }: Follower): boolean {
  return letsRemovedGo && tail.isRemoved();
}

function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory ?? false;
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

function entriesOf(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}
