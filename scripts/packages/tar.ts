// Files as the bytes of an archive: tar (ustar) and ar (as dpkg reads it). Same entries, same
// bytes: order, owner (root) and time are given, nothing is asked of the file system.

export interface Entry {
  /** Without a leading slash; directories end in one. */
  readonly path: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
  /** Where a symbolic link leads. */
  readonly link?: string;
}

const BLOCK = 512;
const encoder = new TextEncoder();

export function file(path: string, content: string | Uint8Array, mode = 0o644): Entry {
  return { path, mode, bytes: typeof content === "string" ? encoder.encode(content) : content };
}

/** All with the directories above them, in the order of their paths. */
export function withDirectories(entries: readonly Entry[]): Entry[] {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    const parts = entry.path.replace(/\/$/, "").split("/");
    for (let count = 1; count < parts.length; count++) {
      const path = `${parts.slice(0, count).join("/")}/`;
      if (!all.has(path)) all.set(path, { path, mode: 0o755 });
    }
    all.set(entry.path, entry);
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** `prefix` stands before every path: "./" in Debian's packages, where "./" itself is first. */
export function tar(
  entries: readonly Entry[],
  epoch: number,
  prefix = "",
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  if (prefix === "./") parts.push(header({ path: "./", mode: 0o755 }, epoch));
  for (const entry of entries) {
    parts.push(header({ ...entry, path: prefix + entry.path }, epoch));
    if (entry.bytes !== undefined) parts.push(entry.bytes, padding(entry.bytes.length, BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return joined(parts);
}

function header({ path, mode, bytes, link }: Entry, epoch: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, length: number, text: string) => {
    const encoded = encoder.encode(text);
    if (encoded.length > length) throw new Error(`tar: ${path}: ${text} is longer than ${length}`);
    block.set(encoded, at);
  };
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  put(0, 100, path);
  put(100, 8, `${octal(mode, 7)}\0`);
  put(108, 8, `${octal(0, 7)}\0`);
  put(116, 8, `${octal(0, 7)}\0`);
  put(124, 12, `${octal(bytes?.length ?? 0, 11)}\0`);
  put(136, 12, `${octal(epoch, 11)}\0`);
  put(148, 8, " ".repeat(8));
  put(156, 1, path.endsWith("/") ? "5" : link === undefined ? "0" : "2");
  put(157, 100, link ?? "");
  put(257, 8, "ustar\x0000");
  put(265, 32, "root");
  put(297, 32, "root");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, 8, `${octal(sum, 6)}\0 `);
  return block;
}

/** An archive of ar(1), of regular files. */
export function ar(entries: readonly Entry[], epoch: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [encoder.encode("!<arch>\n")];
  for (const { path, bytes = new Uint8Array() } of entries) {
    const fields = [
      path.padEnd(16),
      `${epoch}`.padEnd(12),
      ...["0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)],
      `${bytes.length}`.padEnd(10),
    ];
    parts.push(encoder.encode(`${fields.join("")}\`\n`), bytes, padding(bytes.length, 2));
  }
  return joined(parts);
}

function padding(length: number, unit: number): Uint8Array {
  return new Uint8Array((unit - length % unit) % unit).fill(unit === 2 ? 0x0a : 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
