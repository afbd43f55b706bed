// A file that lines are appended to: whatever its path is, opening never waits (a FIFO that nobody
// reads, a device), and nothing here blocks the thread that asks.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { codeOf, NotRegular } from "./reason.ts";

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK |
  constants.O_NOCTTY;

/** A pipe that is full is asked again after this long. */
const FULL_MS = 20;

export interface LineFile {
  /** As many bytes as are taken at once; waits where a pipe is full. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** Opens for appending, or makes a new file that is its owner's alone. */
export async function openLineFile(path: string): Promise<LineFile> {
  const handle = await open(path, FLAGS, 0o600);
  const info = await handle.stat();
  if (info.isDirectory() || info.isBlockDevice()) {
    closeHandle(handle);
    throw new NotRegular(info.isDirectory() ? "it is a directory" : "it is a disk, not a file");
  }
  return {
    async write(bytes: Uint8Array): Promise<number> {
      for (;;) {
        try {
          return (await handle.write(bytes)).bytesWritten;
        } catch (error) {
          if (codeOf(error) !== "EAGAIN") throw error;
          await new Promise((resolve) => setTimeout(resolve, FULL_MS));
        }
      }
    },
    close: () => closeHandle(handle),
  };
}

function closeHandle(handle: FileHandle): void {
  // What it holds was written; a close that fails tells nothing that a write did not.
  handle.close().catch(() => {});
}
