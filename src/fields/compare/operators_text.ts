// Comparisons of text: fnmatch's patterns, path prefixes by component, ASCII case, byte order.
// All take time linear in the text, times the length of the pattern at the worst.
import { bytesOf, isOfCharacters } from "../../words/raw_text.ts";

/** fnmatch(3) without flags: `*` and `?` match slashes and leading dots; `\` escapes. */
export function compileGlob(pattern: string, foldCase: boolean): (text: string) => boolean {
  const tokens = tokensOf(asBytes(foldCase ? foldAscii(pattern) : pattern), foldCase);
  if (tokens === undefined) return () => false;
  return (text) => matchTokens(tokens, asBytes(foldCase ? foldAscii(text) : text));
}

/** `*` is null; a literal is a character; a set is a test. */
type Token = null | string | ((char: string) => boolean);

/** Greedy with one step back to the last star, which suffices for `*`. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const next = tokens[token];
    if (next === null) {
      star = token++;
      starAt = at;
    } else if (
      next !== undefined && (typeof next === "string" ? next === text[at] : next(text[at]!))
    ) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (tokens[token] === null) token++;
  return token === tokens.length;
}

/** Undefined for a pattern that ends in a lone backslash, which matches nothing. */
function tokensOf(pattern: string, foldCase: boolean): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at]!;
    if (char === "*") {
      if (tokens.at(-1) !== null) tokens.push(null);
      at++;
    } else if (char === "?") {
      tokens.push(() => true);
      at++;
    } else if (char === "\\") {
      if (at + 1 === pattern.length) return undefined;
      tokens.push(pattern[at + 1]!);
      at += 2;
    } else if (char === "[") {
      const set = readSet(pattern, at, foldCase);
      tokens.push(set?.test ?? "[");
      at = set?.end ?? at + 1;
    } else {
      tokens.push(char);
      at++;
    }
  }
  return tokens;
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[a-zA-Z0-9]/,
  alpha: /[a-zA-Z]/,
  blank: /[ \t]/,
  cntrl: /[^\u0020-\u007e\u0080-\uffff]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9a-fA-F]/,
};

/** A bracket expression; undefined where it is not closed, then `[` stands for itself. */
function readSet(
  pattern: string,
  start: number,
  foldCase: boolean,
): { test: (char: string) => boolean; end: number } | undefined {
  let at = start + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at++;
  const ranges: [string, string][] = [];
  const classes: RegExp[] = [];
  for (let first = true;; first = false) {
    let char = pattern[at];
    if (char === undefined) return undefined;
    if (char === "]" && !first) break;
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12));
    if (named && CLASSES[named[1]!]) {
      const fold = foldCase && /^(upper|lower)$/.test(named[1]!);
      classes.push(CLASSES[fold ? "alpha" : named[1]!]!);
      at += named[0].length;
      continue;
    }
    if (char === "\\" && at + 1 < pattern.length) char = pattern[++at]!;
    at++;
    let last = char;
    if (pattern[at] === "-" && pattern[at + 1] !== undefined && pattern[at + 1] !== "]") {
      last = pattern[at + 1]!;
      at += 2;
      if (last === "\\" && at < pattern.length) last = pattern[at++]!;
    }
    ranges.push([char, last]);
  }
  return {
    end: at + 1,
    test: (char) =>
      (ranges.some(([low, high]) => char >= low && char <= high) ||
        classes.some((named) => named.test(char))) !== negated,
  };
}

/** Falco's C locale sees bytes: a character for each, so that `?` is one of them. */
export function asBytes(text: string): string {
  // deno-lint-ignore no-control-regex -- it is the range of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return String.fromCharCode(...bytesOf(text));
}

/** Lower case for A to Z alone. */
export function foldAscii(text: string): string {
  if (lastFolded.text !== text) {
    lastFolded.text = text;
    lastFolded.folded = /[A-Z]/.test(text)
      ? text.replace(/[A-Z]+/g, (run) => run.toLowerCase())
      : text;
  }
  return lastFolded.folded;
}

/** Many tests look at one text after the other. */
const lastFolded = { text: "", folded: "" };

/** The order of the UTF-8 bytes. */
export function compareBytes(left: string, right: string): number {
  if (!isOfCharacters(left) || !isOfCharacters(right)) {
    const [one, other] = [asBytes(left), asBytes(right)];
    return one < other ? -1 : one === other ? 0 : 1;
  }
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    if (left.charCodeAt(at) !== right.charCodeAt(at)) {
      return left.codePointAt(at)! - right.codePointAt(at)!;
    }
  }
  return left.length - right.length;
}

interface PathNode {
  /** A search path ends here: all below matches. */
  end: boolean;
  readonly direct: Map<string, PathNode>;
  readonly globs: { readonly matches: (component: string) => boolean; readonly node: PathNode }[];
}

/** `pmatch`: whether one of the paths is a prefix of the text, component by component. */
export function compilePaths(paths: readonly string[]): (text: string) => boolean {
  const root = newNode();
  const globs = new Map<PathNode, Map<string, PathNode>>();
  for (const path of paths) {
    let node = root;
    for (const component of components(path)) {
      if (node.end) break;
      node = child(node, component, globs);
    }
    node.end = true;
  }
  return (text) => matchPath(root, components(text), 0);
}

function child(
  node: PathNode,
  component: string,
  globs: Map<PathNode, Map<string, PathNode>>,
): PathNode {
  if (!/[?*[]/.test(component)) {
    const known = node.direct.get(component) ?? newNode();
    node.direct.set(component, known);
    return known;
  }
  const known = globs.get(node) ?? new Map<string, PathNode>();
  globs.set(node, known);
  let next = known.get(component);
  if (next === undefined) {
    next = newNode();
    known.set(component, next);
    node.globs.push({ matches: compileGlob(component, false), node: next });
  }
  return next;
}

function matchPath(node: PathNode, path: readonly string[], at: number): boolean {
  if (node.end) return true;
  if (at === path.length) return false;
  const direct = node.direct.get(path[at]!);
  if (direct !== undefined && matchPath(direct, path, at + 1)) return true;
  return node.globs.some((glob) => glob.matches(path[at]!) && matchPath(glob.node, path, at + 1));
}

function components(path: string): readonly string[] {
  if (lastSplit.path !== path) {
    lastSplit.path = path;
    lastSplit.components = path.split("/").filter((component) => component !== "");
  }
  return lastSplit.components;
}

/** As `lastFolded`. */
const lastSplit: { path: string; components: readonly string[] } = { path: "", components: [] };

function newNode(): PathNode {
  return { end: false, direct: new Map(), globs: [] };
}
