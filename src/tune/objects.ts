// What was acted on, as an exception may name it: the values themselves, or where there are many of
// them the part of their paths that stays the same, as long as nobody can put files there.
import type { AlertValue } from "./alert.ts";
import { coversAnyone, mayBePrefix, placeOf } from "./places.ts";

export interface Part {
  readonly field: string;
  readonly comp: "=" | "in" | "pmatch" | "glob";
  readonly values: readonly AlertValue[];
}

/** Values that are listed one by one before a pattern is looked for. */
const LISTED_MAX = 8;
/** Beyond these no list is written either. */
const LIST_MAX = 32;
const PREFIXES_MAX = 4;

/** Fields of what a call acts on, in the order in which they are looked for. */
export const OBJECT_FIELDS: readonly string[] = [
  "fd.name",
  "fs.path.name",
  "fs.path.source",
  "fs.path.target",
];

/** Further fields that narrow an exception where the alert has them. */
export const NARROWING_FIELDS: readonly string[] = ["fd.sip", "fd.sport", "fd.rip", "fd.rport"];

/** The part for these values; undefined: nothing fits that would not cover too much. */
export function partOf(field: string, values: readonly AlertValue[]): Part | undefined {
  const distinct = [...new Set(values)];
  if (distinct.length === 1) return { field, comp: "=", values: distinct };
  if (distinct.length <= LISTED_MAX) return { field, comp: "in", values: distinct };
  const paths = distinct.filter((value): value is string => typeof value === "string");
  if (paths.length === distinct.length && paths.every((path) => path.startsWith("/"))) {
    const glob = globOf(paths);
    if (glob !== undefined) return { field, comp: "glob", values: [glob] };
    const prefixes = prefixesOf(paths);
    if (prefixes !== undefined) return { field, comp: "pmatch", values: prefixes };
  }
  return distinct.length <= LIST_MAX ? { field, comp: "in", values: distinct } : undefined;
}

/** `/var/lib/backup/job-*` + `/list`: paths that differ in one component alone. An asterisk goes
 * over slashes, so what stands before it must be nobody's playground. */
function globOf(paths: readonly string[]): string | undefined {
  const split = paths.map((path) => path.split("/"));
  const length = split[0]!.length;
  if (split.some((parts) => parts.length !== length)) return undefined;
  const differing: number[] = [];
  for (let at = 0; at < length; at++) {
    if (split.some((parts) => parts[at] !== split[0]![at])) differing.push(at);
  }
  if (differing.length !== 1) return undefined;
  const at = differing[0]!;
  const column = split.map((parts) => parts[at]!);
  const start = sharedStart(column);
  const end = sharedStart(column.map((text) => [...text.slice(start.length)].reverse().join("")));
  const suffix = [...end].reverse().join("");
  const before = split[0]!.slice(0, at).join("/");
  const after = split[0]!.slice(at + 1).map((part) => `/${part}`).join("");
  // A directory's every file is what pmatch says better; a pattern needs something to hold on to.
  if (start === "" && suffix === "" && after === "") return undefined;
  const fixed = `${before}/${start}${suffix}${after}`;
  if (/[?*[\]\\\s"'(),]/.test(fixed) || before === "") return undefined;
  const place = placeOf(`${before}/x`);
  if (place === "anyone" || place === "memory" || coversAnyone(before)) return undefined;
  return `${before}/${start}*${suffix}${after}`;
}

function sharedStart(texts: readonly string[]): string {
  let shared = texts[0]!;
  for (const text of texts) {
    let at = 0;
    while (at < shared.length && shared[at] === text[at]) at++;
    shared = shared.slice(0, at);
  }
  return shared;
}

/** Up to four directories that hold all paths. */
function prefixesOf(paths: readonly string[]): readonly string[] | undefined {
  let directories = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))))];
  while (directories.length > PREFIXES_MAX) {
    const deepest = Math.max(...directories.map((one) => one.split("/").length));
    if (deepest <= 3) return undefined;
    directories = [
      ...new Set(
        directories.map((one) =>
          one.split("/").length < deepest ? one : one.slice(0, one.lastIndexOf("/"))
        ),
      ),
    ];
  }
  const outer = directories.filter((one) =>
    !directories.some((other) => other !== one && one.startsWith(`${other}/`))
  );
  return outer.every(mayBePrefix) ? outer.sort() : undefined;
}
