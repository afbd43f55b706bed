// The project's files as text, by path: what every check of the structure looks at.

/** Text by path, relative to the repository, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

/** One breach of a rule: where, and what is wanted instead. */
export interface Breach {
  readonly path: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** A rule of the structure: reads the tree, returns what breaks it. */
export type Check = (tree: Tree) => Breach[];

const SKIPPED_DIRECTORIES = new Set([".git", "dist", "target", ".cache", "node_modules"]);
const BINARY = /\.(scap|gz|lock|o|node|ko)$/;
/** Documents name them; they have no text. */
const PICTURE = /\.png$/;

/** Reads every text file below `root` but build products. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const walk = (directory: string) => {
    for (const entry of Deno.readDirSync(`${root}/${directory}`)) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory && !SKIPPED_DIRECTORIES.has(entry.name)) walk(path);
      if (entry.isFile && !BINARY.test(path)) {
        tree.set(path, PICTURE.test(path) ? "" : Deno.readTextFileSync(`${root}/${path}`));
      }
    }
  };
  walk("");
  return new Map([...tree].sort(([a], [b]) => a < b ? -1 : 1));
}

/** TypeScript of the program itself, without tests. */
export function isSource(path: string): boolean {
  return path.startsWith("src/") && /\.tsx?$/.test(path) && !isTest(path);
}

export function isTest(path: string): boolean {
  return /_test\.tsx?$/.test(path);
}

/** Every place where a pattern (with flag g) is found in code; comments are left out. */
export function find(
  path: string,
  text: string,
  pattern: RegExp,
  message: (match: RegExpMatchArray) => string | undefined,
): Breach[] {
  const breaches: Breach[] = [];
  for (const match of withoutComments(text).matchAll(pattern)) {
    const said = message(match);
    if (said === undefined) continue;
    breaches.push({ path, line: lineAt(text, match.index), message: said });
  }
  return breaches;
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = 0; at < offset; at++) if (text.charCodeAt(at) === 10) line++;
  return line;
}

/**
 * The text with comments blanked out, offsets kept. Strings, templates and regular expressions
 * are passed over, so that what looks like a comment inside them stays.
 */
export function withoutComments(text: string): string {
  const pattern =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\*[^]*?\*\/|\/\/[^\n]*/g;
  return text.replace(
    pattern,
    (piece) => piece.startsWith("/") ? piece.replace(/[^\n]/g, " ") : piece,
  );
}
