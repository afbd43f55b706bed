// Files and directories → the bytes of a cpio archive (the "newc" form), as the kernel unpacks it
// for its first file system.

export interface Entry {
  readonly path: string;
  /** Absent: a directory. */
  readonly bytes?: Uint8Array;
  /** Where a link leads. */
  readonly link?: string;
}

const DIRECTORY = 0o040755;
const PROGRAM = 0o100755;
const LINK = 0o120777;

/** Each directory on the way to a file is made before it. */
export function archive(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let at = 1; at < parts.length; at++) {
      const path = parts.slice(0, at).join("/");
      if (!all.has(path)) all.set(path, { path });
    }
    all.set(entry.path, entry);
  }
  const pieces: Uint8Array[] = [];
  [...all.values()].forEach((entry, at) => put(pieces, entry, at + 1));
  put(pieces, { path: "TRAILER!!!", bytes: new Uint8Array() }, 0);
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function put(pieces: Uint8Array[], { path, bytes, link }: Entry, inode: number): void {
  const encoder = new TextEncoder();
  const data = link === undefined ? bytes : encoder.encode(link);
  const mode = link !== undefined ? LINK : bytes === undefined ? DIRECTORY : PROGRAM;
  const name = encoder.encode(`${path}\0`);
  const numbers = [inode, mode, 0, 0, 1, 0, data?.length ?? 0, 0, 0, 0, 0, name.length, 0];
  const head = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  for (const piece of [encoder.encode(`070701${head}`), name]) pieces.push(piece);
  pieces.push(new Uint8Array(-(110 + name.length) & 3));
  if (data === undefined) return;
  pieces.push(data, new Uint8Array(-data.length & 3));
}
