// Where modules that were built are kept: below a directory that is root's alone, by the kernel's
// release and a sum of all that a module is made of. In: a release, a sum. Out: files.
import { createHash } from "node:crypto";
import { reasonOf } from "../files/reason.ts";
import { LOG_FILE, MODULE_FILE, type SourceFile } from "./build_module.ts";

export const CACHE = "/var/cache/saker/kmod";

/** Names of directories in which something is built just now. */
const BUILDING = "building-";
/** Nobody builds that long. */
const LEFT_MS = 3_600_000;

export interface CacheKey {
  readonly release: string;
  readonly sum: string;
}

/** Of the sources: a signed module takes the place of one that is not. */
export function keyOf(release: string, sources: readonly SourceFile[]): CacheKey {
  const hash = createHash("sha256");
  for (const { name, bytes } of [...sources].sort((a, b) => a.name < b.name ? -1 : 1)) {
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return { release, sum: hash.digest("hex").slice(0, 16) };
}

/** The module of a key; undefined where it was not built. Throws where others could have put it
 * there. */
export function cached(directory: string, { release, sum }: CacheKey): string | undefined {
  const place = `${directory}/${release}/${sum}`;
  const file = `${place}/${MODULE_FILE}`;
  if (infoOf(file) === undefined) return undefined;
  for (const path of [...parents(directory), `${directory}/${release}`, place, file]) own(path);
  return file;
}

/** A fresh directory to build in, made below the cache. Throws where that is not its owner's
 * alone. */
export function buildingDirectory(directory: string): string {
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`Cannot make ${directory}: ${reasonOf(error)}`);
  }
  for (const path of parents(directory)) own(path);
  for (const { name } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    const left = name.startsWith(BUILDING) ? infoOf(path)?.mtime : undefined;
    if (left && Date.now() - left.getTime() >= LEFT_MS) remove(path);
  }
  return Deno.makeTempDirSync({ dir: directory, prefix: BUILDING });
}

/** Keeps what was built in such a directory, in the place of what was kept for that kernel; what
 * was kept for kernels that are gone from `root` goes as well. Returns the module's file. */
export function keep(
  directory: string,
  { release, sum }: CacheKey,
  built: string,
  root: string,
): string {
  const ofKernel = `${directory}/${release}`;
  Deno.mkdirSync(ofKernel, { recursive: true, mode: 0o700 });
  for (const { name } of Deno.readDirSync(built)) {
    if (name !== MODULE_FILE && name !== LOG_FILE) {
      Deno.removeSync(`${built}/${name}`, { recursive: true });
    }
  }
  const place = `${ofKernel}/${sum}`;
  remove(place);
  Deno.renameSync(built, place);
  for (const { name } of Deno.readDirSync(ofKernel)) {
    if (name !== sum) remove(`${ofKernel}/${name}`);
  }
  for (const { name } of Deno.readDirSync(directory)) {
    if (name === release || name.startsWith(BUILDING)) continue;
    if (infoOf(`${root}/lib/modules/${name}`) === undefined) remove(`${directory}/${name}`);
  }
  return `${place}/${MODULE_FILE}`;
}

/** The directories of saker's own on the way to the cache. */
function parents(directory: string): string[] {
  const [, rest = ""] = directory.split(/(?<=\/saker)(?=\/|$)/, 2);
  return rest === "" ? [directory] : [directory.slice(0, -rest.length), directory];
}

/** Throws where somebody else could change what is there. */
function own(path: string): void {
  const { uid, mode, isSymlink } = Deno.lstatSync(path);
  if (uid === Deno.uid() && !isSymlink && (mode! & 0o022) === 0) return;
  throw new Error(`Cannot use ${path}: it is not this user's alone (remove it)`);
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** It is no reason to fail where that cannot be. */
function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Somebody else was faster, or it stays until the next time.
  }
}
