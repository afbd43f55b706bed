// What a file may look like: its size, its names, and the few things that only one room may do.
import { type Breach, find, isSource, isTest, type Tree } from "./tree.ts";

const LINES_MAX = 400;
const COLUMNS_MAX = 100;

/** Files that may be longer or wider, each with its reason. */
export const TABLES: ReadonlyMap<string, string> = new Map([
  ["tests/deploy/go.sum", "checksums, as Go writes them"],
  ["probe-rs/events.json", "the event table"],
]);

const PROSE = /\.(md|json|yaml|yml|toml|html|css|svg)$|^LICENSE$|^\.gitignore$/;

/** No file above 400 lines, no line above 100 characters. */
export function checkSizes(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    if (PROSE.test(path) || TABLES.has(path)) return [];
    const lines = text.split("\n");
    const breaches: Breach[] = [];
    const count = lines.length - (lines.at(-1) === "" ? 1 : 0);
    if (count > LINES_MAX) {
      breaches.push({ path, line: 0, message: `has ${count} lines, ${LINES_MAX} at the most` });
    }
    for (const [index, line] of lines.entries()) {
      const columns = [...line].length;
      if (columns > COLUMNS_MAX) {
        const message = `has ${columns} characters, ${COLUMNS_MAX} at the most`;
        breaches.push({ path, line: index + 1, message });
      }
    }
    return breaches;
  });
}

const BANNED_WORDS = /^(utils?|helpers?|managers?|common|misc)$/;
const BANNED_DECLARATION = new RegExp(
  String.raw`\b(?:function|class|interface|type|struct|enum|trait|mod|fn)` +
    String.raw`\s+(\w*?(?:[uU]tils?|[hH]elpers?|[mM]anager))\b`,
  "g",
);

/** Names say what a thing is; these words do not. */
export function checkNames(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    const word = path.split(/[/_.-]/).find((part) => BANNED_WORDS.test(part));
    const breaches: Breach[] = word === undefined
      ? []
      : [{ path, line: 0, message: `is called "${word}": name what it holds` }];
    if (!/\.(tsx?|rs)$/.test(path)) return breaches;
    const message = (match: RegExpMatchArray) => `declares "${match[1]}": name what it does`;
    const declared = find(path, text, BANNED_DECLARATION, message);
    return [...breaches, ...declared];
  });
}

/** Files open with what comes in and what goes out. */
export function checkOpenings(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    if (!/\.(tsx?|rs)$/.test(path) || isTest(path)) return [];
    if (/^(\/\/|#!\/)/.test(text)) return [];
    return [{ path, line: 1, message: "opens without a comment that says what it is for" }];
  });
}

/** No default export, no module-level `let`; printing and code from text where they belong. */
export function checkHabits(tree: Tree): Breach[] {
  return [...tree].flatMap(([path, text]) => {
    if (!/\.tsx?$/.test(path)) return [];
    const breaches = [
      ...find(path, text, /^export default\b/gm, () => "has a default export: name it"),
      ...find(
        path,
        text,
        /^export \* from\b/gm,
        () => "passes everything on: import from the source",
      ),
    ];
    if (!isSource(path)) return breaches;
    breaches.push(...find(path, text, /^(?:export )?let \w+/gm, () => "has a module-level `let`"));
    if (!path.startsWith("src/rules/")) {
      const message = () => "makes code from text: only src/rules does";
      breaches.push(...find(path, text, /\bnew Function\(|\beval\(/g, message));
    }
    if (!/^src\/(cli\/|main\.ts)/.test(path)) {
      const message = () => "prints: only cli/ and main.ts do";
      breaches.push(...find(path, text, /\bconsole\.\w+\(/g, message));
      const exits = () => "ends the process: only cli/ and main.ts do";
      breaches.push(...find(path, text, /\bDeno\.exit\(/g, exits));
    }
    return breaches;
  });
}
