// Predicates on names as patterns of literal text: an atom comes in, patterns come out of which
// one holds wherever the atom does. They may hold elsewhere too: a glob is loosened to its longest
// literal, a directory to what lies anywhere below it.
import { EVENTS } from "../events/table.ts";
import type { Atom } from "../rules/check/condition.ts";
import { isOpen, SHOWS_FD, textsOf, TRAITS } from "./event_texts.ts";
import { constant, type Formula, or, type Pattern, type TextKind, TRUE } from "./formula.ts";

/** Texts that fields show in place of a path: a predicate that takes one is not decided. */
const STAND_INS = ["", "<NA>", "<UNKNOWN>", "<UNKNOWN>/", "/DIR_TOO_LONG/FILENAME_TOO_LONG"];
/** Spellings of a literal in either case, at the most. */
const SPELLINGS_MAX = 32;

/** What a field shows of a name. */
type Part = "whole" | "directory" | "file";

interface NameField {
  readonly part: Part;
  readonly text: TextKind;
}

const FIELDS: Readonly<Record<string, NameField>> = {
  "fd.name": { part: "whole", text: "joined" },
  "fd.nameraw": { part: "whole", text: "raw" },
  "fd.directory": { part: "directory", text: "joined" },
  "fd.filename": { part: "file", text: "joined" },
  "fs.path.name": { part: "whole", text: "joined" },
  "fs.path.nameraw": { part: "whole", text: "raw" },
  "fs.path.source": { part: "whole", text: "joined" },
  "fs.path.sourceraw": { part: "whole", text: "raw" },
  "fs.path.target": { part: "whole", text: "joined" },
  "fs.path.targetraw": { part: "whole", text: "raw" },
};

/** The formula of an atom on a name, or of its contrary; undefined: it is none. */
export function nameFormula(atom: Atom, negated: boolean, code: number): Formula | undefined {
  if (atom.right !== undefined || atom.left.bound === undefined) return undefined;
  const field = fieldOf(atom.left.text, code);
  if (field === undefined) return undefined;
  if (field === "nothing") return constant(atom.test(undefined, undefined) !== negated);
  if (negated && !isExact(atom, code)) return TRUE;
  if (!negated && isOpen(code) && isRoot(atom, field)) {
    let formula = inRoots.get(atom);
    if (formula === undefined) inRoots.set(atom, formula = inRoot(atom, field));
    return formula;
  }
  const patterns = allPatternsOf(atom, field);
  return patterns === undefined ? TRUE : { kind: negated ? "without" : "name", patterns };
}

/** The patterns of atoms, which are the same for all event codes. */
const known = new WeakMap<Atom, readonly Pattern[] | "none">();

/** Of atoms that hold of what lies in the root, likewise. */
const inRoots = new WeakMap<Atom, Formula>();

function allPatternsOf(atom: Atom, field: NameField): readonly Pattern[] | undefined {
  let patterns = known.get(atom);
  if (patterns === undefined) {
    const found = patternsOf(atom, field);
    // Of a relative path that could not be opened, fd.nameraw is the whole path.
    patterns = found !== undefined && atom.left.text === "fd.nameraw"
      ? found.flatMap((pattern) => [pattern, { ...pattern, text: "joined" as const }])
      : found ?? "none";
    known.set(atom, patterns);
  }
  return patterns === "none" ? undefined : patterns;
}

/** Whether the patterns say exactly what the atom says of the one name that a call has. */
function isExact({ left, comparator, constants }: Atom, code: number): boolean {
  const { operator, modifier } = comparator;
  if (left.text !== "fd.name" || !isOpen(code)) return false;
  if (modifier !== undefined && constants.length > 1) return false;
  return EXACT.has(operator);
}

/** Directories of nearly every machine. */
const TOPS = ["bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc"]
  .concat(["root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"]);

/** Whether the atom holds of what lies in the root itself. */
function isRoot({ comparator, test }: Atom, { part, text }: NameField): boolean {
  const { operator, modifier } = comparator;
  return part === "directory" && text === "joined" && modifier === undefined &&
    (operator === "=" || operator === "in") && test("/", undefined);
}

/** What begins with a directory and a slash does not lie in the root. */
function inRoot(atom: Atom, { part, text }: NameField): Formula {
  const others = atom.constants.filter((constant) => constant !== "/");
  const made = others.map((constant) => ofConstant(atom, constant, part, text));
  if (STAND_INS.some((shown) => atom.test(shown, undefined)) || made.includes(undefined)) {
    return TRUE;
  }
  const patterns = TOPS.map((top): Pattern => ({ kind: "prefix", text, literal: `/${top}/` }));
  const apart: Formula = { kind: "without", patterns };
  return made.length === 0
    ? apart
    : or([apart, { kind: "name", patterns: made.flatMap((some) => some!) }]);
}

const EXACT: ReadonlySet<string> = new Set(["=", "in", "startswith", "endswith", "contains"]);

