// Paths joined as Falco joins them.
import { strictEqual } from "node:assert";
import { posix } from "node:path";
import { Paths } from "./paths.ts";
import { Strings } from "./strings.ts";

const CASES: readonly (readonly [directory: string, path: string, joined: string])[] = [
  ["/home/", "file", "/home/file"],
  ["/home/", "/etc/passwd", "/etc/passwd"],
  ["/home/", "", ""],
  ["/home/", ".", "/home"],
  ["/home/", "./a", "/home/a"],
  ["/home/", "..", "/"],
  ["/home/me/", "..", "/home"],
  ["/home/me/", "../../..", "/"],
  ["/home/me/", "../x//y/./z/", "/home/x/y/z"],
  ["/", "a", "/a"],
  ["", "a/../b", "b"],
  ["", "/a/../../b", "/b"],
  ["", "//a///b", "/a/b"],
  ["", "/..", "/"],
  ["", "/", "/"],
  ["/d/", "...", "/d/..."],
  ["/d/", ".hidden", "/d/.hidden"],
  ["/d/", "a/..b", "/d/a/..b"],
  ["<UNKNOWN>", "a", "<UNKNOWN>a"],
  ["<UNKNOWN>", "a/..", ""],
  ["<UNKNOWN>", "a/..//b", "b"],
  ["<UNKNOWN>", "a/../../b", "b"],
  ["", "a/..//b", "/b"],
  ["", "a/../", ""],
];

for (const [directory, path, joined] of CASES) {
  Deno.test(`"${path}" in "${directory}" is "${joined}"`, () => {
    const strings = new Strings();
    const paths = new Paths(strings);
    const join = () => paths.join(strings.internText(directory), strings.internText(path));
    strictEqual(strings.text(join()), joined);
    strictEqual(strings.text(join()), joined, "when it is remembered");
  });
}

Deno.test("a path too long for Falco's buffer is replaced", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  const long = strings.internText("a".repeat(1020));
  strictEqual(
    strings.text(paths.join(strings.internText("/dir/"), long)),
    "/DIR_TOO_LONG/FILENAME_TOO_LONG",
  );
  strictEqual(strings.text(paths.join(strings.internText("/d/"), long)), `/d/${"a".repeat(1020)}`);
});

Deno.test("a directory with and without its slash are told apart", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  const directory = strings.internText("/srv");
  const path = strings.internText("x");
  strictEqual(strings.text(paths.joinBelow(directory, path)), "/srv/x");
  strictEqual(strings.text(paths.join(directory, path)), "/srvx");
  strictEqual(strings.text(paths.joinBelow(directory, path)), "/srv/x");
});

Deno.test("what was joined before a sweep is joined anew", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  const directory = strings.internText("/d/");
  const path = strings.internText("x");
  paths.join(directory, path);
  strings.sweep(() => {});
  strings.internPassing("takes the freed number");
  strictEqual(strings.text(paths.join(directory, path)), "/d/x");
});

/** All texts of these letters up to a length. */
function textsOf(letters: string, length: number): string[] {
  const shorter = length === 0 ? [] : textsOf(letters, length - 1);
  const longest = shorter.filter((text) => text.length === length - 1);
  const more = length === 0
    ? [""]
    : longest.flatMap((text) => [...letters].map((one) => text + one));
  return [...shorter, ...more];
}

Deno.test("a path of any dots and slashes is joined with a directory as POSIX resolves it", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  for (const directory of ["/", "/x/", "/x/.y/", "/x/y/z/"]) {
    const base = strings.internText(directory);
    for (const path of textsOf("./a", 6)) {
      if (path === "") continue;
      const joined = strings.text(paths.join(base, strings.internText(path)));
      strictEqual(joined, posix.resolve(directory, path), `${directory} and ${path}`);
    }
  }
});

Deno.test("a directory gets a slash where it has none, however long", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  for (const length of [0, 1, 2, 1023, 2048, 2049, 2050, 2051, 5000]) {
    const text = "d".repeat(length);
    const withSlash = strings.text(paths.withSlash(strings.internText(text)));
    strictEqual(withSlash, `${text}/`);
    strictEqual(strings.text(paths.withSlash(strings.internText(`${text}/`))), `${text}/`);
  }
});

Deno.test("what the kernel puts behind the name of a deleted file goes, and nothing else", () => {
  const strings = new Strings();
  const paths = new Paths(strings);
  const without = (text: string) => strings.text(paths.withoutDeleted(strings.internText(text)));
  strictEqual(without("/a (deleted)"), "/a");
  strictEqual(without("a (deleted)"), "a");
  strictEqual(without("/a (deleted) (deleted)"), "/a (deleted)");
  for (const text of ["", " (deleted)", "/a(deleted)", "/a (deleted) ", "/a (Deleted)", "/a)"]) {
    strictEqual(without(text), text);
  }
});
