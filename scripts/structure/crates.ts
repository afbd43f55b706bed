// Rust: which module of a crate uses which. Modules form no cycle, as files of TypeScript do not.
import { cyclesOf, type Edge } from "./imports.ts";
import { type Breach, lineAt, type Tree, withoutComments } from "./tree.ts";

const CRATES = ["probe-rs", "ebpf-rs", "bindings-rs", "bindings-rs/plugin-host", "kmod"];

/** Modules that use each other. The root of a crate (lib.rs, main.rs) only names the modules. */
export function checkCrates(tree: Tree): Breach[] {
  return CRATES.flatMap((crate) => cyclesOf(usesOf(tree, crate)));
}

/** Every use of a module by another of the same crate, `crate::` and `super::` forms. */
export function usesOf(tree: Tree, crate: string): Edge[] {
  const edges: Edge[] = [];
  for (const [path, text] of tree) {
    if (!path.startsWith(`${crate}/src/`) || !path.endsWith(".rs") || isTestOrRoot(path)) continue;
    const code = withoutComments(text).replace(/#\[cfg\(test\)\]\s*mod \w+ \{[^]*$/, "");
    for (const { names, offset } of usedModules(code, modulePath(path, crate))) {
      const to = fileOf(tree, crate, names);
      if (to !== undefined && to !== path) {
        edges.push({ from: path, to, line: lineAt(text, offset) });
      }
    }
  }
  return edges;
}

function isTestOrRoot(path: string): boolean {
  return /\/src\/(lib|main)\.rs$|_tests?\.rs$|\/tests?\.rs$|\/\w+_tests?\//.test(path);
}

/** `probe-rs/src/snapshot/scan.rs` → ["snapshot", "scan"]. */
function modulePath(path: string, crate: string): string[] {
  return path.slice(`${crate}/src/`.length, -".rs".length).split("/").filter((part) =>
    part !== "mod"
  );
}

interface Used {
  readonly names: readonly string[];
  readonly offset: number;
}

/** Paths that `use` names, groups in braces taken apart, and paths in the code itself. */
function usedModules(code: string, own: readonly string[]): Used[] {
  return [...code.matchAll(/\b(crate|super)::/g)].flatMap((match) => {
    const base = match[1] === "crate" ? [] : own.slice(0, -1);
    const offset = match.index;
    return leaves(code, offset + match[0].length, base).paths.map((names) => ({ names, offset }));
  });
}

/** The paths of a tree such as `a::{b, c::{d, e}}` at `at`, and where it ends. */
function leaves(code: string, at: number, base: readonly string[]): Leaves {
  const name = /\w*/y;
  name.lastIndex = at;
  const word = name.exec(code)![0];
  const path = word === "" ? base : [...base, word];
  let end = at + word.length;
  if (word !== "" && !code.startsWith("::", end)) return { paths: [path], end };
  if (word !== "") return leaves(code, end + 2, path);
  if (code[end] !== "{") return { paths: [path], end };
  const paths: (readonly string[])[] = [];
  while (end < code.length && code[end] !== "}") {
    end++;
    while (/\s/.test(code[end] ?? "")) end++;
    if (code[end] === "}") break;
    const inner = leaves(code, end, path);
    paths.push(...inner.paths);
    end = inner.end;
    while (end < code.length && code[end] !== "," && code[end] !== "}") end++;
  }
  return { paths, end: end + 1 };
}

interface Leaves {
  readonly paths: readonly (readonly string[])[];
  readonly end: number;
}

/** The file of the longest module that begins the path. */
function fileOf(tree: Tree, crate: string, names: readonly string[]): string | undefined {
  for (let length = names.length; length > 0; length--) {
    const path = `${crate}/src/${names.slice(0, length).join("/")}.rs`;
    if (tree.has(path)) return path;
  }
  return undefined;
}

/** Lines above an unsafe block in which its reason may stand. */
const REASON_LINES = 4;

/** Clippy asks for the reasons of unsafe blocks, but not in the crates of the BPF target. */
export function checkUnsafe(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    if (!/^(ebpf|probe)-rs\/src\/.*\.rs$/.test(path)) return [];
    const lines = text.split("\n");
    return lines.flatMap((line, index) => {
      if (!/\bunsafe\s*\{/.test(line.replace(/\/\/.*/, ""))) return [];
      const above = lines.slice(Math.max(0, index - REASON_LINES), index).join("\n");
      if (above.includes("SAFETY")) return [];
      return [{ path, line: index + 1, message: "unsafe without a reason (// SAFETY: …)" }];
    });
  });
}
