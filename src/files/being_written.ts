// Which of some files are open for writing in a process of this host, so that what is read of them
// now may be half of what they will be. Best effort: of other hosts' writers nothing is known.

interface Identity {
  readonly path: string;
  readonly key: string;
}

/** The paths among `paths` that a process has open for writing now. */
export function filesBeingWritten(paths: readonly string[]): string[] {
  const files = paths.flatMap((path): Identity[] => {
    try {
      return [{ path, key: keyOf(Deno.statSync(path)) }];
    } catch {
      return [];
    }
  });
  if (files.length === 0) return [];
  const names = new Set(files.map(({ path }) => baseName(path)));
  const written = new Set<string>();
  for (const pid of entriesOf("/proc").filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === Deno.pid) continue;
    for (const number of entriesOf(`/proc/${pid}/fd`)) {
      const descriptor = `/proc/${pid}/fd/${number}`;
      try {
        // The name is looked at first: a stat could wait for a mount that hangs.
        if (!names.has(baseName(Deno.readLinkSync(descriptor)))) continue;
        if (!isForWriting(`/proc/${pid}/fdinfo/${number}`)) continue;
        const key = keyOf(Deno.statSync(descriptor));
        for (const file of files) if (file.key === key) written.add(file.path);
      } catch {
        // It was closed meanwhile, or its process is not ours to look at.
      }
    }
  }
  return [...written];
}

function keyOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** O_WRONLY or O_RDWR, by proc(5)'s octal flags. */
function isForWriting(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(Deno.readTextFileSync(fdinfo));
  return flags !== null && (parseInt(flags[1]!, 8) & 3) !== 0;
}

function entriesOf(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}
