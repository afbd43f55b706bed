// The documents tell the truth about the tree: rooms, paths, links and commands that they name.
import { type Breach, lineAt, type Tree } from "./tree.ts";

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];
const PLACES =
  /^(src|scripts|rules|tests|docs|probe-rs|ebpf-rs|bindings-rs|front-rs|kmod|\.ci)(\/|$)/;

/** ARCHITECTURE.md's map names every room that exists. */
export function checkRoomMap(tree: Tree): Breach[] {
  const path = "ARCHITECTURE.md";
  const text = tree.get(path);
  if (text === undefined) return [];
  const rooms = new Set<string>();
  for (const file of tree.keys()) {
    const [top, below] = file.split("/");
    if (below !== undefined && PLACES.test(`${top}/`)) rooms.add(`${top}/`);
    if (top === "src" && file.split("/").length > 2) rooms.add(`src/${below}/`);
  }
  return [...rooms].filter((room) => !text.includes(`\`${room}\``)).map((room) => ({
    path,
    line: 0,
    message: `does not tell what \`${room}\` is`,
  }));
}

/** Paths in backticks, links and commands of the documents lead somewhere. */
export function checkDocuments(tree: Tree): Breach[] {
  return DOCUMENTS.flatMap((path) => {
    const text = tree.get(path);
    if (text === undefined) return [{ path, line: 0, message: "is missing" }];
    return named(text)
      .filter(({ target }) => !exists(tree, target))
      .map(({ target, line }) => ({
        path,
        line,
        message: `names ${target}, which does not exist`,
      }));
  });
}

interface Named {
  readonly target: string;
  readonly line: number;
}

function named(text: string): Named[] {
  const found: Named[] = [];
  const add = (target: string, offset: number) =>
    found.push({ target: target.replace(/\/$/, ""), line: lineAt(text, offset) });
  for (const match of text.matchAll(/`([^`\n]+)`/g)) {
    if (PLACES.test(match[1]!) && /^[\w./-]+$/.test(match[1]!)) add(match[1]!, match.index);
  }
  for (const match of text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)) {
    add(match[1]!, match.index);
  }
  for (const match of text.matchAll(/(?<![\w/.-])scripts\/[\w/-]+/g)) add(match[0], match.index);
  return found;
}

function exists(tree: Tree, target: string): boolean {
  if (tree.has(target)) return true;
  for (const path of tree.keys()) if (path.startsWith(`${target}/`)) return true;
  return false;
}
