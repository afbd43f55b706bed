// The invariants of ARCHITECTURE.md that can be seen in the source.
import { type Breach, find, isSource, type Tree } from "./tree.ts";

/** Files outside events/ and state/ whose business is bytes, each with its reason. */
export const BYTE_READERS: ReadonlyMap<string, string> = new Map([
  ["src/fields/text/params.ts", "evt.arg.*: the text of a parameter's bytes"],
  ["src/fields/text/param_values.ts", "evt.rawarg.*: a parameter's bytes as a value"],
  ["src/fields/rows/fd_list.ts", "evt.arg.fds: the list of poll and select"],
  ["src/sieve/table.ts", "the sieve's table is written as bytes"],
  ["src/sieve/walk_fixture.ts", "for tests: the table is read as the addon reads it"],
  ["src/fields/text/addresses.ts", "IP addresses are byte strings"],
  ["src/audit/decode/json_tape.ts", "strings of JSON are read four bytes at a time"],
  ["src/alerts/spool/record.ts", "the spool's own files, no events"],
  ["src/kmod/module_file.ts", "a kernel module's file (ELF), no events"],
  ["src/alerts/spool/position.ts", "the spool's own files, no events"],
]);

/** Only events/ (and state/, which loads process lists) reads the bytes of events. */
export function checkByteReaders(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    if (!isSource(path) || /^src\/(events|state)\//.test(path) || BYTE_READERS.has(path)) return [];
    return find(
      path,
      text,
      /\bnew DataView\(|\.get(?:Big)?(?:Uint|Int|Float)(?:8|16|32|64)\(/g,
      (match) => `reads bytes (${match[0].slice(0, -1)}): only src/events and src/state do`,
    );
  });
}

/** What the rules keep on a thread for themselves. */
const FOR_RULES = new Set(["rulePlace"]);

/** Only state/ changes threads and descriptors; fields and rules read. */
export function checkStateWriters(tree: Tree): Breach[] {
  const members = new Set([
    ...membersOf(tree.get("src/state/tables/thread.ts")),
    ...membersOf(tree.get("src/state/tables/fd.ts")),
  ]);
  return [...tree].flatMap(([path, text]) => {
    if (!isSource(path) || path.startsWith("src/state/")) return [];
    return find(path, text, ASSIGNMENT, (match) => {
      const [, owner, member] = match;
      if (!members.has(member!)) return undefined;
      if (path.startsWith("src/rules/") && FOR_RULES.has(member!)) return undefined;
      return `changes ${owner}.${member}: only src/state changes the tables`;
    });
  });
}

/** `something.parentThread.name = …`, and the other ways to write to it. */
const ASSIGNMENT = new RegExp(
  String.raw`\b((?:\w+\.)*\w*(?:[tT]hread|[pP]rocess|[pP]arent|[aA]ncestor|[lL]eader|[fF]d))` +
    String.raw`[!?]?\.(\w+)\s*(?:=(?![=>])|(?:[-+|&^*]|\?\?|\|\||&&)=|\+\+|--)`,
  "g",
);

/** Names of the fields that the classes of a file declare. */
function membersOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  return [...text.matchAll(/^ {2}(?:readonly )?(\w+)[!?]?\s*[:=]/gm)].map((match) => match[1]!);
}
