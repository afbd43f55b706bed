// The text of a file that somebody named: rules, configuration, certificates. Only regular files
// and pipes are read, never more than a bound that is known before, and nothing is waited for for
// long: a FIFO that nobody writes to, a device without an end, a file of gigabytes are errors.
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { codeOf, NotRegular, reasonOf } from "./reason.ts";

/** A pipe has so long to give something, again and again until its end. */
const PIPE_MS = 5_000;
const PIPE_POLL_MS = 20;
const CHUNK_BYTES = 64 << 10;

/** Throws what `reasonOf` has words for. A byte order mark stays; no UTF-8 becomes U+FFFD. */
export function readTextFile(path: string, bytesMax: number): string {
  return decoder.decode(readBoundedFile(path, bytesMax));
}

/** The same of a file that a key of the configuration names: the error is one line with both. */
export function readKeyFile(key: string, path: string, bytesMax: number): string {
  try {
    return readTextFile(path, bytesMax);
  } catch (error) {
    throw new Error(`${key}: Cannot read ${path}: ${reasonOf(error)}`);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function readBoundedFile(path: string, bytesMax: number): Uint8Array {
  // Asked before it is opened: opening a device may have effects.
  checkKind(Deno.statSync(path), bytesMax);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() && !found.isFIFO()) throw new NotRegular("it is no regular file");
    return readAll(descriptor, { bytesMax, isPipe: found.isFIFO() });
  } finally {
    closeSync(descriptor);
  }
}

/** Throws where something is no file to read from front to back, or has too much in it. */
function checkKind(info: Deno.FileInfo, bytesMax: number): void {
  if (info.isDirectory) throw new NotRegular("it is a directory");
  if (info.isCharDevice || info.isBlockDevice) throw new NotRegular("it is a device, not a file");
  if (info.isSocket) throw new NotRegular("it is a socket, not a file");
  if (info.size > bytesMax) throw tooLong(bytesMax);
}

function tooLong(bytesMax: number): NotRegular {
  return new NotRegular(`it has more than ${bytesMax / (1 << 20)} MB`);
}

function readAll(
  descriptor: number,
  { bytesMax, isPipe }: { bytesMax: number; isPipe: boolean },
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  let idleMs = 0;
  for (;;) {
    const piece = Buffer.alloc(CHUNK_BYTES);
    const read = readSome(descriptor, piece);
    if (read === undefined || (read === 0 && isPipe && total === 0)) {
      // Nothing yet: its writer is slow, or has not come.
      if (idleMs >= PIPE_MS) throw new NotRegular("it is a pipe that nothing is written to");
      idleMs += PIPE_POLL_MS;
      Atomics.wait(NEVER, 0, 0, PIPE_POLL_MS);
      continue;
    }
    if (read === 0) return Buffer.concat(pieces, total);
    idleMs = 0;
    total += read;
    if (total > bytesMax) throw tooLong(bytesMax);
    pieces.push(piece.subarray(0, read));
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Undefined where there is nothing just now. */
function readSome(descriptor: number, target: Buffer): number | undefined {
  try {
    return readSync(descriptor, target, 0, target.length, null);
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return undefined;
    throw error;
  }
}
