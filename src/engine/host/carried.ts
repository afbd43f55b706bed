// The files that the executable carries: probe, addon and the like. They stand in it as they are,
// behind the runtime (scripts/lib/put_parts.py), and not among the modules, all of which the
// runtime reads into memory at each start. From a checkout they are files of the build.

/** Where each stands: its first byte in the executable, and how many it has. */
type Places = Readonly<Record<string, readonly [at: number, bytes: number]>>;

const PIECE_BYTES = 256 << 10;

/** A carried file's bytes; throws where there is none, or it cannot be read. */
export function carriedFile(name: string): Uint8Array {
  using file = open(name);
  const bytes = new Uint8Array(file.bytes);
  for (let at = 0; at < bytes.length;) at += file.read(bytes.subarray(at));
  return bytes;
}

/** Names of the files in a carried folder, in their order; none where it is not carried. */
export function carriedNames(folder: string): string[] {
  const prefix = `${folder}/`;
  if (Deno.build.standalone) {
    const names = Object.keys(places()).filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length)).sort();
  }
  try {
    const entries = [...Deno.readDirSync(inBuild(folder))];
    return entries.filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Writes a carried file to a new one that only this user may use; throws where that fails. */
export function copyCarried(name: string, path: string): void {
  using file = open(name);
  using out = Deno.openSync(path, { write: true, createNew: true, mode: 0o700 });
  // A little at a time: memory that was never touched costs more than to copy.
  const piece = new Uint8Array(PIECE_BYTES);
  for (let left = file.bytes; left > 0;) {
    const length = file.read(piece.subarray(0, Math.min(left, PIECE_BYTES)));
    for (let at = 0; at < length;) at += out.writeSync(piece.subarray(at, length));
    left -= length;
  }
}

interface Carried extends Disposable {
  readonly bytes: number;
  /** Reads what comes next; how many bytes, at least one. */
  read(into: Uint8Array): number;
}

function open(name: string): Carried {
  const { file, bytes } = Deno.build.standalone ? inExecutable(name) : inCheckout(name);
  return {
    bytes,
    read(into) {
      const length = file.readSync(into);
      if (length === null) throw new Error(`Cannot read ${name} in the executable: it is cut off`);
      return length;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

function inExecutable(name: string): { file: Deno.FsFile; bytes: number } {
  const place = places()[name];
  if (place === undefined) throw new Error(`The executable carries no ${name}`);
  const [at, bytes] = place;
  // Also where the executable was replaced, or removed, since the start.
  const file = Deno.openSync("/proc/self/exe");
  file.seekSync(at, Deno.SeekMode.Start);
  return { file, bytes };
}

function places(): Places {
  return JSON.parse(Deno.readTextFileSync(new URL("../../../dist/parts.json", import.meta.url)));
}

function inCheckout(name: string): { file: Deno.FsFile; bytes: number } {
  const file = Deno.openSync(inBuild(name));
  return { file, bytes: file.statSync().size };
}

function inBuild(name: string): URL {
  return new URL(`../../../dist/embed/${name}`, import.meta.url);
}
