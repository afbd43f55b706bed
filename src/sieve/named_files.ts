// The files that rules name exactly. In: checked rules. Out: paths, of which whoever can looks up
// the inodes, so that a file is known under another of its links as well. Where a rule only leaves
// a name out, that is no reason to know it.
import type { Atom, Node } from "../rules/check/condition.ts";
import type { CheckedRule } from "../rules/check/resolve.ts";

/** Fields that show the name of a file that was used. */
const FIELDS =
  /^(fd\.name|fs\.path\.(name|source|target)|evt\.(abspath|arg\.(name|path|filename)))$/;
/** What begins with a file's name is nothing but that file. */
const OPERATORS: ReadonlySet<string> = new Set(["=", "in", "startswith", "pmatch", "intersects"]);
/** Longest name that the probe keeps, and no directory. */
const PATH = /^\/[\x20-\x7e]{0,253}[\x21-\x2e\x30-\x7e]$/;

/** The names, each once, in the order of the rules. */
export function namedFiles(rules: readonly CheckedRule[]): string[] {
  const names = new Set<string>();
  for (const { node, source } of rules) {
    if (source === "syscall") collect(node, false, names, new Set());
  }
  return [...names];
}

function collect(node: Node, negated: boolean, names: Set<string>, seen: Set<string>): void {
  const key = `${node.id}${negated}`;
  if (seen.has(key)) return;
  seen.add(key);
  if (node.kind === "not") collect(node.child, !negated, names, seen);
  else if (node.kind === "and" || node.kind === "or") {
    for (const child of node.children) collect(child, negated, names, seen);
  } else if (node.kind === "atom" && !negated) {
    for (const name of namesOf(node.atom)) names.add(name);
  }
}

function namesOf({ left, right, comparator, constants }: Atom): readonly string[] {
  if (right !== undefined || !FIELDS.test(left.text)) return [];
  return OPERATORS.has(comparator.operator) ? constants.filter((one) => PATH.test(one)) : [];
}
