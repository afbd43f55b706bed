// A program's file → its SHA-256. The file is looked for where its process ran it, and is only
// read where inode and times are those that the kernel told when it was executed.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";

export interface SumRequest {
  /** What the answer will carry. */
  readonly key: string;
  readonly pid: number;
  readonly parentPid: number;
  /** As the process saw it. */
  readonly path: string;
  readonly inode: bigint;
  /** Times of the file's change and of its content's, and of its execution; ns since the epoch. */
  readonly changed: bigint;
  readonly modified: bigint;
  readonly executed: bigint;
}

export interface SumAnswer {
  readonly key: string;
  /** In hexadecimal; undefined where the file is not to be had any more, or is too long. */
  readonly sum: string | undefined;
}

/** Longer files are not read: nobody may keep the thread busy with one of them. */
const LENGTH_MAX = 512n << 20n;
const CHUNK_BYTES = 1 << 20;
/** So many sums are kept. */
const KEPT_MAX = 4096;

/** Reads files and remembers their sums by device, inode and change time. */
export class ProgramFiles {
  readonly #hostRoot: string;
  readonly #sums = new Map<string, string>();
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);

  constructor(hostRoot: string) {
    this.#hostRoot = hostRoot;
  }

  sumOf(request: SumRequest): string | undefined {
    for (const place of placesOf(request)) {
      try {
        const sum = this.#sumAt(`${this.#hostRoot}${place}`, request);
        if (sum !== undefined) return sum;
      } catch {
        // Gone, or not ours to read: the next place may do.
      }
    }
    return undefined;
  }

  #sumAt(file: string, request: SumRequest): string | undefined {
    // Asked before it is opened: opening what has taken the file's place may have effects.
    if (!isTheFile(statSync(file, { bigint: true }), request)) return undefined;
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = fstatSync(descriptor, { bigint: true });
      if (!isTheFile(found, request)) return undefined;
      const identity = `${found.dev} ${found.ino} ${request.changed} ${request.modified}`;
      const known = this.#sums.get(identity);
      if (known !== undefined) return known;
      const sum = this.#read(descriptor);
      const after = fstatSync(descriptor, { bigint: true });
      if (sum === undefined || !isTheFile(after, request)) return undefined;
      keep(this.#sums, identity, sum, KEPT_MAX);
      return sum;
    } finally {
      closeSync(descriptor);
    }
  }

  #read(descriptor: number): string | undefined {
    const hash = createHash("sha256");
    let length = 0n;
    for (;;) {
      const read = readSync(descriptor, this.#chunk, 0, CHUNK_BYTES, null);
      if (read === 0) return hash.digest("hex");
      length += BigInt(read);
      if (length > LENGTH_MAX) return undefined;
      hash.update(this.#chunk.subarray(0, read));
    }
  }
}

/** Deno tells the time of change in seconds only, so that a change within one goes unseen. */
const CHANGE_UNIT_NS = 1_000_000_000n;
/** It tells the time of modification in milliseconds. */
const MODIFICATION_UNIT_NS = 1_000_000n;

function placesOf({ pid, parentPid, path, changed, executed }: SumRequest): string[] {
  // What a process runs cannot be written to; a file that no process holds any more may have been,
  // which shows only if its execution was not in the second of its last change.
  const running = `/proc/${pid}/exe`;
  const wouldShow = executed / CHANGE_UNIT_NS > changed / CHANGE_UNIT_NS;
  if (!path.startsWith("/") || !wouldShow) return [running];
  return [running, `/proc/${parentPid}/root${path}`, path];
}

interface Found {
  readonly ino: bigint;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly size: bigint;
  isFile(): boolean;
}

function isTheFile(found: Found, { inode, changed, modified }: SumRequest): boolean {
  return found.isFile() && found.ino === inode &&
    found.ctimeNs / CHANGE_UNIT_NS === changed / CHANGE_UNIT_NS &&
    found.mtimeNs / MODIFICATION_UNIT_NS === modified / MODIFICATION_UNIT_NS &&
    found.size <= LENGTH_MAX;
}

/** Adds to a map of limited size; what was added first goes first. */
export function keep<Kept>(map: Map<string, Kept>, key: string, kept: Kept, max: number): void {
  map.delete(key);
  if (map.size >= max) map.delete(map.keys().next().value!);
  map.set(key, kept);
}
