// Who imports whom: rooms only the rooms above them, no cycles, no file that nothing uses.
import { type Breach, isSource, isTest, lineAt, type Tree, withoutComments } from "./tree.ts";

/** In the order of the data; a room imports those before it, never those behind. */
const ROOMS = [
  "events",
  "audit",
  "state",
  "fields",
  "plugins",
  "rules",
  "tune",
  "sieve",
  "kmod",
  "engine",
  "nats",
  "rollout",
  "kafka",
  "alerts",
  "metrics",
  "server",
  "fleet",
  "client",
  "screen",
] as const;
/** The floors of a room, one folder for each stage, in order: a floor imports those before it.
 * Files that stand in the room itself are its doors: they may import every floor. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  audit: ["decode", "read"],
  state: ["tables", "contract", "events", "snapshot"],
  fields: ["row", "text", "compare", "rows", "audit"],
  rules: ["parse", "read", "merge", "check", "match", "tools"],
  engine: ["contract", "host", "sums", "captures", "loop", "thread"],
  alerts: ["format", "outputs", "delivery", "spool"],
  server: ["stream", "told", "page"],
  fleet: ["contract", "read", "page"],
  cli: ["print", "start", "commands"],
};
/** Know nothing of the program's things; every room may use them. */
const FOR_ALL: readonly string[] = ["words", "files"];
/** Sees no other room but that; its values are handed on by the commands. */
const CONFIG = "config";
/** Bring the rooms together: may import all. */
const COMMANDS = new Set(["cli", "main.ts"]);

export interface Edge {
  readonly from: string;
  /** Path in the repository. */
  readonly to: string;
  readonly line: number;
}

export interface Import extends Edge {
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
}

/** Every import of a project file by a project file, workers started by URL included. */
export function importsOf(tree: Tree): Import[] {
  const imports: Import[] = [];
  for (const [path, text] of tree) {
    if (!/\.tsx?$/.test(path)) continue;
    const code = withoutComments(text);
    for (const pattern of IMPORT_FORMS) {
      for (const match of code.matchAll(pattern)) {
        const to = resolve(path, match.groups!.to!);
        if (to === undefined) continue;
        const typeOnly = match.groups!.type !== undefined;
        imports.push({ from: path, to, line: lineAt(text, match.index), typeOnly });
      }
    }
  }
  return imports;
}

const IMPORT_FORMS = [
  /^(?:import|export)\s+(?<type>type\s+(?=[{*\w]))?[^;"']*?\bfrom\s+"(?<to>\.[^"]+)"/gm,
  /^import\s+"(?<to>\.[^"]+)"/gm,
  /\bimport\(\s*"(?<to>\.[^"]+)"/g,
  /\bnew URL\(\s*"(?<to>\.[^"]+\.tsx?)",\s*import\.meta\.url/g,
];

function resolve(from: string, specifier: string): string | undefined {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Rooms import one way. */
export function checkRoomOrder(tree: Tree): Breach[] {
  return importsOf(tree).flatMap(({ from, to, line }) => {
    const message = from.startsWith("src/") ? wrongWay(from, to) : undefined;
    return message === undefined ? [] : [{ path: from, line, message }];
  });
}

function wrongWay(from: string, to: string): string | undefined {
  if (/^(scripts|tests)\//.test(to)) return `imports ${to}: the program does not use its tests`;
  if (!to.startsWith("src/")) return undefined;
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === there) return upstairs(here, from, to);
  if (COMMANDS.has(here)) return undefined;
  if (FOR_ALL.includes(there)) return undefined;
  const [hereAt, thereAt] = [place(here), place(there)];
  if (FOR_ALL.includes(here)) return `imports ${to}: ${here} stands by itself`;
  if (here !== CONFIG && hereAt < 0) {
    return `is in no known room; those are ${ROOMS.join(", ")}, config, words, files, cli`;
  }
  if (here === CONFIG) return `imports ${to}: config stands by itself`;
  if (there === CONFIG) return `imports ${to}: only cli/ and main.ts see the configuration`;
  if (thereAt < 0 || thereAt > hereAt) {
    return `imports ${to}: ${here} may import only ${
      ROOMS.slice(0, hereAt).join(", ") || "itself"
    }`;
  }
  return undefined;
}

/** Inside a room: an import of a floor that comes later, or of a floor that the list lacks. */
function upstairs(room: string, from: string, to: string): string | undefined {
  const floors = FLOORS[room];
  const [here, there] = [floorOf(from), floorOf(to)];
  if (floors === undefined || isTest(from) || here === undefined) return undefined;
  if (!floors.includes(here)) return `is on no known floor of ${room}: ${floors.join(", ")}`;
  if (there === undefined || floors.indexOf(there) <= floors.indexOf(here)) return undefined;
  return `imports ${to}: ${room}/${here} may import only what comes before it: ${
    floors.slice(0, floors.indexOf(here)).join(", ") || "nothing"
  }`;
}

function floorOf(path: string): string | undefined {
  const parts = path.split("/");
  return parts.length > 3 ? parts[2] : undefined;
}

function roomOf(path: string): string {
  return path.split("/")[1]!;
}

function place(room: string): number {
  return (ROOMS as readonly string[]).indexOf(room);
}

/** Imports form no cycle: those of types alone bind files together as well. */
export function checkCycles(tree: Tree): Breach[] {
  return cyclesOf(importsOf(tree).filter((edge) => tree.has(edge.to)));
}

/** Every edge that closes a cycle. */
export function cyclesOf(edges: readonly Edge[]): Breach[] {
  const next = new Map<string, Edge[]>();
  for (const edge of edges) next.set(edge.from, [...next.get(edge.from) ?? [], edge]);
  const done = new Set<string>();
  const breaches: Breach[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    for (const edge of next.get(path) ?? []) {
      const at = trail.indexOf(edge.to);
      if (at >= 0) {
        const cycle = [...trail.slice(at), edge.to].join(" → ");
        breaches.push({ path, line: edge.line, message: `closes an import cycle: ${cycle}` });
      } else if (!done.has(edge.to)) visit(edge.to, [...trail, edge.to]);
    }
    done.add(path);
  };
  for (const path of next.keys()) if (!done.has(path)) visit(path, [path]);
  return breaches;
}

/** The first line of a file that exists for tests alone says so. */
const FOR_TESTS = /^\/\/.*\btests?\b/;

/** Every source file is reached from main.ts or a script; what only tests reach says so. */
export function checkDeadFiles(tree: Tree): Breach[] {
  if (!tree.has("src/main.ts")) return [];
  const imports = importsOf(tree);
  const paths = [...tree.keys()];
  const fromProgram = reached(imports, [
    "src/main.ts",
    ...paths.filter((path) => path.startsWith("scripts/") && !isTest(path)),
  ]);
  const fromTests = reached(imports, paths.filter((path) => isTest(path)));
  return paths.filter((path) => isSource(path) && !fromProgram.has(path)).flatMap((path) => {
    if (!fromTests.has(path)) return [{ path, line: 0, message: "is used by nothing: delete it" }];
    if (FOR_TESTS.test(tree.get(path)!)) return [];
    return [{ path, line: 0, message: "is used by tests alone, and does not say so: delete it" }];
  });
}

function reached(imports: readonly Import[], entries: readonly string[]): Set<string> {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...next.get(from) ?? [], to]);
  const seen = new Set(entries);
  for (const path of seen) for (const to of next.get(path) ?? []) seen.add(to);
  return seen;
}
