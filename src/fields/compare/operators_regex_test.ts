// Patterns in POSIX syntax: what each matches whole, what it does not, and what is refused.
import { deepStrictEqual, strictEqual } from "node:assert";
import { compileRegex } from "./operators_regex.ts";

const MATCHED: readonly (readonly [pattern: string, matches: string[], others: string[]])[] = [
  ["", [""], ["a"]],
  ["abc", ["abc"], ["ab", "xabc", "abcx"]],
  ["a.c", ["abc", "a.c"], ["a\nc", "ac"]],
  ["a*", ["", "a", "aa"], ["b", "ab"]],
  ["a+", ["a", "aa"], [""]],
  ["a?", ["", "a"], ["aa"]],
  ["a**", ["", "aa"], ["b"]],
  ["a++", ["a", "aa"], [""]],
  ["a+*", ["", "aa"], ["b"]],
  ["a*+", ["", "aa"], ["b"]],
  ["a??", ["", "a"], ["aa"]],
  ["a{2}", ["aa"], ["a", "aaa"]],
  ["a{1,2}", ["a", "aa"], ["", "aaa"]],
  ["(a|bc)d", ["ad", "bcd"], ["abcd", "d"]],
  ["^a$", ["a"], ["ab"]],
  ["a\\.b", ["a.b"], ["axb"]],
  ["a\\tb", ["a\tb"], ["atb"]],
  ["a\\x41", ["aA"], ["ax41"]],
  ["\\\\", ["\\"], ["\\\\"]],
  ["\\[a]", ["[a]"], ["a"]],
  ["[abc]", ["a", "c"], ["d", "ab"]],
  ["[^abc]", ["d"], ["a"]],
  ["[]a]", ["]", "a"], ["[]a]"]],
  ["[^]a]", ["b"], ["]", "a"]],
  ["[a-c]+", ["abc"], ["abd"]],
  ["[\\]a]", ["]", "a"], ["\\"]],
  ["[[:digit:]]+", ["12"], ["a"]],
  ["[[:alpha:]_]*x", ["ab_x", "x"], ["1x"]],
  ["[+*?(]", ["+", "*", "?", "("], ["a", "++"]],
  ["[(]?x", ["(x", "x"], ["((x"]],
  ["[a][*]+b", ["a*b", "a**b"], ["ab"]],
  ["é", ["é"], ["e"]],
  [".", ["é", "\udcff"], ["ab", ""]],
];

for (const [pattern, matches, others] of MATCHED) {
  Deno.test(`the pattern ${JSON.stringify(pattern)} matches the whole text`, () => {
    const compiled = compileRegex(pattern);
    if ("error" in compiled) throw new Error(compiled.error);
    deepStrictEqual([...matches, ...others].filter((text) => compiled.matches(text)), matches);
  });
}

const ESCAPE = "invalid regex pattern: invalid escape sequence: ";
const REFUSED: readonly (readonly [pattern: string, error: string | undefined])[] = [
  ...[..."dDsSwWbBAzQpPCKGZ89"].map((letter) => [`a\\${letter}`, `${ESCAPE}\\${letter}`] as const),
  ...[..."dDsSwWpPQEbB"].map((letter) => [`[a\\${letter}]`, `${ESCAPE}\\${letter}`] as const),
  ["(?:a)", "invalid regex pattern: no argument for repetition operator: ?"],
  ["a(?i)", "invalid regex pattern: no argument for repetition operator: ?"],
];

Deno.test("what POSIX has not is refused, in sets too", () => {
  for (const [pattern, error] of REFUSED) {
    const compiled = compileRegex(pattern);
    strictEqual("error" in compiled ? compiled.error : undefined, error, pattern);
  }
  for (const pattern of ["(a", "a)", "[a", "*a", "+", "a{2,1}", "[b-a]", "\\"]) {
    const compiled = compileRegex(pattern);
    const error = "error" in compiled ? compiled.error : "";
    strictEqual(error.startsWith("invalid regex pattern: "), true, pattern);
  }
});
