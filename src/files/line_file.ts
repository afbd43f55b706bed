// A file that lines are appended to: opening does not wait for a FIFO that nobody reads, nor for a
// device. It does for a mount that hangs, so a thread of its own is to open it. Where the file ends
// within a line (a disk that was full, a writer that was killed), whoever appends is told to begin
// a new one.
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { flagsAgainstLinks } from "./planted.ts";
import { codeOf, NotRegular } from "./reason.ts";
import type { DescriptorReserve } from "./reserve.ts";

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK |
  constants.O_NOCTTY;

const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** A pipe that is full is asked again after this long. */
const FULL_MS = 20;

/** See pipe(7). */
const PIPE_BUF = 4096;

const LF = 10;

export interface LineFile {
  /** Whether its last line has no end yet; undefined where that cannot be known. */
  readonly endsMidLine: boolean | undefined;
  /** As many bytes as are taken at once; waits where a pipe is full. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** Opens for appending, or makes a new file that is its owner's alone. `path` is text. */
export async function openLineFile(path: string, reserve: DescriptorReserve): Promise<LineFile> {
  const flags = FLAGS | flagsAgainstLinks(path);
  const handle = await reserve.openLater(() => open(path, flags, 0o600));
  const info = await handle.stat();
  if (info.isDirectory() || info.isBlockDevice()) {
    closeHandle(handle);
    throw new NotRegular(info.isDirectory() ? "it is a directory" : "it is a disk, not a file");
  }
  const endsMidLine = info.isFile() ? await endsWithinLine(path, info, reserve) : undefined;
  return {
    endsMidLine,
    write: (bytes: Uint8Array) =>
      info.isFile() ? writeToFile(handle, bytes) : writePiece(handle, bytes),
    close: () => closeHandle(handle),
  };
}

/** The runtime writes on until all is written, and does not say how far it came where it fails. */
async function writeToFile(handle: FileHandle, bytes: Uint8Array): Promise<number> {
  const { size } = await handle.stat();
  try {
    return (await handle.write(bytes)).bytesWritten;
  } catch (error) {
    const taken = (await handle.stat()).size - size;
    if (taken > 0 && taken <= bytes.length) return taken;
    throw error;
  }
}

/** So few bytes a pipe takes at once or not at all. */
async function writePiece(handle: FileHandle, bytes: Uint8Array): Promise<number> {
  for (;;) {
    try {
      return (await handle.write(bytes.subarray(0, PIPE_BUF))).bytesWritten;
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, FULL_MS));
    }
  }
}

/** Reads the last byte through a descriptor of its own: what is appended to is not read from. */
async function endsWithinLine(
  path: string,
  written: Stats,
  reserve: DescriptorReserve,
): Promise<boolean | undefined> {
  if (written.size === 0) return false;
  try {
    const reader = await reserve.openLater(() => open(path, READ_FLAGS));
    try {
      const { dev, ino, size } = await reader.stat();
      if (dev !== written.dev || ino !== written.ino || size === 0) return undefined;
      const { bytesRead, buffer } = await reader.read(new Uint8Array(1), 0, 1, size - 1);
      return bytesRead === 1 && buffer[0] !== LF;
    } finally {
      closeHandle(reader);
    }
  } catch {
    // One that may be written and not read; what this process wrote there is known anyway.
    return undefined;
  }
}

function closeHandle(handle: FileHandle): void {
  // What it holds was written; a close that fails tells nothing that a write did not.
  handle.close().catch(() => {});
}
