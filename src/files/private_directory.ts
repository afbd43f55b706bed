// Directories that nobody else can look into or put anything into, for one file each: made below a
// parent, and removed where whoever made one was killed before it could.

/** Makes one; throws where what was made is not private. */
export function privateDirectory(parent: string, prefix: string): string {
  const directory = Deno.makeTempDirSync({ dir: parent, prefix });
  if (isOwn(Deno.lstatSync(directory))) return directory;
  Deno.removeSync(directory, { recursive: true });
  throw new Error("the directory that was made there is not private");
}

/**
 * Removes what was left below a parent: in /run and /dev/shm it takes memory until the next boot.
 * Only what nobody else can have made, and nothing but the one file. `isLeft` says whether the
 * maker is gone. Throws where the parent cannot be listed.
 */
export function removeLeft(
  parent: string,
  { prefix, file, isLeft }: {
    readonly prefix: string;
    readonly file: string;
    readonly isLeft: (name: string, info: Deno.FileInfo) => boolean;
  },
): void {
  for (const { name } of Deno.readDirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const directory = `${parent}/${name}`;
    try {
      const info = Deno.lstatSync(directory);
      if (!isOwn(info) || !isLeft(name, info)) continue;
      for (const { name } of Deno.readDirSync(directory)) {
        if (name === file) Deno.removeSync(`${directory}/${name}`);
      }
      Deno.removeSync(directory);
    } catch {
      // Another saker was faster, or something else lies in it: it is no reason not to start.
    }
  }
}

function isOwn({ isDirectory, uid, mode }: Deno.FileInfo): boolean {
  return isDirectory && uid === Deno.uid() && (mode! & 0o777) === 0o700;
}
