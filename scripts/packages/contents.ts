// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// What an executable of saker holds, by its own bytes, as a table for docs/packages.md: sections of
// the runtime, the parts behind it, what was compiled in. Of two executables: which parts differ.
// usage: contents.ts [EXECUTABLE [OTHER]]
import { gzipSync } from "node:zlib";
import { SAKER } from "./about.ts";

interface Part {
  readonly name: string;
  readonly at: number;
  readonly length: number;
}

/** What sections of an ELF file are to somebody who asks where the megabytes are. */
const SECTIONS: readonly (readonly [name: RegExp, what: string])[] = [
  [/^\.text$/, "runtime: machine code (V8, Rust)"],
  [/^\.rodata$/, "runtime: constants (V8's start-up image, ICU, certificates)"],
  [/^\.(eh_frame|gcc_except)/, "runtime: tables for unwinding"],
  [/^\.rela/, "runtime: relocations"],
];

function main(path: string): void {
  const bytes = Deno.readFileSync(path);
  const sections = sectionsOf(bytes);
  const runtimeEnd = Math.max(...sections.map(({ at, length }) => at + length));
  const parts = partsOf(bytes);
  const lastPart = Math.max(...parts.map(({ at, length }) => at + length));
  const rows = new Map<string, { size: number; packed: number }>();
  const add = (what: string, at: number, length: number) => {
    const row = rows.get(what) ?? { size: 0, packed: 0 };
    row.size += length;
    row.packed += gzipSync(bytes.subarray(at, at + length)).length;
    rows.set(what, row);
  };
  for (const { name, at, length } of sections) {
    const known = SECTIONS.find(([pattern]) => pattern.test(name));
    add(known?.[1] ?? "runtime: everything else", at, length);
  }
  for (const { name, at, length } of parts) {
    add(name.startsWith("kmod/") ? "kmod/" : name, at, length);
  }
  add("compiled in: TypeScript, rules, page, index", lastPart, bytes.length - lastPart);
  const told = [...rows.values()].reduce((sum, { size }) => sum + size, 0);
  console.log("| part | bytes | by gzip |\n|---|---:|---:|");
  for (const [what, { size, packed }] of [...rows].sort(([, a], [, b]) => b.size - a.size)) {
    console.log(`| ${what} | ${size.toLocaleString("en")} | ${packed.toLocaleString("en")} |`);
  }
  const rest = bytes.length - told;
  console.log(`| between them (pages, headers) | ${rest.toLocaleString("en")} | |`);
  console.log(`| all | ${bytes.length.toLocaleString("en")} | |`);
  if (lastPart < runtimeEnd) throw new Error(`${path}: its parts do not lie behind the runtime`);
}

/** Tells each part of two executables that is not the same; bounds are each one's own. */
function compare(paths: readonly [string, string]): void {
  const [one, other] = paths.map((path) => wholeParts(Deno.readFileSync(path)));
  for (const name of new Set([...one!.keys(), ...other!.keys()])) {
    const [a, b] = [one!.get(name), other!.get(name)];
    if (a === undefined || b === undefined) console.log(`${name}: in one of them alone`);
    else if (a.length !== b.length) console.log(`${name}: ${a.length} and ${b.length} bytes`);
    else {
      const differing = a.reduce((count, byte, at) => (byte === b[at] ? count : count + 1), 0);
      if (differing > 0) console.log(`${name}: ${differing} of ${a.length} bytes`);
    }
  }
}

/** All of an executable, by parts: the runtime, what stands behind it, what was compiled in. */
function wholeParts(bytes: Uint8Array): Map<string, Uint8Array> {
  const parts = partsOf(bytes);
  const end = Math.max(...parts.map(({ at, length }) => at + length));
  return new Map([
    ["runtime", bytes.subarray(0, Math.min(...parts.map(({ at }) => at)))],
    ...parts.map(({ name, at, length }) => [name, bytes.subarray(at, at + length)] as const),
    ["compiled in", bytes.subarray(end)],
  ]);
}

/** Sections that the file holds bytes of; a 64-bit little-endian ELF file. */
function sectionsOf(bytes: Uint8Array): Part[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = Number(view.getBigUint64(0x28, true));
  const [size, count, names] = [0x3a, 0x3c, 0x3e].map((at) => view.getUint16(at, true));
  const row = (index: number) => {
    const start = table + index * size!;
    return {
      name: view.getUint32(start, true),
      kind: view.getUint32(start + 4, true),
      at: Number(view.getBigUint64(start + 0x18, true)),
      length: Number(view.getBigUint64(start + 0x20, true)),
    };
  };
  const texts = row(names!).at;
  const NOBITS = 8;
  return Array.from({ length: count! }, (_, index) => row(index))
    .filter(({ kind, length }) => kind !== NOBITS && length > 0)
    .map(({ name, at, length }) => {
      const start = texts + name;
      const end = bytes.indexOf(0, start);
      return { name: new TextDecoder().decode(bytes.subarray(start, end)), at, length };
    });
}

/** The parts behind the runtime, from the index that put_parts.py wrote. */
function partsOf(bytes: Uint8Array): Part[] {
  const needle = new TextEncoder().encode('{"addon.node": [');
  const at = lastIndexOf(bytes, needle);
  if (at < 0) throw new Error("no index of parts: is this an executable of saker?");
  const end = bytes.indexOf("}".charCodeAt(0), at);
  const index = JSON.parse(new TextDecoder().decode(bytes.subarray(at, end + 1)));
  return Object.entries(index as Record<string, [number, number]>)
    .map(([name, [at, length]]) => ({ name, at, length }));
}

function lastIndexOf(bytes: Uint8Array, needle: Uint8Array): number {
  let at = bytes.lastIndexOf(needle[0]!);
  for (; at >= 0; at = bytes.lastIndexOf(needle[0]!, at - 1)) {
    if (needle.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

if (import.meta.main) {
  const [one = SAKER, other] = Deno.args;
  if (other === undefined) main(one);
  else compare([one, other]);
}
