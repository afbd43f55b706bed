// The SHA-256 of files that are in force: their bytes come in, hexadecimal sums go out.
import { createHash } from "node:crypto";
import { bytesOf } from "../words/raw_text.ts";

export interface FileSum {
  /** The whole path, or the name of a built-in file. */
  readonly path: string;
  readonly sha256: string;
}

export interface FileText {
  readonly name: string;
  readonly text: string;
}

export function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function sumsOfTexts(files: readonly FileText[]): FileSum[] {
  return files.map(({ name, text }) => ({ path: name, sha256: sumOf(bytesOf(text)) }));
}

/** One sum over all files in their order, names included. */
export function sumOfAll(sums: readonly FileSum[]): string {
  const lines = sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  return sumOf(new TextEncoder().encode(lines.join("")));
}
