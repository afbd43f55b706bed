// Patterns and orders of text. What each pattern matches is what fnmatch(3) without flags answers
// (and with FNM_CASEFOLD), in a locale of bytes.
import { deepStrictEqual, strictEqual } from "node:assert";
import { asBytes, compareBytes, compileGlob, compilePaths, foldAscii } from "./operators_text.ts";

/** The pattern, what it matches, and what it does not. */
const GLOBS: readonly (readonly [glob: string, matches: string[], others: string[]])[] = [
  ["", [""], ["a"]],
  ["abc", ["abc"], ["ab", "abcd", "Abc", "", "xabc"]],
  ["*", ["", "a", "a/b", ".a"], []],
  ["a*", ["a", "ab", "a/"], ["b", "ba", ""]],
  ["*a", ["a", "ba", "aa"], ["ab", ""]],
  ["a*b*c", ["abc", "axbxc", "abbc", "abcbc"], ["acb", "abcb", "aXc", "ab"]],
  ["**a**", ["a", "bab"], ["b", ""]],
  ["a*a*a*a", ["aaaa", "aXaYaZa"], ["aaa"]],
  ["*ab", ["aab", "abab"], ["aba"]],
  ["?", ["a", "/"], ["", "ab", "é"]],
  ["??", ["ab", "é"], ["a"]],
  ["a?c", ["abc", "a/c"], ["ac", "abbc"]],
  ["*?", ["a", "ab"], [""]],
  ["\\*", ["*"], ["a", "\\*", ""]],
  ["a\\?c", ["a?c"], ["abc"]],
  ["\\\\", ["\\"], ["\\\\"]],
  ["\\ab", ["ab"], ["\\ab"]],
  ["\\[a]", ["[a]"], ["a"]],
  ["a\\", [], ["a", "a\\"]],
  ["\\", [], ["", "\\"]],
  ["[abc]", ["a", "b", "c"], ["d", "", "ab", "[abc]"]],
  ["[!abc]", ["d", "!"], ["a", ""]],
  ["[^abc]", ["d", "^"], ["a"]],
  ["[a^!]", ["a", "^", "!"], ["b"]],
  ["[a-c]x", ["ax", "bx", "cx"], ["dx", "a", "-x", "`x"]],
  ["[]a]", ["]", "a"], ["b", "[]a]"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[-a]", ["-", "a"], ["b"]],
  ["[!-0]", ["!", "a"], ["-", "0"]],
  ["[a-c-e]", ["a", "b", "c", "-", "e"], ["d"]],
  ["[c-a]", [], ["a", "b", "c"]],
  ["[\\]]", ["]"], ["\\"]],
  ["[\\a-\\c]", ["a", "b", "c"], ["d", "\\"]],
  ["[a\\-c]", ["a", "-", "c"], ["b", "\\"]],
  ["[a", ["[a"], ["a", "["]],
  ["[", ["["], ["a", ""]],
  ["[]", ["[]"], ["]", ""]],
  ["[!", ["[!"], ["a"]],
  ["[a\\", [], ["a", "[a", "[a\\"]],
  ["[a-", ["[a-"], ["a", "-"]],
  ["x[", ["x["], ["x"]],
  ["a[b*", ["a[b", "a[bc"], ["ab"]],
  ["[a]b[c]", ["abc"], ["ab", "bc"]],
  ["*.so*", ["a.so", "libc.so.6"], ["so", "aso"]],
  ["/proc/*/mem", ["/proc/1/mem", "/proc/1/task/2/mem"], ["/proc/mem"]],
  ["é", ["é"], ["e", "è"]],
  ["[[:digit:]x]", ["5", "x"], ["y", ":"]],
  ["[![:digit:]]", ["y"], ["5"]],
  ["[[:digit:]-z]", ["0", "-", "z"], ["a"]],
  ["[[:upper:][:digit:]]z", ["Az", "9z"], ["az", "-z"]],
  ["[[:digit]", [":", "d", "["], ["5", "]"]],
  ["[[:none:]]", ["n]", ":]"], ["n", "x]"]],
];

for (const [glob, matches, others] of GLOBS) {
  Deno.test(`the pattern ${JSON.stringify(glob)} matches what fnmatch says`, () => {
    const test = compileGlob(glob, false);
    deepStrictEqual([...matches, ...others].filter(test), matches);
  });
}

/** The named classes by all their characters up to U+007F. */
const CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  alnum: (code) => isIn(code, "az", "AZ", "09"),
  alpha: (code) => isIn(code, "az", "AZ"),
  blank: (code) => code === 32 || code === 9,
  cntrl: (code) => code < 32 || code === 127,
  digit: (code) => isIn(code, "09"),
  graph: (code) => code > 32 && code < 127,
  lower: (code) => isIn(code, "az"),
  print: (code) => code >= 32 && code < 127,
  punct: (code) => code > 32 && code < 127 && !isIn(code, "az", "AZ", "09"),
  space: (code) => code === 32 || (code >= 9 && code <= 13),
  upper: (code) => isIn(code, "AZ"),
  xdigit: (code) => isIn(code, "af", "AF", "09"),
};

function isIn(code: number, ...ranges: string[]): boolean {
  return ranges.some((range) => code >= range.charCodeAt(0) && code <= range.charCodeAt(1));
}

for (const [name, holds] of Object.entries(CLASSES)) {
  Deno.test(`[[:${name}:]] holds the characters of C's ${name}, and with their case folded`, () => {
    const exact = compileGlob(`[[:${name}:]]`, false);
    const folded = compileGlob(`[[:${name}:]]`, true);
    for (let code = 0; code < 128; code++) {
      const text = String.fromCharCode(code);
      strictEqual(exact(text), holds(code), `${code}`);
      const other = [text.toLowerCase(), text.toUpperCase()].map((one) => one.charCodeAt(0));
      strictEqual(folded(text), other.some(holds), `folded ${code}`);
    }
  });
}

Deno.test("a pattern whose case is folded folds A to Z, in itself and in the text", () => {
  const matches = (glob: string, text: string) => compileGlob(glob, true)(text);
  for (const glob of ["ABC", "abc", "[A-C]b[C]", "a?C"]) {
    for (const text of ["abc", "ABC", "aBc"]) strictEqual(matches(glob, text), true, glob);
    strictEqual(matches(glob, "abd"), false, glob);
  }
  strictEqual(matches("É", "é"), false);
  deepStrictEqual(["AZaz", "É[@", "", "x1Y"].map(foldAscii), ["azaz", "É[@", "", "x1y"]);
});

Deno.test("text is ordered by its bytes", () => {
  // Each is less than the next. U+FF5E is less than U+1F600 in bytes, greater in UTF-16.
  const ordered = [
    "",
    "A",
    "AA",
    "AB",
    "B",
    "a",
    "aa",
    "b",
    "é",
    "\uff5e",
    "\u{1f600}",
    "\u{1f601}",
  ];
  for (const [at, one] of ordered.entries()) {
    for (const [otherAt, other] of ordered.entries()) {
      const label = JSON.stringify([one, other]);
      strictEqual(Math.sign(compareBytes(one, other)), Math.sign(at - otherAt), label);
    }
  }
  deepStrictEqual([asBytes("aé"), asBytes("~\x7f")], ["a\u00c3\u00a9", "~\x7f"]);
});

/** Paths, what each matches, and what it does not. */
const PATHS: readonly (readonly [paths: string[], matches: string[], others: string[]])[] = [
  [["/etc"], ["/etc", "/etc/", "/etc/passwd", "//etc//x", "etc"], ["/etcx", "/", "", "/x/etc"]],
  [["/etc/ssh/"], ["/etc/ssh", "/etc/ssh/key"], ["/etc", "/etc/sshd"]],
  [["/a/b", "/a"], ["/a", "/a/c"], ["/b"]],
  [["/a", "/a/b"], ["/a", "/a/c"], ["/b"]],
  [["/a/b", "/a/c"], ["/a/b", "/a/c/d"], ["/a", "/a/d"]],
  [["/home/*/.ssh"], ["/home/x/.ssh", "/home/y/.ssh/id"], ["/home/.ssh", "/home/x/y/.ssh"]],
  [["/home/*/a", "/home/*/b", "/home/z"], ["/home/x/a", "/home/x/b", "/home/z"], ["/home/x"]],
  [["/v/?", "/v/[0-9]x/*"], ["/v/1", "/v/1x/y"], ["/v/12", "/v/ax/y", "/v/1x"]],
  [["/d/a*/x", "/d/ab/y"], ["/d/ab/x", "/d/ab/y", "/d/ac/x"], ["/d/ac/y"]],
  [["/"], ["/", "/a", ""], []],
  [[], [], ["", "/", "/a"]],
];

for (const [paths, matches, others] of PATHS) {
  Deno.test(`the paths (${paths}) are prefixes of what begins with their components`, () => {
    const test = compilePaths(paths);
    deepStrictEqual([...matches, ...others].filter(test), matches);
  });
}
