// An alert file that is begun anew: at a size or an age, FILE becomes FILE.1, FILE.1 becomes FILE.2
// and so on; what comes behind the last that is kept is removed. Each step is a rename, so nobody
// ever finds half a file, and after a crash within it a number is free, which the next one uses.
import { lstat, rename, rm } from "node:fs/promises";
import { codeOf } from "../../files/reason.ts";

export interface Rotation {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  /** Old files. */
  readonly keep: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Whether the file was begun anew, before so many bytes are appended to it. */
export async function rotate(path: string, rotation: Rotation, bytes: number): Promise<boolean> {
  const { bytesMax, ageMaxMs, keep, now = Date.now } = rotation;
  if (bytesMax === Infinity && ageMaxMs === Infinity) return false;
  const info = await infoOf(path);
  // A pipe or a device is no file to rename; a link is somebody's own arrangement.
  if (info === undefined || !info.isFile() || info.size === 0) return false;
  // File systems that keep no time of birth show the epoch.
  const bornMs = info.birthtimeMs > 0 ? info.birthtimeMs : info.mtimeMs;
  if (info.size + bytes <= bytesMax && now() - bornMs < ageMaxMs) return false;
  let free = 1;
  while (free < keep && await infoOf(`${path}.${free}`) !== undefined) free++;
  for (let at = free; at > 1; at--) await rename(`${path}.${at - 1}`, `${path}.${at}`);
  await rename(path, `${path}.1`);
  await removeBeyond(path, keep);
  return true;
}

/** Those that were kept when more were to be: so many are looked at. */
const LOOK_MAX = 1000;

async function removeBeyond(path: string, keep: number): Promise<void> {
  for (let at = keep + 1; at <= keep + LOOK_MAX; at++) {
    if (await infoOf(`${path}.${at}`) === undefined) return;
    await rm(`${path}.${at}`);
  }
}

async function infoOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