/** What a field shows of an event's names; undefined where the sieve does not know. */
function fieldOf(text: string, code: number): NameField | "nothing" | undefined {
  const texts = textsOf(code);
  const named = FIELDS[text];
  if (named !== undefined && text.startsWith("fd.")) {
    if (!(TRAITS[code]! & SHOWS_FD)) return "nothing";
    if (isOpen(code)) return named;
    // What a call makes of a descriptor, and what it makes, is not known from its bytes.
    const { flags } = EVENTS[code]!;
    const keeps = !flags.has("creates_fd") && !flags.has("modifies_state");
    const isUsed = texts?.some(({ kind }) => kind === "descriptor") === true;
    return isUsed && (keeps || flags.has("destroys_fd")) ? named : undefined;
  }
  if (texts === undefined || texts.length === 0) return undefined;
  if (named !== undefined) return named;
  const argument = /^evt\.(raw)?arg\.(\w+)$/.exec(text);
  if (argument === null) return undefined;
  const param = EVENTS[code]!.params.find(({ name }) => name === argument[2]);
  if (param?.type !== "FSPATH" && param?.type !== "FSRELPATH") return undefined;
  return { part: "whole", text: argument[1] === undefined ? "joined" : "raw" };
}

function patternsOf(atom: Atom, { part, text }: NameField): Pattern[] | undefined {
  if (STAND_INS.some((shown) => atom.test(shown, undefined))) return undefined;
  // The directory of what lies in the root, and both of a name without one.
  if (part !== "whole" && atom.test("/", undefined)) return undefined;
  const patterns: Pattern[] = [];
  for (const constant of atom.constants) {
    const made = ofConstant(atom, constant, part, text);
    if (made === undefined) return undefined;
    patterns.push(...made);
  }
  return patterns.length === 0 ? undefined : patterns;
}

function ofConstant(
  { comparator: { operator } }: Atom,
  constant: string,
  part: Part,
  text: TextKind,
): Pattern[] | undefined {
  if (!/^[\x20-\x7e]+$/.test(constant)) return undefined;
  const pattern = (kind: Pattern["kind"], literal: string): Pattern[] | undefined =>
    literal === "" ? undefined : [{ kind, text, literal }];
  switch (operator) {
    case "=":
    case "in":
    case "intersects":
      return exact(constant, part, text);
    case "startswith":
      // A file's name begins behind a slash, or the name has none.
      return pattern(part === "file" ? "contains" : "prefix", constant);
    case "endswith":
      return pattern(part === "directory" ? "contains" : "suffix", constant);
    case "contains":
      return pattern("contains", constant);
    case "icontains":
      return spellings(constant).map((literal) => ({ kind: "contains", text, literal }));
    case "glob":
      return glob(constant, part, text);
    case "pmatch":
      return paths(constant, part, text);
    default:
      return undefined;
  }
}

function exact(constant: string, part: Part, text: TextKind): Pattern[] {
  const whole: Pattern = { kind: "exact", text, literal: constant };
  switch (part) {
    case "whole":
      return [whole];
    case "directory":
      // Its own name, where it is a directory; else what lies in it, and deeper.
      return [whole, { kind: "prefix", text, literal: `${constant.replace(/\/+$/, "")}/` }];
    case "file":
      return [whole, { kind: "suffix", text, literal: constant }];
  }
}

/** Part of a glob that stands for itself. */
interface Literal {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

function glob(pattern: string, part: Part, text: TextKind): Pattern[] | undefined {
  const best = longest(pattern);
  if (best === undefined) return undefined;
  const { atStart, atEnd } = best;
  const literal = best.text;
  if (atStart && atEnd) return exact(literal, part, text);
  if (atStart && part !== "file") return [{ kind: "prefix", text, literal }];
  if (atEnd && part !== "directory") return [{ kind: "suffix", text, literal }];
  return [{ kind: "contains", text, literal }];
}

/** The longest literal of a glob; undefined where it has none, or more than `*` and `?`. */
function longest(pattern: string): Literal | undefined {
  if (/[[\]\\]/.test(pattern)) return undefined;
  let best: Literal | undefined;
  let at = 0;
  for (const piece of pattern.split(/[*?]/)) {
    const literal = {
      text: piece,
      atStart: at === 0,
      atEnd: at + piece.length === pattern.length,
    };
    at += piece.length + 1;
    if (piece.length > (best?.text.length ?? 0)) best = literal;
  }
  return best;
}

/** `pmatch`: the path itself and what lies below it, each component perhaps a glob. */
function paths(constant: string, part: Part, text: TextKind): Pattern[] | undefined {
  if (part === "file") return undefined;
  const components = constant.split("/").filter((component) => component !== "");
  const plain = components.findIndex((component) => /[?*[\]\\]/.test(component));
  const literal = (plain < 0 ? components : components.slice(0, plain)).join("/");
  if (literal === "") return undefined;
  // Components are compared without the slashes between them: a text need not begin with one.
  return [`/${literal}`, literal].map((start) => ({ kind: "prefix", text, literal: start }));
}

/** The ways to write a part of a literal in small and large letters. */
function spellings(literal: string): string[] {
  let part = "";
  let count = 1;
  for (const char of literal) {
    const ways = /[a-zA-Z]/.test(char) ? 2 : 1;
    if (count * ways > SPELLINGS_MAX) break;
    count *= ways;
    part += char;
  }
  let made = [""];
  for (const char of part) {
    const ways = [...new Set([char.toLowerCase(), char.toUpperCase()])];
    made = made.flatMap((start) => ways.map((way) => start + way));
  }
  return made;
}
