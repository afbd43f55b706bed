// Paths joined as Falco joins them.
import { strictEqual } from "node:assert";
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
